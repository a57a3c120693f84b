//! Accounts with a pool of the test's own emulator. Each test that needs them includes this file.

use poolgate::{
    Pool, TokenUseRule, Verifier,
    accounts::{Accounts, AccountsBuilder, ResponseTimeFloor},
};
use poolgate_tests::test_pool::TestPool;
use secrecy::SecretString;

pub const PASSWORD: &str = "Correct-Horse-7";

pub fn secret(text: &str) -> SecretString {
    text.into()
}

/// A builder for the pool at an endpoint: that of the emulator, or of a proxy in front of it. Responses are not delayed.
pub async fn account_builder(endpoint: &str, pool: &TestPool) -> AccountsBuilder {
    let verified_pool = Pool::user_pool(&pool.pool_id).jwks_url(&pool.jwks_url).client_ids([&pool.client_id]);
    let builder = over(endpoint, verified_pool, &pool.pool_id, &pool.client_id).await;
    match &pool.client_secret {
        Some(client_secret) => builder.client_secret(secret(client_secret)),
        None => builder,
    }
}

/// A builder for any pool.
pub async fn over(endpoint: &str, verified_pool: Pool, pool_id: &str, client_id: &str) -> AccountsBuilder {
    let verifier = Verifier::builder()
        .pool(verified_pool.token_use(TokenUseRule::AccessOrId))
        .allow_http_loopback(true)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the verifier builds");
    Accounts::builder(verifier, pool_id, client_id)
        .endpoint(endpoint)
        .allow_http_loopback(true)
        .response_time_floor(ResponseTimeFloor::OFF)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}
