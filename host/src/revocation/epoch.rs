//! The numbering of a revocation feed.

use crate::random::random_number;

/// Returns a random number that is not zero, for a numbering that starts now.
pub(super) fn new_epoch() -> u64 {
    random_number().max(1)
}
