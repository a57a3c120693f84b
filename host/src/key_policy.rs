//! The default key policy.

use crate::{bindings::exports::poolgate::auth::verifier::KeyPolicy, random::random_number};

// The host does not link the core, so these defaults also exist in guest/core/src/config/key_policy.rs.
impl Default for KeyPolicy {
    /// Returns the recommended policy. All durations are in seconds:
    ///
    /// * `soft_ttl` 3,600: a key set is refreshed after 1 hour, if `Cache-Control: max-age` does not specify another time.
    /// * `soft_ttl_min` 300, `soft_ttl_max` 3,600: the range for a time from `max-age`.
    /// * `hard_ttl` 86,400: a key set is not used after 24 hours.
    /// * `retry_min` 1, `retry_max` 60: the back-off after a failed fetch.
    /// * `fetch_deadline` 30: a fetch without a result after 30 seconds counts as failed.
    /// * `unknown_key_fetches` 5, `unknown_key_interval` 10: the token bucket for fetches because of an unknown `kid`.
    ///   It holds 5 fetches and gains one every 10 seconds.
    /// * `unknown_key_ttl` 60, `unknown_key_entries` 256: a `kid` that a fetch did not return is cached as unknown for
    ///   1 minute, for at most 256 such `kid`s.
    /// * `jitter_seed`: a random number.
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
            jitter_seed: random_number(),
        }
    }
}
