//! A verifier with keys, a clock that a test moves, and a store.

use crate::manual_clock::ManualClock;
use poolgate::{
    Denial, ErrorCode, Pool, Reason, TokenUseRule, Verifier, VerifierBuilder,
    revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME, Redis, Revocation, RevocationMode, Revocations},
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};

/// The second issuer form of the pool of `ISSUER`.
pub const SECOND_FORM: &str = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01";
/// Another pool with the same clients and keys.
pub const OTHER_POOL: &str = "eu-west-1_EXAMPLE02";
pub const OTHER_ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE02";
/// Both forms of the first pool.
pub const ISSUER_FORMS: [&str; 2] = [ISSUER, SECOND_FORM];
pub const JTI: &str = "33333333-4444-4555-8666-777777777777";
pub const ORIGIN_JTI: &str = "11111111-2222-4333-8444-555555555555";
/// When the user of the tokens signed in.
pub const SIGNED_IN: u64 = NOW - 60;
/// A timeout that is not reached even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const REVOKED: Denial =
    Denial { reason: Reason::Revoked, error: ErrorCode::InvalidToken, hint: None, misfit: None };
pub const UNAVAILABLE: Denial =
    Denial { reason: Reason::RevocationUnavailable, error: ErrorCode::Unavailable, hint: None, misfit: None };

/// Two pools that accept access and ID tokens.
pub fn builder(clock: &ManualClock) -> VerifierBuilder {
    let pool = |id| Pool::user_pool(id).client_ids([CLIENT_ID]).token_use(TokenUseRule::AccessOrId).local_keys_only();
    Verifier::builder()
        .pool(pool(POOL_ID))
        .pool(pool(OTHER_POOL))
        .clock(clock.clone())
        .instances(NonZeroUsize::new(2).expect("two"))
        .queue_deadline(PATIENCE)
        .call_deadline(PATIENCE)
        .revocation_deadline(PATIENCE)
        .disable_background_refresh()
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

pub async fn with_keys(builder: VerifierBuilder) -> Verifier {
    let verifier = builder.build().await.expect("the verifier builds");
    for issuer in [ISSUER, OTHER_ISSUER] {
        let set = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
        verifier.load_key_set(issuer, set, NOW).await.expect("valid keys");
    }
    verifier
}

pub async fn with_store(store: Arc<dyn Revocations>, mode: RevocationMode) -> Verifier {
    with_keys(builder(&ManualClock::at(NOW)).revocations(store, mode)).await
}

pub fn in_memory(capacity: usize) -> InMemory {
    InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, NonZeroUsize::new(capacity).expect("more than none"))
}

/// A store for a URL, with a time-out shorter than the deadline of the verifier.
pub fn redis(url: &str) -> Redis {
    Redis::open(&url.into(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE / 2).expect("a valid URL")
}

/// A token that expires in two days.
pub fn draft() -> Draft {
    Draft::access(&RSA_2048).claim("exp", NOW + 2 * 86_400)
}

/// Another token of the same user and sign-in.
pub fn sibling() -> Draft {
    draft().claim("jti", "\"sibling\"")
}

/// A token of another sign-in of the same user.
pub fn other_sign_in() -> Draft {
    sibling().claim("origin_jti", "\"other\"")
}

pub fn token() -> Revocation {
    Revocation::token(ISSUER, JTI)
}

/// Returns the verdict on a token.
pub async fn verdict(verifier: &Verifier, draft: Draft) -> Result<(), Denial> {
    verifier.verify(&draft.compact()).await.map(|_| ())
}

/// Returns the value of a metric, or 0 if it does not exist yet.
pub async fn metric(verifier: &Verifier, name: &str) -> u64 {
    let text = verifier.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().expect("a number"))
}
