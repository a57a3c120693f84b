//! Verifies tokens: the verifier, the verdicts, the steps of a verification, and the cache lookup.

mod cached;
mod explained;
mod id_token;
mod interrupt;
mod issuer_index;
#[cfg(feature = "ecdsa")]
mod load_balancer_explained;
#[cfg(feature = "ecdsa")]
mod load_balancer_index;
#[cfg(feature = "ecdsa")]
mod load_balancer_steps;
mod steps;
mod tenants;
mod token_verifier;
mod verdict;

pub use token_verifier::Verifier;
pub use verdict::{CacheHit, Misfit, Step, Verified, VerifyOutcome};
