//! The life of keys, as the contract states it, with the usual numbers.

use crate::bindings::exports::poolgate::auth::verifier::KeyPolicy;
use std::hash::{BuildHasher, RandomState};

impl Default for KeyPolicy {
    /// Fresh for an hour (5 minutes to an hour where the issuer says so), gone after a day; retries after 1 to 60 seconds;
    /// 5 fetches for unknown key IDs, one more every 10 seconds; 256 of them remembered for a minute. The jitter is drawn
    /// at random.
    fn default() -> Self {
        Self {
            soft_ttl: 3_600,
            soft_ttl_min: 300,
            soft_ttl_max: 3_600,
            hard_ttl: 86_400,
            retry_min: 1,
            retry_max: 60,
            fetch_deadline: 30,
            unknown_key_fetches: 5,
            unknown_key_interval: 10,
            unknown_key_ttl: 60,
            unknown_key_entries: 256,
            // The standard library seeds its hash maps from the system's randomness.
            jitter_seed: RandomState::new().hash_one(()),
        }
    }
}
