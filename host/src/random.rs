//! Random numbers that need not be secret.

use std::hash::{BuildHasher, RandomState};

/// Returns a random number. Do not use it for a key or a secret.
pub(crate) fn random_number() -> u64 {
    // The standard library seeds `RandomState` from the system's random number generator.
    RandomState::new().hash_one(())
}
