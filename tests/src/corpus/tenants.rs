//! Issuers that depend on the tenant, as those of Microsoft Entra ID (Microsoft identity platform, "Access tokens", "Validate the issuer"): `iss`
//! contains `tid`, and the key names the issuer for which it signs.

use super::{Case, Seed, names, pool};
use crate::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{Draft, KEY_ID, NOW},
};
use poolgate_core::{ClientClaim, ClientRule, IssuerRule, IssuerTemplate, Pool, ResourceRule, TokenUseRule};
use serde_json::{Value, json};

const TEMPLATE: &str = "https://login.microsoftonline.com/{tid}/v2.0";
/// As the keys spell it.
const KEY_ISSUER: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const OLDER_TEMPLATE: &str = "https://sts.windows.net/{tid}/";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const OTHER_TENANT: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
/// The tenant of personal Microsoft accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const API: &str = "11112222-bbbb-3333-cccc-4444dddd5555";

pub(super) fn cases() -> Vec<Case> {
    [tokens(), keys(), beside_others()].into_iter().flatten().collect()
}

fn issuer_of(tenant: &str) -> String {
    TEMPLATE.replace("{tid}", tenant)
}

/// A token of the second version, for an API. `iss` and `tid` are JSON texts.
fn token(issuer: &str, tid: &str) -> Draft {
    Draft::of_issuer(&RSA_2048, issuer)
        .header("typ", "\"JWT\"")
        .claim("tid", tid)
        .claim("aud", format!("\"{API}\""))
        .claim("azp", "\"00001111-aaaa-2222-bbbb-3333cccc4444\"")
        .claim("nbf", NOW - 60)
        .claim("scp", "\"Orders.Read\"")
        .claim("ver", "\"2.0\"")
}

fn of_tenant(tenant: &str) -> Draft {
    token(&issuer_of(tenant), &format!("\"{tenant}\""))
}

fn key(issuer: impl Into<Value>) -> Value {
    let mut jwk = RSA_2048.jwk(KEY_ID);
    jwk["issuer"] = issuer.into();
    jwk
}

fn rules(tenants: Option<&[&str]>) -> Pool {
    Pool {
        issuer: IssuerRule::Tenants(IssuerTemplate { template: TEMPLATE.into(), tenants: tenants.map(names) }),
        token_use: TokenUseRule::Unchecked,
        client: ClientRule::Unchecked,
        resource: ResourceRule::OneOf(names(&[API])),
        ..pool()
    }
}

/// Accepts these tenants, with a key for all of them.
fn accepting(case: Case, tenants: Option<&[&str]>) -> Case {
    case.with_pool(|pool| *pool = rules(tenants)).with_keys_for(TEMPLATE).with_keys(&[key(KEY_ISSUER)])
}

fn unknown(name: &'static str, issuer: &str, tid: impl AsRef<str>) -> Case {
    accepting(Case::denied(name, "issuer-unknown", token(issuer, tid.as_ref())), None)
}

fn tokens() -> Vec<Case> {
    let one: Option<&[&str]> = Some(&[TENANT]);
    let quoted = format!("\"{TENANT}\"");
    let own = issuer_of(TENANT);
    vec![
        accepting(Case::allowed("a_listed_tenant_is_accepted", of_tenant(TENANT)), one),
        accepting(Case::allowed("one_of_several_tenants_is_accepted", of_tenant(OTHER_TENANT)), {
            Some(&[TENANT, OTHER_TENANT])
        }),
        accepting(Case::allowed("every_tenant_is_accepted_if_none_is_listed", of_tenant(OTHER_TENANT)), None),
        accepting(
            Case::denied("a_tenant_that_is_not_listed_is_rejected", "issuer-unknown", of_tenant(OTHER_TENANT)),
            one,
        ),
        accepting(
            Case::denied("a_tenant_can_not_claim_the_tid_of_another", "issuer-unknown", {
                token(&issuer_of(OTHER_TENANT), &quoted)
            }),
            one,
        ),
        accepting(
            Case::denied("a_tenant_can_not_claim_the_iss_of_another", "issuer-unknown", {
                token(&own, &format!("\"{OTHER_TENANT}\""))
            }),
            one,
        ),
        unknown("two_different_tenants_are_rejected_even_if_all_are_accepted", &own, format!("\"{OTHER_TENANT}\"")),
        unknown("a_tid_that_is_null_is_rejected", &own, "null"),
        unknown("a_tid_that_is_an_array_is_rejected", &own, format!("[{quoted}]")),
        unknown("a_tid_that_is_empty_is_rejected", "https://login.microsoftonline.com//v2.0", "\"\""),
        accepting(
            Case::denied("a_token_without_tid_is_rejected", "issuer-unknown", of_tenant(TENANT).without_claim("tid")),
            None,
        ),
        accepting(
            Case::denied("a_token_of_a_tenant_without_iss_is_rejected", "issuer-missing", {
                of_tenant(TENANT).without_claim("iss")
            }),
            None,
        ),
        unknown("the_template_is_no_issuer", TEMPLATE, "\"{tid}\""),
        unknown("the_template_of_the_keys_is_no_issuer", KEY_ISSUER, "\"{tenantid}\""),
        unknown("a_tenant_that_is_a_name_is_rejected", &issuer_of("common"), "\"common\""),
        unknown("a_tenant_that_is_a_domain_is_rejected", &issuer_of("contoso.com"), "\"contoso.com\""),
        unknown(
            "a_tenant_in_capitals_is_rejected",
            &issuer_of(&TENANT.to_uppercase()),
            format!("\"{}\"", TENANT.to_uppercase()),
        ),
        unknown("a_tenant_in_braces_is_rejected", &issuer_of(&format!("{{{TENANT}}}")), format!("\"{{{TENANT}}}\"")),
        unknown(
            "a_tenant_without_hyphens_is_rejected",
            &issuer_of(&TENANT.replace('-', "")),
            format!("\"{}\"", TENANT.replace('-', "")),
        ),
        unknown(
            "a_tenant_with_a_path_is_rejected",
            &issuer_of(&format!("{TENANT}/{TENANT}")),
            format!("\"{TENANT}/{TENANT}\""),
        ),
        unknown("an_issuer_of_a_tenant_with_a_final_slash_is_rejected", &format!("{own}/"), &quoted),
        unknown("an_issuer_of_a_tenant_on_another_host_is_rejected", &own.replace("login", "evil.login"), &quoted),
        unknown("an_issuer_of_a_tenant_over_plain_http_is_rejected", &own.replace("https", "http"), &quoted),
        unknown("an_issuer_of_the_older_version_is_rejected", &OLDER_TEMPLATE.replace("{tid}", TENANT), &quoted),
        accepting(
            Case::denied("a_token_of_a_tenant_for_another_api_is_rejected", "resource-mismatch", {
                of_tenant(TENANT).claim("aud", "\"00000003-0000-0000-c000-000000000000\"")
            }),
            one,
        ),
        accepting(
            Case::allowed("a_token_of_a_tenant_needs_no_kid_if_there_is_one_key", {
                of_tenant(TENANT).without_header("kid")
            }),
            one,
        ),
        accepting(
            Case::allowed("the_older_version_has_a_template_of_its_own", {
                token(&OLDER_TEMPLATE.replace("{tid}", TENANT), &quoted).without_claim("azp").claim("appid", "\"web\"")
            }),
            one,
        )
        .with_pool(|pool| {
            let tenants = Some(names(&[TENANT]));
            pool.issuer = IssuerRule::Tenants(IssuerTemplate { template: OLDER_TEMPLATE.into(), tenants });
            pool.client = ClientRule::OneOf(names(&["web"]));
            pool.client_claim = Some(ClientClaim::Appid);
        })
        .with_keys_for(OLDER_TEMPLATE)
        .with_keys(&[key("https://sts.windows.net/{tenantid}/")]),
    ]
}

fn keys() -> Vec<Case> {
    let with = |case: Case, keys: &[Value]| accepting(case, None).with_keys(keys);
    let refused = |name, issuer: Value| with(Case::denied(name, "key-refused", of_tenant(TENANT)), &[key(issuer)]);
    let of_other = |issuer: &str| {
        let mut jwk = OTHER_RSA_2048.jwk(KEY_ID);
        jwk["issuer"] = issuer.into();
        jwk
    };
    vec![
        with(Case::allowed("a_key_for_exactly_this_issuer_is_used", of_tenant(TENANT)), &[key(issuer_of(TENANT))]),
        with(
            Case::allowed("a_key_that_spells_the_template_as_configured_is_used", of_tenant(TENANT)),
            &[key(TEMPLATE)],
        ),
        refused("a_key_without_issuer_is_rejected", Value::Null),
        refused("a_key_whose_issuer_is_no_text_is_rejected", json!([KEY_ISSUER])),
        refused("a_key_whose_issuer_is_empty_is_rejected", json!("")),
        refused("a_key_of_another_tenant_is_rejected", issuer_of(OTHER_TENANT).into()),
        refused("a_key_of_the_older_version_is_rejected", json!("https://sts.windows.net/{tenantid}/")),
        refused("a_key_with_another_placeholder_is_rejected", json!("https://login.microsoftonline.com/{tenant}/v2.0")),
        refused("a_key_for_the_template_with_a_slash_is_rejected", format!("{KEY_ISSUER}/").into()),
        refused("a_key_for_personal_accounts_does_not_sign_for_a_tenant", issuer_of(CONSUMERS).into()),
        with(
            Case::allowed("a_key_for_personal_accounts_signs_for_them", of_tenant(CONSUMERS)),
            &[key(issuer_of(CONSUMERS))],
        ),
        with(
            Case::denied("a_forged_token_of_a_tenant_is_rejected", "signature-invalid", {
                of_tenant(TENANT).signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048)
            }),
            &[key(KEY_ISSUER)],
        ),
        with(
            Case::denied("two_keys_of_a_kid_are_ambiguous_whatever_their_issuers", "key-ambiguous", of_tenant(TENANT)),
            &[key(issuer_of(TENANT)), of_other(&issuer_of(OTHER_TENANT))],
        ),
        with(
            Case::denied("one_key_for_two_issuers_is_ambiguous", "key-ambiguous", of_tenant(TENANT)),
            &[key(issuer_of(TENANT)), key(issuer_of(OTHER_TENANT))],
        ),
    ]
}

/// A template beside a tenant that has an entry of its own, with other keys.
fn beside_others() -> Vec<Case> {
    let exact = |pool: Pool| Pool { issuer: IssuerRule::Exactly(issuer_of(OTHER_TENANT)), ..pool };
    let both = |case: Case| {
        let seed =
            Seed { issuer: issuer_of(OTHER_TENANT), jwks: jwks(&[OTHER_RSA_2048.jwk(KEY_ID)]), fetched_at: NOW - 600 };
        accepting(case, None).with_another_pool(exact(rules(None)), seed)
    };
    vec![
        both(Case::allowed("beside_another_issuer_a_template_is_used", of_tenant(TENANT))),
        both(Case::allowed("a_tenant_with_its_own_entry_is_accepted_with_its_keys", {
            of_tenant(OTHER_TENANT).signed_by(&OTHER_RSA_2048)
        })),
        both(Case::denied("a_tenant_with_its_own_entry_is_not_accepted_by_the_template", "signature-invalid", {
            of_tenant(OTHER_TENANT).with_signature_below(&OTHER_RSA_2048)
        })),
        both(Case::denied("the_key_of_one_tenant_does_not_sign_for_the_template", "signature-invalid", {
            of_tenant(TENANT).signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048)
        })),
    ]
}
