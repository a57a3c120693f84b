//! Failures of the sandbox, the keys or the queue result in 503, and never in an accepted request.

use super::scene::{builder, get, keys, pool, token, verifier, without_keys};
use crate::example_services::{serve, with_reason};
use axum::{body::Body, extract::Request};
use poolgate::{Denial, Pool, Reason, TokenUseRule, Verifier};
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::RSA_2048,
    minting::{CLIENT_ID, Draft, ISSUER, NOW, POOL_ID},
};
use std::num::NonZeroUsize;
use tower_service::Service;

async fn url(verifier: Verifier) -> String {
    format!("http://{}/me", serve(with_reason(example_axum::app(verifier))).await)
}

/// Sends a valid token, and expects 503 with `Retry-After`.
async fn is_unavailable(url: &str, reason: &str) {
    let answer = get(url, &[&format!("Bearer {}", token())]).await;
    assert_eq!((answer.status, answer.reason.as_deref()), (503, Some(reason)), "{answer:?}");
    assert_eq!(
        (answer.retry_after.as_deref(), answer.challenge.as_deref(), answer.is_stored),
        (Some("1"), None, false)
    );
    assert_eq!(answer.problem(), "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_token_is_503() {
    is_unavailable(&url(without_keys().await).await, "keys-unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_server_that_is_gone_is_503() {
    let server = FaultyServer::start(Behaviour::Serve(keys())).await;
    let keys_url = server.url("/jwks.json");
    server.stop_listening().await;
    let remote = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).jwks_url(keys_url);
    let verifier = builder(remote).allow_http_loopback(true).build().await.expect("it builds");
    is_unavailable(&url(verifier).await, "keys-unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overload_is_503() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(keys())))).await;
    let remote = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let builder = builder(remote.jwks_url(server.url("/jwks.json"))).allow_http_loopback(true);
    let verifier = builder.call_limit(NonZeroUsize::MIN).build().await.expect("it builds");
    let url = url(verifier.clone()).await;
    let waiting = tokio::spawn({
        let url = url.clone();
        async move { get(&url, &[&format!("Bearer {}", token())]).await.status }
    });
    while verifier.key_waits() == 0 {
        tokio::task::yield_now().await;
    }
    is_unavailable(&url, "overloaded").await;
    server.release();
    assert_eq!(waiting.await.expect("no panic"), 200, "the waiting request is served when the keys are fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_is_shut_down_is_503() {
    let verifier = verifier().await;
    verifier.shut_down().await;
    is_unavailable(&url(verifier).await, "shutting-down").await;
}

#[tokio::test]
async fn a_trap_in_the_sandbox_is_503_and_the_next_request_is_served() {
    let builder = builder(pool()).memory_limit(2 << 20).token_limit(1 << 20);
    let verifier = builder.build().await.expect("it builds");
    verifier.load_key_set(ISSUER, keys(), NOW).await.expect("one key fits");
    // A header of this length cannot be sent over HTTP, so the service is called directly.
    let mut app = example_axum::app(verifier.clone());
    let huge = Draft::access(&RSA_2048).claim("x", format!("\"{}\"", "x".repeat(700_000))).compact();
    let mut ask = async |token: &str| {
        let request = Request::get("/me").header("authorization", format!("Bearer {token}")).body(Body::empty());
        app.call(request.expect("a request")).await.expect("an answer")
    };
    let response = ask(&huge).await;
    let denial = response.extensions().get::<Denial>().map(|denial| denial.reason);
    assert_eq!((response.status().as_u16(), denial), (503, Some(Reason::SandboxFailed)));
    assert_eq!(verifier.sandbox_failures(), 1);
    assert_eq!(ask(&token()).await.status(), 200);
}
