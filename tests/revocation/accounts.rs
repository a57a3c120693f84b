//! Account flows that add revocations to the store, with a Cognito emulator and a Redis server.

use crate::{
    gateway_setup::serve,
    manual_clock::ManualClock,
    scene::{PATIENCE, in_memory, metric, redis},
};
use poolgate::{
    Clock, Denial, ErrorCode, Pool, Reason, SystemClock, TokenUseRule, Verifier,
    accounts::{AccountError, AccountErrorCode, Accounts, ResponseTimeFloor, SignedIn, Tokens},
    gateway::Gateway,
    revocation::{RevocationMode, Revocations},
};
use poolgate_tests::{
    ministack::Ministack,
    redis::{Redis as Server, url},
    server_process::free_port,
    test_pool::{PoolOptions, TestPool},
};
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, timeout};

const PASSWORD: &str = "Correct-Horse-7";
const VALID: [Result<(), Reason>; 2] = [Ok(()), Ok(())];
const REVOKED: [Result<(), Reason>; 2] = [Err(Reason::Revoked), Err(Reason::Revoked)];

/// Account flows whose verifier has a revocation store.
struct Service {
    accounts: Accounts,
}

async fn service(server: &Ministack, pool: &TestPool, store: Arc<dyn Revocations>, clock: impl Clock) -> Service {
    let policy = Pool::user_pool(&pool.pool_id).jwks_url(&pool.jwks_url).client_ids([&pool.client_id]);
    let verifier = Verifier::builder()
        .pool(policy.token_use(TokenUseRule::AccessOrId))
        .allow_http_loopback(true)
        .clock(clock)
        .revocations(store, RevocationMode::FailClosed)
        .revocation_deadline(PATIENCE)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the verifier builds");
    let accounts = Accounts::builder(verifier, &pool.pool_id, &pool.client_id)
        .endpoint(server.endpoint())
        .allow_http_loopback(true)
        .response_time_floor(ResponseTimeFloor::OFF)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    Service { accounts: accounts.build().await.expect("the accounts build") }
}

impl Service {
    /// Signs in again until the second of the sign-out has passed. Until then, the flow returns `unavailable`.
    async fn sign_in_again(&self, username: &str) -> Tokens {
        let mut polls = interval(Duration::from_millis(50));
        let signed_in = async {
            loop {
                polls.tick().await;
                match self.sign_in(username).await {
                    Ok(tokens) => return tokens,
                    Err(error) => assert_eq!(error.code, AccountErrorCode::Unavailable, "{:?}", error.internal),
                }
            }
        };
        timeout(PATIENCE, signed_in).await.expect("the second passes")
    }

    async fn sign_in(&self, username: &str) -> Result<Tokens, AccountError> {
        match self.accounts.sign_in(username, &PASSWORD.into()).await? {
            SignedIn::Tokens(tokens) => Ok(*tokens),
            SignedIn::Challenge(challenge) => panic!("a challenge: {challenge:?}"),
        }
    }

    /// Returns the results for the access token and the ID token.
    async fn verdicts(&self, tokens: &Tokens) -> [Result<(), Reason>; 2] {
        let id_token = tokens.id_token.as_ref().expect("an ID token");
        [self.verdict(&tokens.access_token).await, self.verdict(id_token).await]
    }

    async fn verdict(&self, token: &SecretString) -> Result<(), Reason> {
        let verdict = self.accounts.verifier().verify(token.expose_secret()).await;
        verdict.map(|_| ()).map_err(|Denial { reason, error, .. }| {
            assert_eq!(error, ErrorCode::InvalidToken, "{}", reason.name());
            reason
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_sign_out_revokes_the_users_older_tokens_in_every_process_and_no_others() {
    let (server, shared) = (Ministack::start().await, Server::start().await);
    let pool = server.create_pool(PoolOptions::default()).await;
    for user in ["anna", "berta"] {
        pool.sign_up_user_in_groups(user, PASSWORD, &["readers"]).await;
    }
    let here = service(&server, &pool, Arc::new(redis(&shared.url())), SystemClock).await;
    let there = service(&server, &pool, Arc::new(redis(&shared.url())), SystemClock).await;
    let (first, second) = (here.sign_in("anna").await.expect("tokens"), there.sign_in("anna").await.expect("tokens"));
    let others = here.sign_in("berta").await.expect("tokens");
    for (service, tokens) in [(&here, &first), (&there, &first), (&here, &second), (&there, &others)] {
        assert_eq!(service.verdicts(tokens).await, VALID);
    }

    here.accounts.sign_out(&first.access_token).await.expect("a sign-out");
    for service in [&here, &there] {
        assert_eq!(service.verdicts(&first).await, REVOKED);
        assert_eq!(service.verdicts(&second).await, REVOKED);
        assert_eq!(service.verdicts(&others).await, VALID);
    }
    let again = here.accounts.sign_out(&first.access_token).await.expect_err("it is signed out");
    assert_eq!((again.code, again.internal.failure.as_str()), (AccountErrorCode::TokenInvalid, "revoked"));

    let again = there.sign_in_again("anna").await;
    for service in [&here, &there] {
        assert_eq!(service.verdicts(&again).await, VALID);
        assert_eq!(service.verdicts(&first).await, REVOKED);
    }
    there.accounts.delete_user(&again.access_token).await.expect("the user is deleted");
    assert_eq!(here.verdicts(&again).await, REVOKED);
    assert_eq!(metric(here.accounts.verifier(), "poolgate_revocations_total{outcome=\"remembered\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_refresh_token_revokes_its_sign_in_if_the_sign_in_is_known() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    let service = service(&server, &pool, Arc::new(in_memory(10)), SystemClock).await;
    let (first, second) =
        (service.sign_in("anna").await.expect("tokens"), service.sign_in("anna").await.expect("tokens"));
    let third = service.sign_in("anna").await.expect("tokens");
    let refresh = |tokens: &Tokens| tokens.refresh_token.clone().expect("a refresh token");

    service.accounts.revoke_sign_in(&refresh(&first), &first.access_token).await.expect("it is revoked");
    assert_eq!(service.verdicts(&first).await, REVOKED);
    assert_eq!(service.verdicts(&second).await, VALID);

    service.accounts.revoke_token(&refresh(&second)).await.expect("it is revoked");
    assert_eq!(
        service.verdicts(&second).await,
        VALID,
        "a refresh token does not contain which tokens were issued from it"
    );

    // An invalid access token does not prevent the revocation of the refresh token.
    let fourth = service.sign_in("anna").await.expect("tokens");
    service.accounts.revoke_sign_in(&refresh(&fourth), &"a.b.c".into()).await.expect("the refresh token is revoked");
    let refused = service.accounts.refresh(&refresh(&fourth), Some("anna")).await.map(|_| ());
    assert_eq!(refused.expect_err("the refresh token was revoked").status, 401);
    assert_eq!(service.verdicts(&fourth).await, VALID);

    // The same over HTTP, and the gateway's endpoint for proxies.
    let gateway = serve(Gateway::new(service.accounts.clone())).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let verify = async || {
        let request = http.get(format!("{}/v1/verify", gateway.public)).bearer_auth(third.access_token.expose_secret());
        let answer = request.send().await.expect("an answer");
        let challenge = answer.headers().get("www-authenticate").map(|it| it.to_str().expect("ASCII").to_owned());
        (answer.status().as_u16(), challenge.unwrap_or_default())
    };
    assert_eq!(verify().await, (200, String::new()));
    let body = serde_json::json!({ "refresh_token": refresh(&third).expose_secret() });
    let revoke = http.post(format!("{}/v1/revoke-token", gateway.public)).json(&body);
    let answer = revoke.bearer_auth(third.access_token.expose_secret()).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 204);
    assert_eq!(
        verify().await,
        (401, "Bearer error=\"invalid_token\"".to_owned()),
        "the response is that for every invalid token"
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_within_the_second_of_the_sign_out_must_be_repeated() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    // The clock of this process is five minutes ahead, and so is the time of the sign-out.
    let clock = ManualClock::at(SystemClock.now().as_secs() + 300);
    let service = service(&server, &pool, Arc::new(in_memory(10)), clock).await;
    let first = service.sign_in("anna").await.expect("tokens");
    service.accounts.sign_out(&first.access_token).await.expect("a sign-out");
    let error = service.sign_in("anna").await.expect_err("by the clock, this sign-in is before the sign-out");
    assert_eq!(
        (error.code, error.status, error.internal.failure.as_str()),
        (AccountErrorCode::Unavailable, 503, "revoked")
    );
    assert!(error.retry_after.is_some());
}

// With one thread, no other task runs before this test waits.
#[tokio::test]
async fn a_sign_out_whose_caller_is_cancelled_is_still_stored() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    let service = service(&server, &pool, Arc::new(in_memory(10)), SystemClock).await;
    let tokens = service.sign_in("anna").await.expect("tokens");
    tokio::select! {
        biased;
        _ = service.accounts.sign_out(&tokens.access_token) => panic!("the call did not wait for Cognito"),
        // The caller is cancelled after the call has started.
        () = std::future::ready(()) => {}
    }
    let mut polls = interval(Duration::from_millis(10));
    let revoked = async {
        while service.verdicts(&tokens).await != REVOKED {
            polls.tick().await;
        }
    };
    timeout(PATIENCE, revoked).await.expect("the revocation is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_cannot_be_stored_is_not_a_success() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    let tokens = pool.sign_in("anna", PASSWORD).await;
    let policy = Pool::user_pool(&pool.pool_id).jwks_url(&pool.jwks_url).client_ids([&pool.client_id]);
    let verifier = Verifier::builder()
        .pool(policy.token_use(TokenUseRule::AccessOrId))
        .allow_http_loopback(true)
        .revocations(Arc::new(redis(&url(free_port()))), RevocationMode::FailOpen)
        .revocation_deadline(PATIENCE)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let accounts = Accounts::builder(verifier.build().await.expect("it builds"), &pool.pool_id, &pool.client_id)
        .endpoint(server.endpoint())
        .allow_http_loopback(true)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the accounts build");
    let error = accounts.sign_out(&tokens.access_token.as_str().into()).await.expect_err("the store is gone");
    assert_eq!((error.code, error.status), (AccountErrorCode::Unavailable, 503));
    assert_eq!(error.internal.failure, "unreachable");
}
