//! A verifier with keys, tokens, and a client that returns whole responses.

use poolgate::{FixedClock, Pool, TokenUseRule, Verifier, VerifierBuilder};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
};
use reqwest::{Client, header};
use serde_json::Value;
use std::num::NonZeroUsize;

/// A user pool with local keys.
pub fn pool() -> Pool {
    Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).local_keys_only()
}

/// A builder with the time of the tokens, and without the background task.
pub fn builder(pool: Pool) -> VerifierBuilder {
    Verifier::builder()
        .pool(pool)
        .clock(FixedClock::at(NOW))
        .instances(NonZeroUsize::MIN)
        .disable_background_refresh()
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

/// A verifier with keys.
pub async fn verifier() -> Verifier {
    let verifier = without_keys().await;
    verifier.load_key_set(ISSUER, keys(), NOW).await.expect("the keys are valid");
    verifier
}

/// A verifier without keys.
pub async fn without_keys() -> Verifier {
    builder(pool()).build().await.expect("it builds")
}

pub fn keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

/// A valid token with the groups `readers` and `writers`.
pub fn token() -> String {
    Draft::access(&RSA_2048).compact()
}

/// A valid token of an administrator.
pub fn admin() -> String {
    Draft::access(&RSA_2048).claim("cognito:groups", "[\"admins\"]").compact()
}

/// A token with the signature of another one.
pub fn forged() -> String {
    let (head, payload) = (token(), admin());
    let part = |token: &str, number: usize| token.split('.').nth(number).expect("three parts").to_owned();
    format!("{}.{}.{}", part(&head, 0), part(&payload, 1), part(&head, 2))
}

/// Everything that a client sees of a response.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub challenge: Option<String>,
    pub reason: Option<String>,
    pub is_stored: bool,
    pub retry_after: Option<String>,
    pub content_type: Option<String>,
    pub body: String,
}

impl Answer {
    /// Returns the `reason` in the problem details.
    pub fn problem(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!(body["status"], self.status, "{self:?}");
        body["reason"].as_str().expect("a reason").to_owned()
    }
}

/// Sends a request with these values of `Authorization`.
pub async fn get(url: &str, authorizations: &[&str]) -> Answer {
    let mut request = Client::builder().no_proxy().build().expect("an HTTP client").get(url);
    for value in authorizations {
        request = request.header(header::AUTHORIZATION, *value);
    }
    let response = request.send().await.expect("an answer");
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    Answer {
        status: response.status().as_u16(),
        challenge: header("www-authenticate"),
        reason: header(crate::example_services::REASON),
        is_stored: header("cache-control").as_deref() != Some("no-store"),
        retry_after: header("retry-after"),
        content_type: header("content-type"),
        body: response.text().await.expect("text"),
    }
}
