//! How long keys are used, and how often they are fetched: the numbers, their ranges and their defaults.

use super::error::ConfigError;

/// Configures how long keys are used and how often they are fetched. All times are in whole seconds.
///
/// # Defaults
///
/// | field | default |
/// |---|---|
/// | `soft_ttl` | 3,600 (1 hour) |
/// | `soft_ttl_min` | 300 (5 minutes) |
/// | `soft_ttl_max` | 3,600 (1 hour) |
/// | `hard_ttl` | 86,400 (1 day) |
/// | `retry_min` | 1 |
/// | `retry_max` | 60 |
/// | `fetch_deadline` | 30 |
/// | `unknown_key_fetches` | 5 |
/// | `unknown_key_interval` | 10 |
/// | `unknown_key_ttl` | 60 |
/// | `unknown_key_entries` | 256 |
/// | `jitter_seed` | 0 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The soft lifetime of a key set whose response has no `Cache-Control: max-age` (RFC 9111 section 5.2.2.1). After it, the key set is
    /// fetched again in the background; the current keys are still used meanwhile.
    pub soft_ttl: u32,
    /// The minimum soft lifetime, whatever `max-age` is. At least 1.
    pub soft_ttl_min: u32,
    /// The maximum soft lifetime, whatever `max-age` is. At most `hard_ttl`.
    pub soft_ttl_max: u32,
    /// The hard lifetime. No token is verified with a key set older than this.
    pub hard_ttl: u32,
    /// The wait after the first failed fetch. It doubles with each further failure, and jitter takes off up to one half. At least 1.
    pub retry_min: u32,
    /// The maximum wait between failed fetches. At least `retry_min`.
    pub retry_max: u32,
    /// The time after which a fetch without a result counts as failed. At least 1.
    pub fetch_deadline: u32,
    /// The capacity of the token bucket that limits fetches for unknown key IDs, for each JWKS endpoint; at most 1,000. With 0, an unknown
    /// key ID never causes a fetch.
    pub unknown_key_fetches: u32,
    /// The interval at which the token bucket gains one fetch. At least 1.
    pub unknown_key_interval: u32,
    /// How long a key ID that no key set has stays in the negative cache.
    pub unknown_key_ttl: u32,
    /// The capacity of the negative cache, for all issuers together; at most 65,536.
    pub unknown_key_entries: u32,
    /// Spreads the refreshes and retries of several verifiers over time. Any number; preferably a random one.
    pub jitter_seed: u64,
}

impl KeyPolicy {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let fits = 1 <= self.soft_ttl_min
            && self.soft_ttl_min <= self.soft_ttl_max
            && (self.soft_ttl_min..=self.soft_ttl_max).contains(&self.soft_ttl)
            && self.soft_ttl_max <= self.hard_ttl
            && 1 <= self.retry_min
            && self.retry_min <= self.retry_max
            && 1 <= self.fetch_deadline
            && self.unknown_key_fetches <= 1_000
            && 1 <= self.unknown_key_interval
            && self.unknown_key_entries <= 65_536;
        if fits { Ok(()) } else { Err(ConfigError::OutOfRange) }
    }

    /// Returns the soft lifetime for a response with this `max-age`.
    pub(crate) fn soft_ttl(&self, max_age: Option<u64>) -> u64 {
        let soft_ttl = max_age.unwrap_or(self.soft_ttl.into());
        soft_ttl.clamp(self.soft_ttl_min.into(), self.soft_ttl_max.into())
    }
}

// The host does not link the core, so these defaults also exist in host/src/key_policy.rs.
impl Default for KeyPolicy {
    /// Returns the values of the table above.
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
            jitter_seed: 0,
        }
    }
}
