//! Two verifiers: one for the account flows, and another one for `/v1/verify` and `/v1/ext-authz`; and a gateway without account flows.

use super::{body, problem, text};
use crate::{
    gateway_setup::{Served, serve},
    scripted_cognito::{Reply, ScriptedCognito},
};
use poolgate::{
    ClaimRule, ClientClaim, FixedClock, Pool, Reason, TokenUseRule, Verifier,
    accounts::{Accounts, ResponseTimeFloor},
    gateway::{Gateway, VerifierError},
    revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME, RevocationMode, Revocations},
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
    server_process::free_port,
};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// Another user pool, with the same clients.
const OTHER_POOL: &str = "eu-west-1_EXAMPLE02";
const OTHER_ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE02";
/// Another app client.
const MACHINE: &str = "1example23456789exampleapi";
/// An issuer that is not Cognito.
const LOGIN: &str = "https://login.example.com/realms/shop";
const API: &str = "https://orders.example.com";
/// A timeout that is not reached even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The issuers' key sets, and a user pools API that accepts every request.
struct Scene {
    keys: FaultyServer,
    cognito: ScriptedCognito,
    http: Client,
}

impl Scene {
    async fn new() -> Self {
        let keys = FaultyServer::start(Behaviour::Status(404, String::new())).await;
        let cognito = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
        let login = jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
        keys.path_does("/cognito", Behaviour::Serve(cognito));
        keys.path_does("/login", Behaviour::Serve(login));
        let cognito = ScriptedCognito::start("http://unused.example.com", |_, _| Reply::Body(json!({}))).await;
        Self { keys, cognito, http: Client::builder().no_proxy().build().expect("an HTTP client") }
    }

    fn user_pool(&self, id: &str) -> Pool {
        Pool::user_pool(id).jwks_url(self.keys.url("/cognito")).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access)
    }

    /// The issuer that is not Cognito, with a rule for the audience.
    fn login(&self) -> Pool {
        Pool::issuer(LOGIN)
            .jwks_url(self.keys.url("/login"))
            .client_ids(["web"])
            .client_claim(ClientClaim::Azp)
            .resources([API])
            .token_use(TokenUseRule::Unchecked)
    }

    /// The account flows of the user pool [`POOL_ID`].
    async fn accounts(&self, store: Option<Arc<dyn Revocations>>) -> Accounts {
        let pool = self.user_pool(POOL_ID).token_use(TokenUseRule::AccessOrId);
        self.accounts_with(verifier([pool], store).await).await
    }

    async fn accounts_with(&self, verifier: Verifier) -> Accounts {
        Accounts::builder(verifier, POOL_ID, CLIENT_ID)
            .endpoint(&self.cognito.endpoint)
            .allow_http_loopback(true)
            .response_time_floor(ResponseTimeFloor::OFF)
            .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
            .build()
            .await
            .expect("the accounts build")
    }

    /// A gateway with the account flows of [`POOL_ID`], and a verifier of its own for `/v1/verify`.
    async fn two_verifiers(&self, pools: impl IntoIterator<Item = Pool>) -> Gateway {
        let gateway = Gateway::new(self.accounts(None).await).rate_limit(None);
        gateway.verifier(verifier(pools, None).await).expect("neither has a store")
    }

    async fn get(&self, url: String, token: &str) -> Response {
        self.http.get(url).bearer_auth(token).send().await.expect("an answer")
    }

    /// Sends a token to `/v1/verify` and `/v1/ext-authz`, and returns the status, which is the same at both.
    async fn checked(&self, gateway: &Served, token: &str) -> u16 {
        let mut statuses = Vec::new();
        for path in ["/v1/verify", "/v1/ext-authz/orders"] {
            statuses.push(self.get(format!("{}{path}", gateway.public), token).await.status().as_u16());
        }
        assert_eq!(statuses[0], statuses[1], "/v1/verify and /v1/ext-authz differ");
        statuses[0]
    }

    /// Signs out with a token, and returns the status. The user pools API is called if and only if it is 204.
    async fn signed_out(&self, gateway: &Served, token: &str) -> u16 {
        let before = self.cognito.asked("GlobalSignOut").len();
        let post = self.http.post(format!("{}/v1/sign-out", gateway.public)).bearer_auth(token);
        let status = post.send().await.expect("an answer").status().as_u16();
        assert_eq!(self.cognito.asked("GlobalSignOut").len() - before, usize::from(status == 204));
        status
    }
}

async fn verifier(pools: impl IntoIterator<Item = Pool>, store: Option<Arc<dyn Revocations>>) -> Verifier {
    let builder = Verifier::builder()
        .clock(FixedClock::at(NOW))
        .allow_http_loopback(true)
        .instances(NonZeroUsize::MIN)
        .queue_deadline(PATIENCE)
        .call_deadline(PATIENCE)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let builder = pools.into_iter().fold(builder, |builder, pool| builder.pool(pool));
    let builder = match store {
        Some(store) => builder.revocations(store, RevocationMode::FailClosed).revocation_deadline(PATIENCE),
        None => builder,
    };
    builder.build().await.expect("the verifier builds")
}

fn in_memory() -> Arc<dyn Revocations> {
    Arc::new(InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, NonZeroUsize::new(16).expect("sixteen")))
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

fn of_login() -> Draft {
    Draft::of_issuer(&OTHER_RSA_2048, LOGIN).claim("azp", "\"web\"").claim("aud", format!("\"{API}\""))
}

/// The operator's service, at an address of its own.
async fn operator(gateway: &Gateway) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, gateway.operations_router()).into_future());
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_accepts_another_issuer_and_the_account_flows_accept_only_their_user_pool() {
    let scene = Scene::new().await;
    let gateway = serve(scene.two_verifiers([scene.login()]).await).await;
    let (login, cognito) = (of_login().compact(), access().compact());
    assert_eq!(scene.checked(&gateway, &login).await, 200);
    let answer = scene.get(format!("{}/v1/verify", gateway.public), &login).await;
    assert_eq!(answer.headers()["x-poolgate-issuer"], LOGIN);
    assert_eq!(answer.headers()["x-poolgate-client-id"], "web");
    assert_eq!(scene.checked(&gateway, &cognito).await, 401, "the user pool is not configured for /v1/verify");
    assert_eq!(scene.signed_out(&gateway, &cognito).await, 204);
    assert_eq!(scene.signed_out(&gateway, &login).await, 401, "another issuer's token is no user of the pool");
    // The other issuer's key, under the name of the user pool's key, signs no token of the user pool, and the other way round.
    for forged in [access().signed_by(&OTHER_RSA_2048), of_login().signed_by(&RSA_2048)] {
        assert_eq!(scene.checked(&gateway, &forged.compact()).await, 401);
        assert_eq!(scene.signed_out(&gateway, &forged.compact()).await, 401);
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_accepts_several_pools_and_clients_and_the_account_flows_one_of_each() {
    let scene = Scene::new().await;
    let pools = [POOL_ID, OTHER_POOL].map(|id| scene.user_pool(id).client_ids([CLIENT_ID, MACHINE]));
    let gateway = serve(scene.two_verifiers(pools).await).await;
    for (issuer, client, checked, signed_out) in [
        (ISSUER, CLIENT_ID, 200, 204),
        (ISSUER, MACHINE, 200, 401),
        (OTHER_ISSUER, CLIENT_ID, 200, 401),
        (OTHER_ISSUER, MACHINE, 200, 401),
        (ISSUER, "1example23456789exampleold", 401, 401),
        (LOGIN, CLIENT_ID, 401, 401),
    ] {
        let token = access().claim("iss", format!("\"{issuer}\"")).claim("client_id", format!("\"{client}\""));
        let token = token.compact();
        assert_eq!(scene.checked(&gateway, &token).await, checked, "{issuer} {client}");
        assert_eq!(scene.signed_out(&gateway, &token).await, signed_out, "{issuer} {client}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_resources_or_claims_applies_to_verify_and_locks_no_sign_out_out() {
    let scene = Scene::new().await;
    let pool =
        scene.user_pool(POOL_ID).resources([API]).claim(ClaimRule::new("tenant").name("tenants").any_of(["acme"]));
    let gateway = scene.two_verifiers([pool]).await;
    let (operator, gateway) = (operator(&gateway).await, serve(gateway).await);
    let bound = || access().claim("aud", format!("\"{API}\""));
    for (token, checked) in [
        (bound().claim("tenant", "\"acme\""), 200),
        (bound().claim("tenant", "\"evil\""), 401),
        (bound(), 401),
        (access().claim("tenant", "\"acme\""), 401),
        (access().claim("tenant", "\"acme\"").claim("aud", format!("\"{CLIENT_ID}\"")), 401),
    ] {
        assert_eq!(scene.checked(&gateway, &token.compact()).await, checked, "{token}", token = token.signing_input());
    }
    let refused = scene.get(format!("{}/v1/verify", gateway.public), &bound().compact()).await;
    problem(refused, 401, "token-invalid").await;
    for token in [access(), access().claim("tenant", "\"evil\"")] {
        assert_eq!(
            scene.signed_out(&gateway, &token.compact()).await,
            204,
            "the rules are not those of the account flows"
        );
    }
    let metrics = scene.get(format!("{operator}/metrics"), "").await.text().await.expect("text");
    let misfits = "poolgate_claim_rule_misfits_total{verifier=\"verify\",rule=\"tenants\",claim=\"present\"} 2";
    assert!(metrics.lines().any(|line| line == misfits), "{metrics}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_seen_by_both_verifiers_and_only_one_store_is_refused() {
    let scene = Scene::new().await;
    let store = in_memory();
    let strict = |store| verifier([scene.user_pool(POOL_ID).claim(ClaimRule::new("tenant").any_of(["acme"]))], store);
    let accounts = scene.accounts(Some(Arc::clone(&store))).await;
    let gateway = Gateway::new(accounts.clone()).rate_limit(None);
    let error = gateway.clone().verifier(strict(None).await).expect_err("the sign-outs would not be seen");
    assert_eq!(error, VerifierError::OneStore);
    assert!(error.to_string().contains("the same store"), "{error}");
    let other = Gateway::new(scene.accounts(None).await).verifier(strict(Some(Arc::clone(&store))).await);
    assert_eq!(other.err(), Some(VerifierError::OneStore), "the sign-outs would not be stored");

    let gateway = serve(gateway.verifier(strict(Some(store)).await).expect("both have the store")).await;
    let anna = |jti: &str| access().claim("tenant", "\"acme\"").claim("jti", format!("\"{jti}\""));
    let berta =
        anna("b").claim("sub", "\"bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee\"").claim("origin_jti", "\"b\"").compact();
    let (first, second) = (anna("1").compact(), anna("2").compact());
    for token in [&first, &second, &berta] {
        assert_eq!(scene.checked(&gateway, token).await, 200);
    }
    assert_eq!(scene.signed_out(&gateway, &first).await, 204);
    for token in [&first, &second] {
        assert_eq!(scene.checked(&gateway, token).await, 401, "also a token in the cache of this verifier");
        assert_eq!(scene.signed_out(&gateway, token).await, 401);
    }
    assert_eq!(scene.checked(&gateway, &berta).await, 200, "another user");
    // The refresh token and the access token of a sign-in session.
    let revoke = scene.http.post(format!("{}/v1/revoke-token", gateway.public)).bearer_auth(&berta);
    let revoked = revoke.json(&json!({ "refresh_token": "an-opaque-token" })).send().await.expect("an answer");
    assert_eq!(revoked.status(), 204);
    assert_eq!(scene.checked(&gateway, &berta).await, 401);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_accounts_only_verify_is_served() {
    let scene = Scene::new().await;
    let flows = Gateway::new(scene.accounts(None).await).openapi();
    let flows = serde_json::to_value(&flows).expect("JSON");
    let flows = flows["paths"].as_object().expect("paths");
    assert_eq!(flows.len(), 18);

    let gateway = Gateway::without_accounts(verifier([scene.login()], None).await).rate_limit(None);
    let (operator, gateway) = (operator(&gateway).await, serve(gateway).await);
    assert_eq!(scene.checked(&gateway, &of_login().compact()).await, 200);
    assert_eq!(scene.checked(&gateway, &access().compact()).await, 401);
    let document: Value = body(scene.get(format!("{}/openapi.json", gateway.public), "").await).await;
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths, ["/v1/verify"]);
    assert!(!text(&document["info"], "description").contains("sign"), "{}", document["info"]);
    for (path, operations) in flows.iter().filter(|(path, _)| *path != "/v1/verify") {
        for method in operations.as_object().expect("operations").keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let request = scene.http.request(method, format!("{}{path}", gateway.public));
            let answer = request.bearer_auth(of_login().compact()).json(&json!({})).send().await.expect("an answer");
            problem(answer, 404, "invalid-request").await;
        }
    }
    for base in [&gateway.public, &operator] {
        assert_eq!(scene.get(format!("{base}/healthz"), "").await.status(), 200);
        assert_eq!(scene.get(format!("{base}/readyz"), "").await.status(), 200);
        let metrics = scene.get(format!("{base}/metrics"), "").await.text().await.expect("text");
        assert!(metrics.contains("poolgate_verdicts_total{verdict=\"allow\",reason=\"\"} 2"), "{metrics}");
        assert!(!metrics.contains("verifier="), "{metrics}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_if_both_verifiers_have_keys() {
    let scene = Scene::new().await;
    let lost = || format!("http://127.0.0.1:{}/jwks.json", free_port());
    for (accounts_have_keys, verify_has_keys) in [(true, true), (true, false), (false, true)] {
        let pool = |has_keys: bool| match has_keys {
            true => scene.user_pool(POOL_ID),
            false => scene.user_pool(POOL_ID).jwks_url(lost()),
        };
        let accounts = verifier([pool(accounts_have_keys).token_use(TokenUseRule::AccessOrId)], None).await;
        let gateway = Gateway::new(scene.accounts_with(accounts).await).rate_limit(None);
        let gateway =
            gateway.verifier(verifier([pool(verify_has_keys).resources([API])], None).await).expect("no store");
        let reports = gateway.hydrate().await.expect("the sandboxes work");
        let of_this_pool = reports.iter().filter(|report| report.issuers.iter().any(|issuer| issuer == ISSUER));
        assert_eq!(of_this_pool.count(), 2, "one of each verifier");
        let (operator, gateway) = (operator(&gateway).await, serve(gateway).await);
        let expected = if accounts_have_keys && verify_has_keys { 200 } else { 503 };
        for base in [&gateway.public, &operator] {
            let status = scene.get(format!("{base}/readyz"), "").await.status();
            assert_eq!(status, expected, "accounts: {accounts_have_keys}, verify: {verify_has_keys}");
        }
        gateway.stop().await;
    }
}

/// Parses the metrics strictly: each family and each series occurs once, and the samples of a family follow its description (OpenMetrics 1.0).
/// Returns the value of each series.
fn series(text: &str) -> BTreeMap<&str, f64> {
    let (mut families, mut series) = (HashSet::new(), BTreeMap::new());
    let mut family = "";
    let lines = text.strip_suffix("# EOF\n").expect("the end").lines();
    for line in lines {
        if let Some(described) = line.strip_prefix("# HELP ") {
            family = described.split(' ').next().expect("a name");
            assert!(families.insert(family), "{family} occurs twice");
        } else if let Some(described) = line.strip_prefix("# ") {
            assert_eq!(described.split(' ').nth(1), Some(family), "{line}");
        } else {
            assert!(line.starts_with(family), "{line} is in the family {family}");
            let (name, value) = line.rsplit_once(' ').expect("a value");
            let value = value.parse().expect("a number");
            assert_eq!(series.insert(name, value), None, "{name} occurs twice");
        }
    }
    series
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_of_both_verifiers_are_one_text_without_duplicates() {
    let scene = Scene::new().await;
    let gateway = scene.two_verifiers([scene.user_pool(POOL_ID).resources([API])]).await;
    gateway.hydrate().await.expect("the sandboxes work");
    let (operator, gateway) = (operator(&gateway).await, serve(gateway).await);
    let bound = access().claim("aud", format!("\"{API}\"")).compact();
    for _ in 0..2 {
        assert_eq!(scene.checked(&gateway, &bound).await, 200);
    }
    assert_eq!(scene.checked(&gateway, &access().compact()).await, 401);
    assert_eq!(scene.signed_out(&gateway, &access().compact()).await, 204);
    let shown = async |base: &str| scene.get(format!("{base}/metrics"), "").await.text().await.expect("text");
    let (all, public) = (shown(&operator).await, shown(&gateway.public).await);
    let all = series(&all);
    for (name, value) in [
        ("poolgate_verdicts_total{verifier=\"verify\",verdict=\"allow\",reason=\"\"}", 4.0),
        ("poolgate_verdicts_total{verifier=\"verify\",verdict=\"deny\",reason=\"resource-missing\"}", 2.0),
        ("poolgate_verdicts_total{verifier=\"accounts\",verdict=\"allow\",reason=\"\"}", 1.0),
        ("poolgate_verdicts_total{verifier=\"accounts\",verdict=\"deny\",reason=\"resource-missing\"}", 0.0),
        ("poolgate_verify_seconds_count{verifier=\"verify\"}", 6.0),
        ("poolgate_verify_seconds_count{verifier=\"accounts\"}", 1.0),
        ("poolgate_instances{verifier=\"verify\"}", 1.0),
        ("poolgate_instances{verifier=\"accounts\"}", 1.0),
        (&format!("poolgate_keys{{verifier=\"verify\",issuer=\"{ISSUER}\"}}"), 1.0),
        (&format!("poolgate_keys{{verifier=\"accounts\",issuer=\"{ISSUER}\"}}"), 1.0),
        ("poolgate_account_flows_total{verifier=\"accounts\",flow=\"sign-out\",response=\"done\",internal=\"\"}", 1.0),
    ] {
        assert_eq!(all.get(name), Some(&value), "{name}: {all:?}");
    }
    assert!(all.keys().all(|name| name.contains("verifier=")), "{all:?}");
    let public = series(&public);
    let hidden: Vec<&&str> = all.keys().filter(|name| !public.contains_key(*name)).collect();
    assert!(!hidden.is_empty() && hidden.iter().all(|name| name.starts_with("poolgate_account_flows")), "{hidden:?}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verifier_of_the_accounts_is_not_counted_twice_and_verify_still_requires_access_tokens() {
    let scene = Scene::new().await;
    let accounts = scene.accounts(None).await;
    let same = accounts.verifier().clone();
    let gateway = Gateway::new(accounts).rate_limit(None).verifier(same).expect("it is the same");
    let (operator, gateway) = (operator(&gateway).await, serve(gateway).await);
    assert_eq!(scene.checked(&gateway, &access().compact()).await, 200);
    assert_eq!(scene.checked(&gateway, &Draft::id(&RSA_2048).compact()).await, 401);
    let metrics = scene.get(format!("{operator}/metrics"), "").await.text().await.expect("text");
    let series = series(&metrics);
    assert!(series.keys().all(|name| !name.contains("verifier=")), "{series:?}");
    // The gateway checks the token use after the verifier has accepted the token.
    assert_eq!(series["poolgate_verdicts_total{verdict=\"allow\",reason=\"\"}"], 4.0);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_token_use_applies_in_addition_to_the_pools() {
    let scene = Scene::new().await;
    let pool = || scene.user_pool(POOL_ID).token_use(TokenUseRule::AccessOrId).any_of_groups(["readers"]);
    for (verifies, access_status, id_status) in
        [(None, 200, 200), (Some(TokenUseRule::Access), 200, 401), (Some(TokenUseRule::Id), 401, 200)]
    {
        let gateway = scene.two_verifiers([pool()]).await;
        let gateway = serve(match verifies {
            Some(token_use) => gateway.verifies(token_use),
            None => gateway,
        });
        let gateway = gateway.await;
        assert_eq!(scene.checked(&gateway, &access().compact()).await, access_status, "{verifies:?}");
        assert_eq!(scene.checked(&gateway, &Draft::id(&RSA_2048).compact()).await, id_status, "{verifies:?}");
        let outsider = access().claim("cognito:groups", "[\"guests\"]").compact();
        if verifies != Some(TokenUseRule::Id) {
            assert_eq!(scene.checked(&gateway, &outsider).await, 403, "a group of the pool");
        }
        gateway.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_verifiers_are_shut_down_and_the_operator_gets_the_hints_of_both() {
    let scene = Scene::new().await;
    let (accounts, checks) = (scene.accounts(None).await, verifier([scene.login()], None).await);
    let gateway = Gateway::new(accounts.clone()).rate_limit(None).verifier(checks.clone()).expect("no store");
    let (operator, served) = (operator(&gateway).await, serve(gateway.clone()).await);
    let ready = async || scene.get(format!("{operator}/readyz"), "").await.text().await.expect("text");
    gateway.hydrate().await.expect("the sandboxes work");
    assert_eq!(ready().await, "ready\n");
    let slash = of_login().claim("iss", format!("\"{LOGIN}/\"")).compact();
    assert_eq!(scene.checked(&served, &slash).await, 401);
    assert!(ready().await.contains("hint: "), "{}", ready().await);
    served.stop().await;
    gateway.shut_down().await;
    for (verifier, token) in [(accounts.verifier(), access()), (&checks, of_login())] {
        let denial = verifier.verify(&token.compact()).await.expect_err("it is shut down");
        assert_eq!(denial.reason, Reason::ShuttingDown);
    }
}
