//! Tokens for the measurements of the token cache. They are signed with Ed25519, because signing is fast; the cache works the same for all
//! algorithms.

use poolgate::{FixedClock, Pool, TokenUseRule, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{ED25519, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, NOW, POOL_ID},
};
use std::num::NonZeroUsize;
use tokio::runtime::Runtime;

/// A verifier with one instance and a token cache of this size.
///
/// # Panics
/// Panics if the verifier cannot be built.
pub fn verifier(runtime: &Runtime, bytes: u32, entries: u32) -> Verifier {
    runtime.block_on(async {
        let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        let pool = pool.algorithms([poolgate::Algorithm::Eddsa]).local_keys_only();
        let builder = Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).instances(NonZeroUsize::MIN);
        let verifier = builder.token_cache(bytes, entries).build().await.expect("the verifier builds");
        let key = ED25519.jwk_for(Algorithm::EdDsa, "ed");
        verifier.load_key_set(ISSUER, jwks(&[key]), NOW).await.expect("the key is valid");
        verifier
    })
}

/// `count` different tokens that the verifier accepts.
pub fn tokens(count: usize) -> Vec<String> {
    let draft = || Draft::access(&ED25519).signed_with(&ED25519, Algorithm::EdDsa).header("kid", "\"ed\"");
    (0..count).map(|number| draft().claim("jti", format!("\"{number:036}\"")).compact()).collect()
}
