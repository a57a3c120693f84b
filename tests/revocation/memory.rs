//! The store in memory: lifetimes and the capacity.

use crate::{
    manual_clock::ManualClock,
    scene::{REVOKED, builder, draft, in_memory, token, verdict, with_keys},
};
use poolgate::revocation::{
    InMemory, MAX_COGNITO_TOKEN_LIFETIME, Revocation, RevocationError, RevocationMode, Revocations,
};
use poolgate_tests::minting::{ISSUER, NOW};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};

const DAY: u64 = MAX_COGNITO_TOKEN_LIFETIME.as_secs();

#[tokio::test]
async fn an_entry_lives_for_the_configured_time_by_the_verifiers_clock() {
    let clock = ManualClock::at(NOW);
    let store = Arc::new(in_memory(10));
    let verifier = with_keys(builder(&clock).revocations(store, RevocationMode::FailClosed)).await;
    verifier.revoke(&token()).await.expect("it is stored");
    for (ahead, expected) in [(0, Err(REVOKED)), (DAY - 1, Err(REVOKED)), (1, Ok(()))] {
        clock.advance(ahead);
        // The keys would be too old at that time.
        let set =
            poolgate_tests::keys::jwks(&[poolgate_tests::keys::RSA_2048
                .jwk_for(poolgate_core::Algorithm::Rs256, poolgate_tests::minting::KEY_ID)]);
        let now = poolgate::Clock::now(&clock).as_secs();
        verifier.load_key_set(ISSUER, set, now).await.expect("valid keys");
        assert_eq!(verdict(&verifier, draft()).await, expected, "{ahead} seconds on");
    }
}

#[tokio::test]
async fn lifetimes_are_rounded_up_to_seconds_and_extended_by_a_second_revocation() {
    let store = InMemory::new(Duration::from_millis(1_500), NonZeroUsize::MIN);
    let token = token();
    let verifier =
        with_keys(builder(&ManualClock::at(NOW)).revocations(Arc::new(store), RevocationMode::FailClosed)).await;
    verifier.revoke(&token).await.expect("it is stored");
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));

    let store = InMemory::new(Duration::from_millis(1_500), NonZeroUsize::MIN);
    let other = Revocation::token(ISSUER, "other");
    store.revoke(&token, NOW).await.expect("the store is not full");
    assert_eq!(store.revoke(&other, NOW + 1).await, Err(RevocationError::Full), "it lives for two seconds");
    store.revoke(&token, NOW + 1).await.expect("the entry exists");
    assert_eq!(store.revoke(&other, NOW + 2).await, Err(RevocationError::Full), "it lives for one more second");
    store.revoke(&other, NOW + 3).await.expect("the first entry has expired");
    assert_eq!(store.entries(), 1);
}

#[tokio::test]
async fn a_full_store_returns_an_error_and_evicts_no_entry() {
    let store = Arc::new(in_memory(3));
    let verifier = with_keys(builder(&ManualClock::at(NOW)).revocations(store.clone(), RevocationMode::FailOpen)).await;
    verifier.revoke(&token()).await.expect("the store is not full");
    for number in 0..2 {
        let other = Revocation::token(ISSUER, number.to_string());
        verifier.revoke(&other).await.expect("the store is not full");
    }
    for number in 2..100 {
        let other = Revocation::token(ISSUER, number.to_string());
        assert_eq!(verifier.revoke(&other).await, Err(RevocationError::Full));
    }
    assert_eq!(store.entries(), 3);
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    verifier.revoke(&token()).await.expect("an existing entry needs no capacity");
    assert_eq!(crate::scene::metric(&verifier, "poolgate_revocations_total{outcome=\"full\"}").await, 98);
}
