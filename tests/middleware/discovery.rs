//! Keys whose URL is in the issuer's discovery document: the rules for the document, its failures, and changed key URLs.

use crate::{
    scene::{protected_echo, served},
    serving::{Instances, Serving},
};
use poolgate_tests::{
    discovery_server::{DOCUMENT, KEYS, document, document_with, good_keys, issuer, refusals},
    edge_scene::{guarded, now, reason, valid_now},
    exact_client::get,
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::{Draft, KEY_ID},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Where a changed document says that the keys are.
const NEW_KEYS: &str = "/new-keys";
/// The key ID of the new key.
const NEW: &str = "new";

/// A configuration that discovers the keys of the server's issuer. Its timeouts are not reached even on a busy machine.
fn configuration(server: &FaultyServer) -> Value {
    let mut configuration = guarded(json!({
        "name": "main", "issuer": server.url(""), "any_client": true, "token_use": "unchecked",
        "keys": {"discover": true, "timeout_ms": 30_000},
    }));
    configuration["limits"] = json!({"wait_ms": 60_000});
    // The number of fetches is not the subject here.
    configuration["key_policy"] =
        json!({"retry_min": 1, "retry_max": 1, "unknown_key_fetches": 1_000, "unknown_key_ttl": 0});
    configuration
}

fn token(server: &FaultyServer, key: &'static TestKey, key_id: &str) -> String {
    valid_now(Draft::of_issuer(key, &server.url(""))).header("kid", format!("\"{key_id}\"")).compact()
}

fn old_token(server: &FaultyServer) -> String {
    token(server, &RSA_2048, KEY_ID)
}

fn new_token(server: &FaultyServer) -> String {
    token(server, &OTHER_RSA_2048, NEW)
}

/// Returns the status of the response, and the reason in it.
async fn ask(serving: &Serving, token: &str) -> (u16, String) {
    let response = get(&serving.url, "/x", Some(token)).await;
    (response.status, reason(&response.body))
}

fn accepted() -> (u16, String) {
    (200, String::new())
}

fn unavailable() -> (u16, String) {
    (503, "keys-unavailable".to_owned())
}

fn unknown() -> (u16, String) {
    (401, "key-unknown".to_owned())
}

/// The issuer publishes other keys at another URL from now on.
fn moves_keys(server: &FaultyServer, keys: Behaviour) {
    server.path_does(NEW_KEYS, keys);
    serves_briefly(server, document_with(server, &[("jwks_uri", server.url(NEW_KEYS).into())]));
}

fn new_keys() -> Behaviour {
    Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk(NEW)]))
}

/// Serves a document that is old after five minutes.
fn serves_briefly(server: &FaultyServer, document: String) {
    let headers = vec![("Cache-Control", "max-age=0".to_owned())];
    server.path_does(DOCUMENT, Behaviour::ServeWith(document, headers));
}

/// Waits until a condition is true.
async fn until(what: &str, is_true: impl AsyncFn() -> bool) {
    let mut polls = tokio::time::interval(Duration::from_millis(10));
    let wait = async {
        while !is_true().await {
            polls.tick().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), wait).await.is_ok(), "{what}: not within 30 seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_where_the_document_says() {
    let server = issuer().await;
    let serving = served(&configuration(&server)).await;
    assert_eq!(ask(&serving, &old_token(&server)).await, accepted(), "{}", serving.output());
    assert_eq!(ask(&serving, &new_token(&server)).await, unknown());
    // An unknown key ID fetches the key set again, and not the document.
    assert_eq!((server.fetches_of(DOCUMENT), server.fetches_of(KEYS), server.fetches()), (1, 2, 3));
    // The issuer of a token is never discovered.
    let evil = issuer().await;
    assert_eq!(ask(&serving, &old_token(&evil)).await.0, 401);
    assert_eq!(evil.fetches(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_breaks_a_rule_gives_no_keys_and_the_log_says_why() {
    let server = issuer().await;
    let start = now();
    for (judged, (what, behaviour, _, error)) in refusals(&server).into_iter().enumerate() {
        server.path_does(DOCUMENT, behaviour);
        let serving = served(&configuration(&server)).await;
        serving.set_now(start);
        assert_eq!(ask(&serving, &old_token(&server)).await, unavailable(), "{what}");
        let line = format!("poolgate: the discovery document {} is not used: {error}: ", server.url(DOCUMENT));
        until(what, async || serving.output().contains(&line)).await;
        assert!(!serving.output().contains("secret"), "{what}: {}", serving.output());
        assert_eq!(server.fetches_of(KEYS), judged, "{what}: keys of a refused document were fetched");
        // The document is corrected, and the next retry finds it.
        server.path_does(DOCUMENT, Behaviour::Serve(document(&server).to_string()));
        serving.set_now(start + 60);
        assert_eq!(ask(&serving, &old_token(&server)).await, accepted(), "{what}: {}", serving.output());
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0, "a redirect was followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_on_another_host_need_its_name() {
    let server = issuer().await;
    let keys = server.url(KEYS).replace("localhost", "127.0.0.1");
    server.path_does(DOCUMENT, Behaviour::Serve(document_with(&server, &[("jwks_uri", keys.into())])));
    let mut configuration = configuration(&server);
    let serving = served(&configuration).await;
    assert_eq!(ask(&serving, &old_token(&server)).await, unavailable());
    until("the hint", async || serving.output().contains("name it in key_hosts")).await;
    configuration["pools"][0]["keys"]["key_hosts"] = json!(["127.0.0.1"]);
    assert_eq!(ask(&served(&configuration).await, &old_token(&server)).await, accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_two_requests_has_an_end() {
    for (path, line) in [(DOCUMENT, "is not used: timed-out: "), (KEYS, "failed: TimedOut")] {
        for behaviour in [Behaviour::Stall, Behaviour::StallMidway(" ".repeat(1_000))] {
            let server = issuer().await;
            server.path_does(path, behaviour.clone());
            let mut configuration = configuration(&server);
            configuration["pools"][0]["keys"]["timeout_ms"] = json!(2_000);
            // The document is not asked for again in the next second.
            configuration["key_policy"] = json!({"retry_min": 60, "retry_max": 60});
            let serving = served(&configuration).await;
            assert_eq!(ask(&serving, &old_token(&server)).await, unavailable(), "{path} {behaviour:?}");
            until(path, async || serving.output().contains(line)).await;
            assert_eq!((server.fetches_of(DOCUMENT), server.fetches_of(path)), (1, 1), "{path} {behaviour:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_in_one_instance_wait_for_the_same_document() {
    let server = issuer().await;
    let held = Behaviour::Held(Box::new(Behaviour::Serve(document(&server).to_string())));
    server.path_does(DOCUMENT, held);
    let serving = served(&configuration(&server)).await;
    let mut requests = Vec::new();
    for _ in 0..20 {
        let (url, token) = (serving.url.clone(), old_token(&server));
        requests.push(tokio::spawn(async move { get(&url, "/x", Some(&token)).await }));
        // Not all requests are sent at once, because the server would start another instance.
        assert_eq!(get(&serving.url, "/x", None).await.status, 401);
    }
    server.wait_for_fetches(1).await;
    server.release();
    for request in requests {
        let response = request.await.expect("no panic");
        assert_eq!(response.status, 200, "{response:?} {}", serving.output());
    }
    let fetches = (server.fetches_of(DOCUMENT), server.fetches_of(KEYS));
    assert!(fetches.0 == fetches.1 && fetches.0 <= serving.instances(), "{fetches:?}, {}", serving.instances());
}

/// The statement of docs/middleware.md about hosts that start an instance for each request.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_per_request_fetches_the_document_for_each_request() {
    let server = issuer().await;
    let configuration = configuration(&server).to_string();
    let serving = Serving::start(protected_echo(), &configuration, Instances::OneARequest).await;
    for number in 1..=3 {
        assert_eq!(ask(&serving, &old_token(&server)).await, accepted(), "{}", serving.output());
        assert_eq!((server.fetches_of(DOCUMENT), server.fetches_of(KEYS)), (number, number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_document_takes_no_keys_away() {
    let server = issuer().await;
    serves_briefly(&server, document(&server).to_string());
    let (serving, start) = (served(&configuration(&server)).await, now());
    serving.set_now(start);
    assert_eq!(ask(&serving, &old_token(&server)).await, accepted());
    server.path_does(DOCUMENT, Behaviour::Status(500, String::new()));
    serving.set_now(start + 300);
    // An unknown key ID causes a key fetch, and with it one for the document.
    assert_eq!(ask(&serving, &new_token(&server)).await, unknown());
    assert_eq!(ask(&serving, &old_token(&server)).await, accepted());
    until("the document is asked for", async || serving.output().contains("the last valid one stays in use")).await;
    assert_eq!(ask(&serving, &new_token(&server)).await, unknown());
    assert_eq!((server.fetches_of(DOCUMENT), server.fetches_of(KEYS)), (2, 3), "{}", serving.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_url_takes_effect_with_a_usable_key_set() {
    let server = issuer().await;
    serves_briefly(&server, document(&server).to_string());
    let (serving, start) = (served(&configuration(&server)).await, now());
    serving.set_now(start);
    assert_eq!(ask(&serving, &old_token(&server)).await, accepted());
    moves_keys(&server, Behaviour::Serve(jwks(&[])));
    serving.set_now(start + 300);
    // Each unknown key ID causes a key fetch: the first one with the document, and the next one from the new URL.
    until("the new URL is tried", async || {
        assert_ne!(ask(&serving, &new_token(&server)).await.0, 200);
        serving.output().contains("has no usable key; the earlier one stays in use")
    })
    .await;
    assert_eq!(ask(&serving, &old_token(&server)).await, accepted(), "the old keys are in use");
    // The next document brings the new key set in.
    moves_keys(&server, new_keys());
    serving.set_now(start + 600);
    until("the new keys are in use", async || ask(&serving, &new_token(&server)).await == accepted()).await;
    until("the log says so", async || serving.output().contains("is in use from now on")).await;
    assert_eq!(ask(&serving, &old_token(&server)).await, unknown(), "the old keys are not");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_404_or_410_from_the_key_url_the_document_is_asked_again() {
    for status in [404, 410] {
        let server = issuer().await;
        let (serving, start) = (served(&configuration(&server)).await, now());
        serving.set_now(start);
        assert_eq!(ask(&serving, &old_token(&server)).await, accepted());
        server.path_does(KEYS, Behaviour::Status(status, good_keys()));
        moves_keys(&server, new_keys());
        serving.set_now(start + 300);
        assert_eq!(ask(&serving, &new_token(&server)).await, accepted(), "{status}: {}", serving.output());
        assert_eq!((server.fetches_of(DOCUMENT), server.fetches_of(NEW_KEYS)), (2, 1), "{status}");
        assert_eq!(ask(&serving, &old_token(&server)).await, unknown(), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_tls_is_fetched_from_loopback_addresses_only() {
    let server = issuer().await;
    let mut configuration = configuration(&server);
    configuration["pools"][0]["issuer"] = json!("http://login.example");
    let serving = served(&configuration).await;
    assert_eq!(ask(&serving, &old_token(&server)).await.0, 503);
    until("the error", async || serving.output().contains("without TLS")).await;
    assert_eq!(server.fetches(), 0);
}
