//! Revoked tokens.

use super::scene::{builder, configuration, get, verdict};
use poolgate::revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME, Revocation, RevocationMode};
use poolgate_tests::{
    keys::RSA_2048,
    minting::{Draft, ISSUER, SUBJECT},
};
use std::{num::NonZeroUsize, sync::Arc};

#[tokio::test]
async fn a_revoked_token_is_rejected_everywhere_except_where_none_is_needed() {
    let store = Arc::new(InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, NonZeroUsize::new(100).expect("not zero")));
    let gate =
        builder(&configuration()).revocations(store, RevocationMode::FailClosed).build().await.expect("it builds");
    let token = Draft::access(&RSA_2048);
    for _ in 0..2 {
        assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "verified");
    }
    let everywhere = Revocation::user(ISSUER, SUBJECT, super::scene::now() + 1);
    gate.verifier().revoke(&everywhere).await.expect("it is stored");
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "401 revoked");
    assert_eq!(verdict(&gate.decide(&get("/optional", &token)).await), "401 revoked");
    assert_eq!(verdict(&gate.decide(&get("/reported", &token)).await), "reported revoked");
    assert_eq!(verdict(&gate.decide(&get("/public", &token)).await), "anonymous");
}
