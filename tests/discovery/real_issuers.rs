//! Issuers that are real servers: from a sign-in to a verdict, with the keys of discovery, and through rotations.

use super::{
    ManualClock, Run,
    gateway_setup::serve,
    oidc_provider::{API, MACHINE, OidcProvider, WEB},
    oidc_provider_mock::{self, OidcProviderMock},
    serving::Serving,
    until,
    verifier::builder,
};
use poolgate::{Clock, Denial, Pool, Reason, SystemClock, TokenUseRule, Verified, Verifier, gateway::Gateway};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{future::IntoFuture, process::Command};
use tokio::net::TcpListener;

/// Access tokens of machines for the API, as RFC 9068 has them.
fn machine_options() -> Vec<&'static str> {
    vec!["--resource", API, "--client-id", MACHINE, "--client-claim", "client_id", "--type", "at+jwt"]
}

async fn verify(issuer: &str, options: &[&str], token: &str) -> (i32, Value) {
    let common =
        ["verify", "--issuer", issuer, "--discover", "--allow-http-loopback", "--token-use", "unchecked", "--json"];
    let run = Run::with_input(&[&common, options, &["-"]].concat(), token).await;
    assert!(run.code <= 1, "{}{}", run.stdout, run.stderr);
    (run.code, run.json())
}

async fn verifier(issuer: &str, clock: &ManualClock, pool: impl FnOnce(Pool) -> Pool) -> Verifier {
    let pool = pool(Pool::issuer(issuer).discover_keys().token_use(TokenUseRule::Unchecked));
    builder(pool, clock).build().await.expect("it builds")
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("it must be rejected").reason
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_oidc_provider_and_verifies_its_tokens() {
    let provider = OidcProvider::start().await;
    let shown = Run::of(&["issuer", "show", &provider.issuer, "--allow-http-loopback", "--json"]).await;
    assert_eq!(shown.code, 0, "{}{}", shown.stdout, shown.stderr);
    let shown = shown.json();
    assert_eq!((&shown["issuer"], &shown["keys"]["usable"]), (&provider.issuer.as_str().into(), &1.into()), "{shown}");
    assert_eq!((&shown["pool"]["algorithms"], &shown["warnings"]), (&json!(["RS256"]), &json!([])), "{shown}");

    let (machine, (id_token, opaque)) = (provider.machine_token().await, provider.user_tokens("anna").await);
    let (code, verdict) = verify(&provider.issuer, &machine_options(), &machine).await;
    assert_eq!(
        (code, &verdict["claims"]["client_id"], &verdict["claims"]["scope"]),
        (0, &MACHINE.into(), &"orders:read".into())
    );
    let (code, verdict) = verify(&provider.issuer, &["--client-id", WEB], &id_token).await;
    assert_eq!(
        (code, &verdict["claims"]["sub"], &verdict["claims"]["nonce"]),
        (0, &"anna".into(), &"a-nonce-of-the-test".into())
    );
    for (options, token, reason) in [
        (machine_options(), &id_token, "type-not-allowed"),
        (vec!["--client-id", WEB], &machine, "audience-mismatch"),
        (vec!["--client-id", "another"], &id_token, "audience-mismatch"),
        (vec!["--client-id", WEB], &opaque, "token-not-three-parts"),
    ] {
        let (code, verdict) = verify(&provider.issuer, &options, token).await;
        assert_eq!((code, &verdict["reason"]), (1, &reason.into()), "{options:?}: {verdict}");
    }
    // With a slash too many, the token is of another issuer, and no key is fetched for it. `issuer show` says why.
    let with_slash = format!("{}/", provider.issuer);
    let (code, verdict) = verify(&with_slash, &["--client-id", WEB], &id_token).await;
    assert_eq!((code, &verdict["reason"]), (1, &"issuer-unknown".into()));
    let shown = Run::of(&["issuer", "show", &with_slash, "--allow-http-loopback", "--json"]).await;
    assert_eq!((shown.code, &shown.json()["found"]), (1, &provider.issuer.as_str().into()));
}

/// Authlib writes no `kid` into its tokens, and no `alg` into its keys.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_oidc_provider_mock_and_verifies_its_tokens() {
    let provider = OidcProviderMock::start().await;
    let shown = Run::of(&["issuer", "show", &provider.issuer, "--allow-http-loopback", "--json"]).await;
    assert_eq!(shown.code, 0, "{}{}", shown.stdout, shown.stderr);
    let shown = shown.json();
    assert_eq!((&shown["keys"]["usable"], &shown["algorithms"]), (&1.into(), &json!(["RS256"])), "{shown}");
    let token = provider.id_token("anna").await;
    let (code, verdict) = verify(&provider.issuer, &["--client-id", oidc_provider_mock::CLIENT], &token).await;
    assert_eq!((code, &verdict["claims"]["sub"]), (0, &"anna".into()), "{verdict}");
    let (code, verdict) = verify(&provider.issuer, &["--client-id", "another"], &token).await;
    assert_eq!((code, &verdict["reason"]), (1, &"audience-mismatch".into()));
    // The same program with another key is another issuer, whose tokens do not pass.
    let other = OidcProviderMock::start().await.id_token("anna").await;
    let (code, verdict) = verify(&provider.issuer, &["--client-id", oidc_provider_mock::CLIENT], &other).await;
    assert_eq!((code, &verdict["reason"]), (1, &"issuer-unknown".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_follows_the_rotations_of_oidc_provider() {
    let provider = OidcProvider::start().await;
    let clock = ManualClock::at(SystemClock.now().as_secs());
    let verifier = verifier(&provider.issuer, &clock, |pool| pool.resources([API]).any_client()).await;
    let key_ids = async || verifier.key_reports().await.expect("reports").remove(0).key_ids;
    let first = provider.machine_token().await;
    verifier.verify(&first).await.expect("a token of the first key");
    let first_key_ids = key_ids().await;
    assert_eq!(first_key_ids.len(), 1);

    // The new key is at the same URL: an unknown key ID fetches it.
    provider.replaces_keys("/jwks").await;
    let second = provider.machine_token().await;
    verifier.verify(&second).await.expect("a token of the second key");
    assert_eq!(reason(verifier.verify(&first).await), Reason::KeyUnknown, "a token of the first key");
    assert_ne!(key_ids().await, first_key_ids);

    // The new key is at another URL, and the old one is gone: the document is asked again.
    provider.replaces_keys("/other/keys").await;
    let third = provider.machine_token().await;
    clock.advance(300);
    verifier.verify(&third).await.unwrap_or_else(|denial| panic!("{denial}: {:?}", verifier.discovery_reports()));
    let report = verifier.discovery_reports().remove(0);
    assert_eq!(report.jwks_uri, Some(format!("{}/other/keys", provider.issuer)));
    assert!(verifier.verify(&second).await.is_err(), "a token of the second key");
}

/// A gateway for any issuer, without account flows.
#[tokio::test(flavor = "multi_thread")]
async fn poolgate_serve_discovers_keys_and_follows_a_rotation() {
    let provider = OidcProvider::start().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
    command.args([
        "serve",
        "--issuer",
        &provider.issuer,
        "--discover",
        "--allow-http-loopback",
        "--token-use",
        "unchecked",
    ]);
    command.args(machine_options());
    command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let serving = Serving::start(command);
    let asked = async |token: &str| {
        let get = serving.http.get(format!("{}/v1/verify", serving.public)).bearer_auth(token);
        get.send().await.expect("an answer").status()
    };
    let first = provider.machine_token().await;
    assert_eq!(asked(&first).await, StatusCode::OK);
    assert_eq!(asked(&provider.user_tokens("anna").await.0).await, StatusCode::UNAUTHORIZED, "an ID token");
    provider.replaces_keys("/jwks").await;
    assert_eq!(asked(&provider.machine_token().await).await, StatusCode::OK, "a token of the new key");
    assert_eq!(asked(&first).await, StatusCode::UNAUTHORIZED, "a token of the old key");
    let ready = serving.http.get(serving.metrics.replace("/metrics", "/readyz")).send().await.expect("an answer");
    assert_eq!((ready.status(), ready.text().await.expect("a body")), (StatusCode::OK, "ready\n".to_owned()));
}

/// The gateway of the library, with a clock that the test sets.
#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_verifies_tokens_of_oidc_provider_and_says_whether_the_document_or_the_key_set_fails() {
    let provider = OidcProvider::start().await;
    let (id_token, _) = provider.user_tokens("anna").await;
    let clock = ManualClock::at(SystemClock.now().as_secs());
    let verifier = verifier(&provider.issuer, &clock, |pool| pool.client_ids([WEB])).await;
    let gateway = Gateway::without_accounts(verifier.clone());
    let operator = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let operator_url = format!("http://{}", operator.local_addr().expect("an address"));
    let shown = tokio::spawn(axum::serve(operator, gateway.operations_router()).into_future());
    let served = serve(gateway).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let asked = async |token: &str| {
        let get = http.get(format!("{}/v1/verify", served.public)).bearer_auth(token);
        get.send().await.expect("an answer").status()
    };
    let ready = async || {
        let response = http.get(format!("{operator_url}/readyz")).send().await.expect("an answer");
        (response.status(), response.text().await.expect("a body"))
    };
    assert_eq!(asked(&id_token).await, StatusCode::OK);
    assert_eq!(ready().await, (StatusCode::OK, "ready\n".to_owned()));
    provider.replaces_keys("/jwks").await;
    assert_eq!(asked(&provider.user_tokens("anna").await.0).await, StatusCode::OK, "a token of the new key");
    assert_eq!(asked(&id_token).await, StatusCode::UNAUTHORIZED, "a token of the old key");

    // The keys and the document are gone: both are named, each with its URL.
    let document = format!("{}/.well-known/openid-configuration", provider.issuer);
    let keys = format!("{}/jwks", provider.issuer);
    drop(provider);
    clock.advance(86_400 - 1);
    verifier.hydrate().await.expect("the sandbox works");
    let (status, text) = ready().await;
    assert_eq!(status, StatusCode::OK, "stale keys still verify: {text}");
    assert!(text.contains(&format!("key set {keys}: ")), "{text}");
    assert!(!text.contains(&format!("discovery document {document}")), "the document is not due yet: {text}");
    clock.advance(3_600);
    verifier.hydrate().await.expect("the sandbox works");
    until("the document is asked for", || verifier.discovery_reports()[0].last_error.is_some()).await;
    let (status, text) = ready().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "expired keys verify nothing: {text}");
    assert!(text.contains(&format!("discovery document {document}: unreachable: ")), "{text}");
    assert!(text.contains(&format!("key set {keys}: ")), "{text}");
    shown.abort();
    served.stop().await;
}
