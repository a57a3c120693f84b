//! End to end: a Cognito emulator issues tokens, and the component verifies them with keys that the host has fetched from the
//! emulator's JWKS endpoint.

use poolgate::{Denial, Pool, Reason, SystemClock, TokenUse, TokenUseRule, Verified, Verifier};
use poolgate_tests::{
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use std::time::Duration;

const PASSWORD: &str = "Correct-Horse-7";

async fn verifier(pool: &TestPool, state: impl FnOnce(Pool) -> Pool) -> Verifier {
    let stated = state(Pool::user_pool(&pool.pool_id).jwks_url(&pool.jwks_url));
    Verifier::builder()
        .pool(stated)
        .allow_http_loopback(true)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the verifier builds")
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    match verdict {
        Ok(verified) => panic!("allowed: {verified:?}"),
        Err(denial) => denial.reason,
    }
}

#[tokio::test]
async fn tokens_of_a_user_in_two_groups_are_accepted_and_tokens_of_another_kind_or_client_are_rejected() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("alice", PASSWORD, &["admins", "readers"]).await;
    let tokens = pool.sign_in("alice", PASSWORD).await;

    let access = verifier(&pool, |it| {
        it.token_use(TokenUseRule::Access).client_ids([&pool.client_id]).all_of_groups(["admins", "readers"])
    });
    let access = access.await;
    let verified = access.verify(&tokens.access_token).await.expect("the access token is valid");
    assert_eq!(verified.username.as_deref(), Some("alice"));
    assert_eq!(verified.token_use, Some(TokenUse::Access));
    assert_eq!(verified.issuer.as_deref(), Some(pool.issuer.as_str()));
    assert_eq!(verified.client_id.as_deref(), Some(pool.client_id.as_str()));
    assert_eq!(verified.groups, ["admins", "readers"]);

    let id = verifier(&pool, |it| it.token_use(TokenUseRule::Id).client_ids([&pool.client_id])).await;
    let verified = id.verify(&tokens.id_token).await.expect("the ID token is valid");
    assert_eq!(verified.username.as_deref(), Some("alice"));
    assert_eq!(verified.token_use, Some(TokenUse::Id));
    assert_eq!(verified.groups, ["admins", "readers"]);

    assert_eq!(reason(access.verify(&tokens.id_token).await), Reason::TokenUseMismatch);
    assert_eq!(reason(id.verify(&tokens.access_token).await), Reason::TokenUseMismatch);

    let wrong_client = |rule| verifier(&pool, move |it| it.token_use(rule).client_ids(["another"]));
    assert_eq!(
        reason(wrong_client(TokenUseRule::Access).await.verify(&tokens.access_token).await),
        Reason::ClientMismatch
    );
    assert_eq!(reason(wrong_client(TokenUseRule::Id).await.verify(&tokens.id_token).await), Reason::AudienceMismatch);

    let wrong_group = verifier(&pool, |it| {
        it.token_use(TokenUseRule::Access).client_ids([&pool.client_id]).any_of_groups(["owners"])
    });
    assert_eq!(reason(wrong_group.await.verify(&tokens.access_token).await), Reason::GroupMissing);

    let other_pool = server.create_pool(PoolOptions::default()).await;
    let other = verifier(&other_pool, |it| it.token_use(TokenUseRule::Access).client_ids([&pool.client_id])).await;
    assert_eq!(reason(other.verify(&tokens.access_token).await), Reason::IssuerUnknown);

    // A character in the middle of the signature is changed, so that the number stays below the modulus.
    let (unsigned, signature) = tokens.access_token.rsplit_once('.').expect("three parts");
    let (start, end) = signature.split_at(signature.len() / 2);
    let flipped = if end.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{unsigned}.{start}{flipped}{}", &end[1..]);
    assert_eq!(reason(access.verify(&forged).await), Reason::SignatureInvalid);
    assert_eq!(access.sandbox_failures(), 0);
}

#[tokio::test]
async fn a_token_with_a_lifetime_of_two_seconds_is_rejected_after_its_expiry() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::with_tokens_valid_for(2)).await;
    pool.sign_up_user_in_groups("bob", PASSWORD, &[]).await;
    let verifier = verifier(&pool, |it| it.token_use(TokenUseRule::Access).client_ids([&pool.client_id])).await;
    // On a busy machine, two seconds may pass before a token is verified for the first time. Then another one is issued.
    let mut attempts = 0..20;
    let (token, expires_at) = loop {
        attempts.next().expect("a token that is verified before it expires");
        let token = pool.sign_in("bob", PASSWORD).await.access_token;
        match verifier.verify(&token).await {
            Ok(verified) => break (token, verified.expires_at),
            Err(denial) => assert_eq!(denial.reason, Reason::Expired),
        }
    };

    // The test waits for the clock, which the emulator and the verifier share.
    let has_expired = || poolgate::Clock::now(&SystemClock).as_secs() >= expires_at;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while !has_expired() {
        ticks.tick().await;
    }
    assert_eq!(reason(verifier.verify(&token).await), Reason::Expired);
}
