//! Tokens with the shapes of other issuers, as their documentation and public samples show them, each with the rules for it.

use super::{Case, names};
use crate::{
    keys::{OTHER_RSA_2048, P256, P384, RSA_2048},
    minting::{Draft, KEY_ID, NOW},
};
use poolgate_core::{
    Algorithm, ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientClaim, ClientRule, IssuerRule, Membership, Pool,
    ResourceRule, SubjectRule,
};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    [
        auth0(),
        okta(),
        entra(),
        google(),
        firebase(),
        keycloak(),
        github(),
        gitlab(),
        kubernetes(),
        apple(),
        supabase(),
        clerk(),
        workos(),
        ory(),
        authentik(),
        zitadel(),
        sts(),
        exact_issuers(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn token(issuer: &str) -> Draft {
    Draft::of_issuer(&RSA_2048, issuer)
}

fn any_of(claim: &str, values: &[&str]) -> ClaimRule {
    rule(claim, &[], ClaimTest::AnyOf(texts(values)))
}

fn texts(values: &[&str]) -> Vec<ClaimValue> {
    values.iter().map(|value| ClaimValue::Text((*value).into())).collect()
}

fn rule(claim: &str, path: &[&str], test: ClaimTest) -> ClaimRule {
    ClaimRule {
        name: None,
        claim: claim.into(),
        path: names(path),
        selector: ClaimSelector::Value,
        test,
        fits_if_absent: false,
    }
}

fn resources(pool: &mut Pool, resources: &[&str]) {
    pool.resource = ResourceRule::OneOf(names(resources));
}

fn clients(pool: &mut Pool, claim: ClientClaim, clients: &[&str]) {
    pool.client = ClientRule::OneOf(names(clients));
    pool.client_claim = Some(claim);
}

/// Access tokens with `azp` (the default profile) or `client_id` (the profile of RFC 9068).
fn auth0() -> Vec<Case> {
    const ISSUER: &str = "https://example.eu.auth0.com/";
    const API: &str = "https://orders.example.com";
    let access = || {
        token(ISSUER)
            .header("typ", "\"JWT\"")
            .claim("sub", "\"auth0|60f\"")
            .claim("aud", format!("[\"{API}\",\"https://example.eu.auth0.com/userinfo\"]"))
            .claim("azp", "\"web\"")
            .claim("scope", "\"openid read:orders\"")
            .claim("permissions", "[\"read:orders\"]")
    };
    let rfc9068 = || {
        access().header("typ", "\"at+jwt\"").without_claim("azp").claim("client_id", "\"web\"").claim("jti", "\"a\"")
    };
    let by = |case: Case, claim| {
        case.of_issuer(ISSUER, |pool| {
            resources(pool, &[API]);
            clients(pool, claim, &["web"]);
            pool.scopes = Membership::any_of(names(&["read:orders"]));
            pool.claims = vec![any_of("permissions", &["read:orders"])];
        })
    };
    vec![
        by(Case::allowed("an_access_token_of_auth0_is_accepted", access()), ClientClaim::Azp),
        by(Case::allowed("an_rfc9068_token_of_auth0_is_accepted", rfc9068()), ClientClaim::ClientId),
        by(
            Case::denied("an_access_token_of_auth0_for_another_api_is_rejected", "resource-mismatch", {
                access().claim("aud", "[\"https://other.example.com\",\"https://example.eu.auth0.com/userinfo\"]")
            }),
            ClientClaim::Azp,
        ),
        by(
            Case::denied("an_access_token_of_another_client_of_auth0_is_rejected", "client-mismatch", {
                access().claim("azp", "\"other\"")
            }),
            ClientClaim::Azp,
        ),
        by(
            Case::denied("an_id_token_of_auth0_is_no_access_token", "resource-mismatch", {
                token(ISSUER).claim("aud", "\"web\"").claim("azp", "\"web\"").claim("nonce", "\"n\"")
            }),
            ClientClaim::Azp,
        ),
        by(
            Case::denied("without_the_permission_a_token_of_auth0_is_rejected", "claim-mismatch", {
                access().claim("permissions", "[]")
            }),
            ClientClaim::Azp,
        ),
        by(
            Case::allowed("a_machine_token_of_auth0_is_accepted", {
                access()
                    .claim("sub", "\"web@clients\"")
                    .claim("gty", "\"client-credentials\"")
                    .claim("aud", format!("\"{API}\""))
            }),
            ClientClaim::Azp,
        ),
        by(
            Case::denied("an_issuer_of_auth0_without_its_slash_is_rejected", "issuer-unknown", {
                access().claim("iss", "\"https://example.eu.auth0.com\"")
            }),
            ClientClaim::Azp,
        ),
    ]
}

/// A custom authorization server, with `cid` and an array `scp`.
fn okta() -> Vec<Case> {
    const ISSUER: &str = "https://example.okta.com/oauth2/default";
    let access = || {
        token(ISSUER)
            .claim("ver", 1)
            .claim("aud", "\"api://default\"")
            .claim("cid", "\"0oa1\"")
            .claim("uid", "\"00u1\"")
            .claim("sub", "\"ada@example.com\"")
            .claim("scp", "[\"openid\",\"orders.read\"]")
            .claim("auth_time", NOW - 60)
            .claim("groups", "[\"Everyone\",\"admins\"]")
    };
    let custom = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            resources(pool, &["api://default"]);
            clients(pool, ClientClaim::Cid, &["0oa1"]);
            pool.scopes = Membership::any_of(names(&["orders.read"]));
            pool.claims = vec![any_of("groups", &["admins"])];
        })
    };
    vec![
        custom(Case::allowed("an_access_token_of_okta_is_accepted", access())),
        custom(Case::denied("an_access_token_of_okta_without_the_scope_is_rejected", "scope-missing", {
            access().claim("scp", "[\"openid\"]")
        })),
        custom(Case::denied("an_access_token_of_another_client_of_okta_is_rejected", "client-mismatch", {
            access().claim("cid", "\"0oa2\"")
        })),
        custom(Case::denied("an_access_token_of_okta_bound_by_dpop_is_rejected", "sender-constrained", {
            access().claim("cnf", "{\"jkt\":\"x\"}")
        })),
        custom(Case::denied("an_access_token_of_the_org_server_of_okta_is_rejected", "issuer-unknown", {
            access().claim("iss", "\"https://example.okta.com\"")
        })),
        custom(Case::denied("without_the_group_a_token_of_okta_is_rejected", "claim-mismatch", {
            access().claim("groups", "[\"Everyone\"]")
        })),
    ]
}

/// One tenant, with the issuers of both versions. The keys have no `alg`. For several tenants, see `tenants`.
fn entra() -> Vec<Case> {
    const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const API: &str = "11112222-bbbb-3333-cccc-4444dddd5555";
    let second = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let first = format!("https://sts.windows.net/{TENANT}/");
    let access = |issuer: &str| {
        token(issuer)
            .header("typ", "\"JWT\"")
            .header("x5t", "\"aaa\"")
            .claim("aud", format!("\"{API}\""))
            .claim("tid", format!("\"{TENANT}\""))
            .claim("nbf", NOW - 60)
            .claim("scp", "\"Orders.Read\"")
            .claim("roles", "[\"Admin\"]")
    };
    let key = || {
        let mut jwk = RSA_2048.jwk(KEY_ID);
        jwk["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0".into();
        jwk["x5c"] = json!(["MIIB"]);
        jwk
    };
    let v2 = |case: Case| {
        case.of_issuer(&second, |pool| {
            resources(pool, &[API]);
            clients(pool, ClientClaim::Azp, &["web"]);
            pool.scopes = Membership::any_of(names(&["Orders.Read"]));
        })
        .with_keys(&[key()])
    };
    let v1 = |case: Case| {
        case.of_issuer(&first, |pool| {
            resources(pool, &[API, "api://orders"]);
            clients(pool, ClientClaim::Appid, &["web"]);
        })
        .with_keys(&[key()])
    };
    let groups = |case: Case| {
        v2(case).with_pool(|pool| pool.claims = vec![rule("groups", &[], ClaimTest::NoneOf(texts(&["contractors"])))])
    };
    let v2_token = || access(&second).claim("ver", "\"2.0\"").claim("azp", "\"web\"");
    let v1_token = || access(&first).claim("ver", "\"1.0\"").claim("appid", "\"web\"");
    vec![
        v2(Case::allowed("a_token_of_entra_v2_is_accepted", v2_token())),
        v2(Case::denied("a_token_of_entra_v1_is_no_token_of_v2", "issuer-unknown", v1_token())),
        v2(Case::denied("a_token_of_an_application_of_entra_has_no_scopes", "scope-missing", {
            v2_token().without_claim("scp")
        })),
        v2(Case::denied("a_token_of_entra_for_microsoft_graph_is_rejected", "resource-mismatch", {
            v2_token().claim("aud", "\"00000003-0000-0000-c000-000000000000\"")
        })),
        v1(Case::allowed("a_token_of_entra_v1_is_accepted", v1_token())),
        v1(Case::allowed("a_token_of_entra_v1_may_name_the_api_by_its_uri", {
            v1_token().claim("aud", "\"api://orders\"")
        })),
        v1(Case::denied("an_azp_does_not_stand_for_the_appid_of_entra_v1", "client-missing", {
            v1_token().without_claim("appid").claim("azp", "\"web\"")
        })),
        groups(Case::allowed("a_token_of_entra_in_other_groups_is_accepted", {
            v2_token().claim("groups", "[\"staff\"]")
        })),
        groups(Case::denied(
            "a_token_of_entra_with_too_many_groups_does_not_pass_a_rule_against_one",
            "claim-mismatch",
            v2_token().claim("_claim_names", "{\"groups\":\"src1\"}"),
        )),
    ]
}

/// Two spellings of one issuer.
fn google() -> Vec<Case> {
    let issuers = |case: Case| {
        case.of_issuer("https://accounts.google.com", |pool| {
            pool.issuer = IssuerRule::OneOf(names(&["https://accounts.google.com", "accounts.google.com"]));
            pool.client = ClientRule::OneOf(names(&["1.apps.googleusercontent.com"]));
            pool.claims = vec![any_of("hd", &["example.com"])];
        })
    };
    let id = |issuer: &str| {
        token(issuer)
            .claim("aud", "\"1.apps.googleusercontent.com\"")
            .claim("azp", "\"1.apps.googleusercontent.com\"")
            .claim("hd", "\"example.com\"")
            .claim("email_verified", true)
    };
    vec![
        issuers(Case::allowed("an_id_token_of_google_is_accepted", id("https://accounts.google.com"))),
        issuers(Case::allowed("an_id_token_of_google_without_https_is_accepted", id("accounts.google.com"))),
        issuers(Case::allowed("keys_loaded_for_the_second_of_several_issuers_are_used", {
            id("https://accounts.google.com")
        }))
        .with_keys_for("accounts.google.com"),
        issuers(Case::denied("a_third_spelling_of_google_is_rejected", "issuer-unknown", {
            id("http://accounts.google.com")
        })),
        issuers(Case::denied("a_spelling_of_google_with_a_slash_is_rejected", "issuer-unknown", {
            id("https://accounts.google.com/")
        })),
        issuers(Case::denied("an_id_token_of_google_for_another_client_is_rejected", "audience-mismatch", {
            id("accounts.google.com").claim("aud", "\"2.apps.googleusercontent.com\"")
        })),
        issuers(Case::denied("an_id_token_of_google_of_another_domain_is_rejected", "claim-mismatch", {
            id("accounts.google.com").claim("hd", "\"example.com.evil.example\"")
        })),
        issuers(Case::denied("an_id_token_of_a_private_google_account_is_rejected", "claim-mismatch", {
            id("accounts.google.com").without_claim("hd")
        })),
    ]
}

/// Its keys have had a leading zero and padding.
fn firebase() -> Vec<Case> {
    const ISSUER: &str = "https://securetoken.google.com/example-1";
    let id = || {
        token(ISSUER)
            .header("typ", "\"JWT\"")
            .claim("aud", "\"example-1\"")
            .claim("user_id", "\"u\"")
            .claim("firebase", r#"{"identities":{"email":["a@b"]},"sign_in_provider":"password"}"#)
    };
    let project = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            pool.client = ClientRule::OneOf(names(&["example-1"]));
            pool.claims = vec![rule("firebase", &["sign_in_provider"], ClaimTest::NoneOf(texts(&["anonymous"])))];
        })
    };
    vec![
        project(Case::allowed("an_id_token_of_firebase_is_accepted", id())),
        project(Case::denied("an_id_token_of_another_project_of_firebase_is_rejected", "audience-mismatch", {
            id().claim("aud", "\"example-2\"")
        })),
        project(Case::denied("a_session_cookie_of_firebase_is_no_id_token", "issuer-unknown", {
            id().claim("iss", "\"https://session.firebase.google.com/example-1\"")
        })),
        project(Case::denied("an_anonymous_user_of_firebase_is_rejected", "claim-mismatch", {
            id().claim("firebase", "{\"sign_in_provider\":\"anonymous\"}")
        })),
        project(Case::denied("an_id_token_of_firebase_with_an_empty_sub_is_rejected", "subject-missing", {
            id().claim("sub", "\"\"")
        })),
    ]
}

/// The kind of token is in the claim `typ`, the roles are nested, and a key for encryption is beside the key for signatures.
fn keycloak() -> Vec<Case> {
    const ISSUER: &str = "https://id.example.com/realms/shop";
    let access = || {
        token(ISSUER)
            .header("typ", "\"JWT\"")
            .claim("typ", "\"Bearer\"")
            .claim("aud", "[\"orders\",\"account\"]")
            .claim("azp", "\"web\"")
            .claim("scope", "\"profile email\"")
            .claim("realm_access", r#"{"roles":["offline_access","admin"]}"#)
            .claim("resource_access", r#"{"orders":{"roles":["reader"]},"account":{"roles":["view-profile"]}}"#)
    };
    let realm = |case: Case| {
        let mut encryption = OTHER_RSA_2048.jwk("other");
        encryption["use"] = "enc".into();
        encryption["alg"] = "RSA-OAEP".into();
        case.of_issuer(ISSUER, |pool| {
            resources(pool, &["orders"]);
            clients(pool, ClientClaim::Azp, &["web"]);
            pool.claims = vec![
                any_of("typ", &["Bearer"]),
                rule("realm_access", &["roles"], ClaimTest::AnyOf(texts(&["admin"]))),
                rule("resource_access", &["orders", "roles"], ClaimTest::AllOf(texts(&["reader"]))),
            ];
        })
        .with_keys(&[encryption, RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
    };
    vec![
        realm(Case::allowed("an_access_token_of_keycloak_is_accepted", access())),
        realm(Case::denied("an_id_token_of_keycloak_is_no_access_token", "claim-mismatch", {
            access().claim("typ", "\"ID\"")
        })),
        realm(Case::denied("a_refresh_token_of_keycloak_is_no_access_token", "claim-mismatch", {
            access().claim("typ", "\"Refresh\"")
        })),
        realm(Case::denied("a_token_of_keycloak_for_the_account_alone_is_rejected", "resource-mismatch", {
            access().claim("aud", "\"account\"")
        })),
        realm(Case::denied("a_token_of_keycloak_without_the_role_is_rejected", "claim-mismatch", {
            access().claim("realm_access", "{\"roles\":[\"offline_access\"]}")
        })),
        realm(Case::denied("a_role_of_keycloak_for_another_client_does_not_count", "claim-mismatch", {
            access().claim("resource_access", "{\"account\":{\"roles\":[\"reader\"]}}")
        })),
        realm(Case::denied("a_token_of_another_realm_of_keycloak_is_rejected", "issuer-unknown", {
            access().claim("iss", "\"https://id.example.com/realms/master\"")
        })),
        realm(Case::denied(
            "a_token_of_keycloak_without_sub_is_rejected",
            "subject-missing",
            access().without_claim("sub"),
        )),
        realm(Case::allowed("a_token_of_keycloak_without_sub_is_accepted_if_sub_is_unchecked", {
            access().without_claim("sub")
        }))
        .with_pool(|pool| pool.subject = SubjectRule::Unchecked),
    ]
}

fn github() -> Vec<Case> {
    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    let job = |subject: &str| {
        token(ISSUER)
            .header("typ", "\"JWT\"")
            .header("x5t", "\"x\"")
            .claim("aud", "\"https://github.com/octo-org\"")
            .claim("sub", format!("\"{subject}\""))
            .claim("nbf", NOW - 360)
            .claim("environment", "\"production\"")
            .claim("ref_protected", "\"true\"")
    };
    let of_org = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            resources(pool, &["https://github.com/octo-org"]);
            pool.claims = vec![
                rule("sub", &[], ClaimTest::Prefix(names(&["repo:octo-org@123456/"]))),
                any_of("ref_protected", &["true"]),
            ];
        })
    };
    vec![
        of_org(Case::allowed(
            "a_job_of_github_actions_is_accepted",
            job("repo:octo-org@123456/app@7:ref:refs/heads/main"),
        )),
        of_org(Case::denied("a_job_of_an_organization_with_a_longer_name_is_rejected", "claim-mismatch", {
            job("repo:octo-org@1234567/app@7:ref:refs/heads/main")
        })),
        of_org(Case::denied("a_job_whose_branch_is_not_protected_is_rejected", "claim-mismatch", {
            job("repo:octo-org@123456/app@7:pull_request").claim("ref_protected", "\"false\"")
        })),
        of_org(Case::denied("a_job_of_github_actions_for_another_audience_is_rejected", "resource-mismatch", {
            job("repo:octo-org@123456/app@7:ref:refs/heads/main").claim("aud", "\"sts.amazonaws.com\"")
        })),
    ]
}

fn gitlab() -> Vec<Case> {
    const ISSUER: &str = "https://gitlab.com";
    let job = || {
        token(ISSUER)
            .claim("aud", "\"https://orders.example.com\"")
            .claim("sub", "\"project_path:shop/app:ref_type:branch:ref:main\"")
            .claim("nbf", NOW - 65)
            .claim("ref_protected", "\"true\"")
            .claim("runner_id", 1)
            .claim(
                "user_identities",
                r#"[{"provider":"github","extern_uid":"2"},{"provider":"saml","extern_uid":"3"}]"#,
            )
    };
    let of_runner = |case: Case| {
        let mut provider = any_of("user_identities", &["saml"]);
        provider.selector = ClaimSelector::Each(names(&["provider"]));
        case.of_issuer(ISSUER, |pool| {
            resources(pool, &["https://orders.example.com"]);
            pool.claims = vec![provider, rule("runner_id", &[], ClaimTest::AnyOf(vec![ClaimValue::Number(1.0)]))];
        })
    };
    vec![
        of_runner(Case::allowed("a_job_of_gitlab_is_accepted", job())),
        of_runner(Case::denied(
            "a_job_of_gitlab_on_another_runner_is_rejected",
            "claim-mismatch",
            job().claim("runner_id", 2),
        )),
        of_runner(Case::denied("a_job_of_gitlab_whose_runner_is_a_text_is_rejected", "claim-mismatch", {
            job().claim("runner_id", "\"1\"")
        })),
        of_runner(Case::denied("a_job_of_gitlab_of_a_user_without_saml_is_rejected", "claim-mismatch", {
            job().claim("user_identities", "[{\"provider\":\"github\"}]")
        })),
    ]
}

/// A service account. The name of its claim contains a dot.
fn kubernetes() -> Vec<Case> {
    const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
    let pod = || {
        Draft::of_issuer(&P256, ISSUER)
            .signed_with(&P256, Algorithm::Es256)
            .claim("aud", "[\"orders\"]")
            .claim("sub", "\"system:serviceaccount:prod:web\"")
            .claim("nbf", NOW - 60)
            .claim("exp", NOW + 365 * 86_400)
            .claim("kubernetes.io", {
                r#"{"namespace":"prod","serviceaccount":{"name":"web","uid":"u"},"pod":{"name":"web-1","uid":"v"}}"#
            })
    };
    let cluster = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            pool.algorithms = vec![Algorithm::Rs256, Algorithm::Es256];
            resources(pool, &["orders"]);
            pool.claims = vec![
                rule("kubernetes.io", &["namespace"], ClaimTest::AnyOf(texts(&["prod"]))),
                rule("kubernetes.io", &["serviceaccount", "name"], ClaimTest::AnyOf(texts(&["web"]))),
            ];
        })
        .with_keys(&[P256.jwk_for(Algorithm::Es256, KEY_ID)])
    };
    vec![
        cluster(Case::allowed("a_service_account_is_accepted", pod())),
        cluster(Case::denied("a_service_account_of_another_namespace_is_rejected", "claim-mismatch", {
            pod().claim("kubernetes.io", r#"{"namespace":"test","serviceaccount":{"name":"web"}}"#)
        })),
        cluster(Case::denied("a_service_account_for_the_api_server_is_rejected", "resource-mismatch", {
            pod().claim("aud", format!("[\"{ISSUER}\"]"))
        })),
        cluster(Case::denied("a_service_account_without_its_claim_is_rejected", "claim-mismatch", {
            pod().without_claim("kubernetes.io")
        })),
    ]
}

fn apple() -> Vec<Case> {
    const ISSUER: &str = "https://appleid.apple.com";
    let id = || token(ISSUER).claim("aud", "\"com.example.app\"").claim("nonce_supported", true);
    let app = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            pool.client = ClientRule::OneOf(names(&["com.example.app"]));
            let verified = vec![ClaimValue::Boolean(true), ClaimValue::Text("true".into())];
            pool.claims = vec![rule("email_verified", &[], ClaimTest::AnyOf(verified))];
        })
    };
    vec![
        app(Case::allowed("an_id_token_of_apple_with_a_boolean_is_accepted", id().claim("email_verified", true))),
        app(Case::allowed("an_id_token_of_apple_with_a_text_is_accepted", id().claim("email_verified", "\"true\""))),
        app(Case::denied("an_id_token_of_apple_without_a_verified_address_is_rejected", "claim-mismatch", {
            id().claim("email_verified", "\"false\"")
        })),
        app(Case::denied("an_id_token_of_apple_for_another_app_is_rejected", "audience-mismatch", {
            id().claim("email_verified", true).claim("aud", "\"com.example.app.evil\"")
        })),
    ]
}

/// Its keys have `key_ops`, and every user has the same `aud`.
fn supabase() -> Vec<Case> {
    const ISSUER: &str = "https://example.supabase.co/auth/v1";
    let user = || {
        Draft::of_issuer(&P256, ISSUER)
            .signed_with(&P256, Algorithm::Es256)
            .header("typ", "\"JWT\"")
            .claim("aud", "\"authenticated\"")
            .claim("role", "\"authenticated\"")
            .claim("phone", "\"\"")
            .claim("amr", r#"[{"method":"password","timestamp":1}]"#)
            .claim("app_metadata", r#"{"provider":"email","plan":"pro"}"#)
            .claim("user_metadata", r#"{"plan":"enterprise"}"#)
            .claim("is_anonymous", false)
    };
    let project = |case: Case| {
        let mut key = P256.jwk_for(Algorithm::Es256, KEY_ID);
        key["key_ops"] = json!(["verify"]);
        key["ext"] = json!(true);
        case.of_issuer(ISSUER, |pool| {
            pool.algorithms = vec![Algorithm::Es256];
            pool.client = ClientRule::OneOf(names(&["authenticated"]));
            pool.claims = vec![
                rule("is_anonymous", &[], ClaimTest::AnyOf(vec![ClaimValue::Boolean(false)])),
                rule("app_metadata", &["plan"], ClaimTest::AnyOf(texts(&["pro", "enterprise"]))),
            ];
        })
        .with_keys(&[key])
    };
    vec![
        project(Case::allowed("a_user_of_supabase_is_accepted", user())),
        project(Case::denied(
            "an_anonymous_user_of_supabase_is_rejected",
            "claim-mismatch",
            user().claim("is_anonymous", true),
        )),
        project(Case::denied("what_a_user_of_supabase_writes_does_not_count", "claim-mismatch", {
            user().claim("app_metadata", r#"{"provider":"email","plan":"free"}"#)
        })),
        project(Case::denied("an_api_key_of_supabase_is_rejected", "algorithm-symmetric", {
            user().header("alg", "\"HS256\"").without_claim("sub").without_claim("aud")
        })),
    ]
}

/// There is no `aud`, and permissions are a text with commas. `sts` must not be `pending`.
fn clerk() -> Vec<Case> {
    const ISSUER: &str = "https://clerk.example.com";
    let session = || {
        token(ISSUER)
            .header("typ", "\"JWT\"")
            .header("cat", "\"cl_B7d4PD111AAA\"")
            .header("oiat", NOW - 60)
            .claim("azp", "\"https://www.example.com\"")
            .claim("nbf", NOW - 70)
            .claim("exp", NOW + 50)
            .claim("v", 2)
            .claim("o", r#"{"id":"org_1","rol":"admin","per":"read,manage"}"#)
    };
    let instance = |case: Case| {
        let mut permissions = rule("o", &["per"], ClaimTest::AnyOf(texts(&["manage"])));
        permissions.selector = ClaimSelector::Split(',');
        let mut active = rule("sts", &[], ClaimTest::NoneOf(texts(&["pending"])));
        active.fits_if_absent = true;
        case.of_issuer(ISSUER, |pool| {
            clients(pool, ClientClaim::Azp, &["https://www.example.com"]);
            pool.claims = vec![permissions, active];
        })
    };
    vec![
        instance(Case::allowed("a_session_of_clerk_is_accepted", session())),
        instance(Case::allowed("an_active_session_of_clerk_is_accepted", session().claim("sts", "\"active\""))),
        instance(Case::denied(
            "a_pending_session_of_clerk_is_rejected",
            "claim-mismatch",
            session().claim("sts", "\"pending\""),
        )),
        instance(Case::denied("a_session_of_clerk_without_the_permission_is_rejected", "claim-mismatch", {
            session().claim("o", r#"{"id":"org_1","rol":"admin","per":"read,managed"}"#)
        })),
        instance(Case::denied("a_session_of_clerk_of_another_origin_is_rejected", "client-mismatch", {
            session().claim("azp", "\"https://evil.example.com\"")
        })),
    ]
}

/// Three spellings of the issuer, and no `aud`.
fn workos() -> Vec<Case> {
    const ISSUERS: [&str; 3] =
        ["https://api.workos.com", "https://api.workos.com/", "https://api.workos.com/user_management/client_1"];
    let session = |issuer: &str| {
        token(issuer).claim("sid", "\"session_1\"").claim("role", "\"admin\"").claim("permissions", "[\"orders:read\"]")
    };
    let environment = |case: Case| {
        case.of_issuer(ISSUERS[0], |pool| {
            pool.issuer = IssuerRule::OneOf(names(&ISSUERS));
            pool.claims = vec![any_of("permissions", &["orders:read"])];
        })
    };
    vec![
        environment(Case::allowed("a_session_of_workos_is_accepted", session(ISSUERS[0]))),
        environment(Case::allowed("a_session_of_workos_with_a_slash_is_accepted", session(ISSUERS[1]))),
        environment(Case::allowed("a_session_of_workos_with_a_client_is_accepted", session(ISSUERS[2]))),
        environment(Case::denied("a_session_of_another_client_of_workos_is_rejected", "issuer-unknown", {
            session("https://api.workos.com/user_management/client_2")
        })),
    ]
}

fn ory() -> Vec<Case> {
    const ISSUER: &str = "https://example.projects.oryapis.com";
    let access = || {
        token(ISSUER)
            .claim("aud", "[]")
            .claim("client_id", "\"web\"")
            .claim("scp", "[\"orders.read\",\"offline\"]")
            .claim("ext", r#"{"team":"a"}"#)
    };
    let project = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            clients(pool, ClientClaim::ClientId, &["web"]);
            pool.resource = ResourceRule::Unchecked;
            pool.scopes = Membership::all_of(names(&["orders.read"]));
            pool.claims = vec![rule("ext", &["team"], ClaimTest::AnyOf(texts(&["a"])))];
        })
    };
    vec![
        project(Case::allowed("an_access_token_of_ory_is_accepted", access())),
        project(Case::denied(
            "an_access_token_of_ory_for_nobody_is_rejected_unless_any_resource_is",
            "resource-mismatch",
            access(),
        ))
        .with_pool(|pool| pool.resource = ResourceRule::Unbound),
        project(Case::denied("an_access_token_of_another_client_of_ory_is_rejected", "client-mismatch", {
            access().claim("client_id", "\"other\"")
        })),
    ]
}

fn authentik() -> Vec<Case> {
    const ISSUER: &str = "https://id.example.com/application/o/shop/";
    let access = || token(ISSUER).claim("aud", "\"shop\"").claim("groups", "[\"staff\"]").claim("acr", "\"x\"");
    let application = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            pool.client = ClientRule::OneOf(names(&["shop"]));
            pool.claims = vec![any_of("groups", &["staff"])];
        })
    };
    vec![
        application(Case::allowed("a_token_of_authentik_is_accepted", access())),
        application(Case::denied("a_token_of_another_application_of_authentik_is_rejected", "issuer-unknown", {
            access().claim("iss", "\"https://id.example.com/application/o/other/\"")
        })),
        application(Case::denied("a_token_of_authentik_without_a_signing_key_is_rejected", "algorithm-symmetric", {
            access().header("alg", "\"HS256\"")
        })),
        application(Case::denied("an_encrypted_token_of_authentik_is_rejected", "token-encrypted", {
            format!("{}.a.b", access().compact())
        })),
    ]
}

/// `aud` names every client of the project, so the client is in `azp`. Roles are the members of an object.
fn zitadel() -> Vec<Case> {
    const ISSUER: &str = "https://example.zitadel.cloud";
    let access = |azp: &str| {
        token(ISSUER)
            .claim("aud", "[\"web\",\"mobile\",\"project-1\"]")
            .claim("azp", format!("\"{azp}\""))
            .claim("nbf", NOW - 60)
            .claim("urn:zitadel:iam:org:project:roles", r#"{"admin":{"org-1":"example.com"}}"#)
    };
    let project = |case: Case| {
        let mut roles = any_of("urn:zitadel:iam:org:project:roles", &["admin"]);
        roles.selector = ClaimSelector::Keys;
        case.of_issuer(ISSUER, |pool| {
            clients(pool, ClientClaim::Azp, &["web"]);
            pool.claims = vec![roles];
        })
    };
    vec![
        project(Case::allowed("a_token_of_zitadel_is_accepted", access("web"))),
        project(Case::denied(
            "a_token_of_another_client_of_the_project_is_rejected",
            "client-mismatch",
            access("mobile"),
        )),
        project(Case::denied("a_token_of_zitadel_without_azp_is_rejected", "client-missing", {
            access("web").without_claim("azp")
        })),
        project(Case::denied("a_token_of_another_project_of_zitadel_is_rejected", "resource-mismatch", {
            access("web").claim("aud", "[\"other\",\"project-2\"]")
        })),
        project(Case::denied("a_token_of_zitadel_without_the_role_is_rejected", "claim-mismatch", {
            access("web").claim("urn:zitadel:iam:org:project:roles", r#"{"user":{"org-1":"admin"}}"#)
        })),
        project(Case::allowed("a_token_of_zitadel_for_the_project_is_accepted_of_every_client", access("mobile")))
            .with_pool(|pool| {
                pool.client = ClientRule::Unchecked;
                pool.client_claim = None;
                resources(pool, &["project-1"]);
            }),
    ]
}

/// The outbound federation of AWS STS. One of its keys has no `alg`.
fn sts() -> Vec<Case> {
    const ISSUER: &str = "https://11111111-2222-4333-8444-555555555555.tokens.sts.global.api.aws";
    const ROLE: &str = "arn:aws:iam::123456789012:role/orders";
    let role = |key, algorithm, kid: &str| {
        Draft::of_issuer(key, ISSUER)
            .signed_with(key, algorithm)
            .header("kid", format!("\"{kid}\""))
            .header("typ", "\"JWT\"")
            .claim("aud", "\"https://orders.example.com\"")
            .claim("sub", format!("\"{ROLE}\""))
            .claim("exp", NOW + 240)
            .claim("https://sts.amazonaws.com/", {
                r#"{"aws_account":"123456789012","org_id":"o-1","principal_tags":{"team":"a"}}"#
            })
    };
    let by_rsa = || role(&RSA_2048, Algorithm::Rs256, "RSA_0");
    let account = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            pool.algorithms = vec![Algorithm::Rs256, Algorithm::Es384];
            resources(pool, &["https://orders.example.com"]);
            pool.claims = vec![
                any_of("sub", &[ROLE]),
                rule("https://sts.amazonaws.com/", &["principal_tags", "team"], ClaimTest::AnyOf(texts(&["a"]))),
            ];
        })
        .with_keys(&[RSA_2048.jwk("RSA_0"), P384.jwk_for(Algorithm::Es384, "EC384_0")])
    };
    vec![
        account(Case::allowed("a_role_is_accepted_with_rs256", by_rsa())),
        account(Case::allowed("a_role_is_accepted_with_es384", role(&P384, Algorithm::Es384, "EC384_0"))),
        account(Case::denied(
            "another_role_is_rejected",
            "claim-mismatch",
            by_rsa().claim("sub", format!("\"{ROLE}2\"")),
        )),
        account(Case::denied("a_role_of_another_account_is_rejected", "issuer-unknown", {
            by_rsa().claim("iss", "\"https://99999999-2222-4333-8444-555555555555.tokens.sts.global.api.aws\"")
        })),
    ]
}

/// RFC 7519 section 4.1.1: `iss` is compared byte by byte.
fn exact_issuers() -> Vec<Case> {
    const ISSUER: &str = "https://id.example.com/";
    let exactly = |name, issuer: &str| {
        Case::denied(name, "issuer-unknown", token(issuer)).of_issuer(ISSUER, |_| ()).with_keys_for(ISSUER)
    };
    vec![
        Case::allowed("an_issuer_with_a_final_slash_is_accepted_if_it_is_configured", token(ISSUER))
            .of_issuer(ISSUER, |_| ()),
        exactly("a_configured_final_slash_is_required", "https://id.example.com"),
        exactly("two_final_slashes_are_rejected", "https://id.example.com//"),
        exactly("a_host_in_capitals_is_rejected", "https://ID.example.com/"),
        exactly("a_port_that_is_the_default_is_rejected", "https://id.example.com:443/"),
        exactly("an_issuer_with_an_escape_for_a_percent_sign_is_rejected", "https://id.example.com/%2e"),
        exactly("an_issuer_with_a_query_is_rejected", "https://id.example.com/?"),
        exactly("an_issuer_with_a_space_is_rejected", "https://id.example.com/ "),
    ]
}
