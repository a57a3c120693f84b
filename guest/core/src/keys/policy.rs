//! What the operator states about the life of keys. Every number has a bound, and every default is here.

use crate::ConfigError;

/// How long keys live, and how often they may be asked for. Times are in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The soft lifetime where the response has no `Cache-Control: max-age` (RFC 9111 section 5.2.2.1). Then the keys are
    /// fetched anew, and still serve meanwhile.
    pub soft_ttl: u32,
    /// The least that `max-age` can make of the soft lifetime.
    pub soft_ttl_min: u32,
    /// The most that `max-age` can make of the soft lifetime.
    pub soft_ttl_max: u32,
    /// The hard lifetime: keys older than this never verify anything.
    pub hard_ttl: u32,
    /// The wait after the first failed fetch. It doubles with each further one.
    pub retry_min: u32,
    /// The most that the wait grows to.
    pub retry_max: u32,
    /// A fetch that has not ended after this has failed.
    pub fetch_deadline: u32,
    /// How many fetches for unknown key IDs can be made at once, for one endpoint. 0 means that none ever is.
    pub unknown_key_fetches: u32,
    /// The time after which one more such fetch may be made.
    pub unknown_key_interval: u32,
    /// How long a key ID is remembered for which no key was found.
    pub unknown_key_ttl: u32,
    /// How many such key IDs are remembered, of all issuers together.
    pub unknown_key_entries: u32,
    /// Spreads refreshes and retries of many verifiers over time. Any number; best a random one.
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

    /// The soft lifetime of keys that came with this `max-age`.
    pub(crate) fn soft_ttl(&self, max_age: Option<u64>) -> u64 {
        let stated = max_age.unwrap_or(self.soft_ttl.into());
        stated.clamp(self.soft_ttl_min.into(), self.soft_ttl_max.into())
    }
}

impl Default for KeyPolicy {
    /// Fresh for an hour (5 minutes to an hour where the issuer says so), gone after a day; retries after 1 to 60 seconds;
    /// 5 fetches for unknown key IDs, one more every 10 seconds; 256 of them remembered for a minute.
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
