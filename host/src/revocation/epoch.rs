//! The numbering of a revocation feed.

use std::hash::{BuildHasher, RandomState};

/// Returns a random number that is not zero, for a numbering that starts now.
pub(super) fn new_epoch() -> u64 {
    // The standard library seeds `RandomState` from the system's random number generator.
    RandomState::new().hash_one(()).max(1)
}
