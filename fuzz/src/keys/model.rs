//! The model: the current keys, the fetches in progress, and the fetches that may start. It has only what the oracles need.

use super::{Seconds, event::FetchResult, event::Keys, soft_ttl};
use poolgate_core::{KeyPolicy, KeySetError};
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) policy: KeyPolicy,
    /// It never goes back.
    pub(super) now: Seconds,
    clock: Option<u64>,
    pub(super) endpoints: Vec<Endpoint>,
    /// The endpoint of each issuer.
    pub(super) endpoint_for: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: Option<&'static str>,
    pub(super) current: Option<CurrentKeys>,
    pub(super) in_progress: Option<FetchInProgress>,
    pub(super) failures: u32,
    /// For each successful fetch, when it started and the keys of the current set after it.
    shown: Vec<(u64, Keys)>,
    /// Whether the current keys are those of the last successful fetch.
    is_shown_by_fetch: bool,
    /// When a fetch last showed that a key does not exist.
    unknown_since: HashMap<u8, Seconds>,
    /// No fetch starts before the first time, and a fetch may start from the second on.
    retry: Option<(Seconds, Seconds)>,
    /// Fetches for unknown key IDs so far.
    for_unknown: u64,
}

#[derive(Debug)]
pub(super) struct FetchInProgress {
    started: Seconds,
    overdue: Seconds,
}

#[derive(Debug)]
pub(super) struct CurrentKeys {
    pub(super) keys: Keys,
    pub(super) obtained: Seconds,
    /// The end of the soft lifetime, with the maximum jitter and with none.
    refresh: (Seconds, Seconds),
    pub(super) expires: Seconds,
}

/// Large enough that nothing is older than the model.
const ORIGIN: Seconds = 1 << 40;

impl Model {
    pub(super) fn new(policy: KeyPolicy, urls: &[Option<&'static str>]) -> Self {
        let mut model = Self { policy, now: ORIGIN, clock: None, endpoints: Vec::new(), endpoint_for: Vec::new() };
        for url in urls {
            let known = model.endpoints.iter().position(|endpoint| url.is_some() && endpoint.url == *url);
            model.endpoint_for.push(known.unwrap_or(model.endpoints.len()));
            if known.is_none() {
                let endpoint = Endpoint {
                    url: *url,
                    current: None,
                    in_progress: None,
                    failures: 0,
                    shown: Vec::new(),
                    is_shown_by_fetch: false,
                    unknown_since: HashMap::new(),
                    retry: None,
                    for_unknown: 0,
                };
                model.endpoints.push(endpoint);
            }
        }
        model
    }

    pub(super) fn advance(&mut self, clock: u64) {
        self.now += self.clock.map_or(0, |last| clock.saturating_sub(last));
        self.clock = Some(clock);
    }

    /// Starts a fetch. Checks that no other is in progress, that the back-off has passed, and that the token bucket allows it.
    pub(super) fn begin(&mut self, number: usize, is_for_unknown: bool) {
        self.end_overdue(number);
        let (now, policy) = (self.now, self.policy);
        let endpoint = &mut self.endpoints[number];
        assert!(endpoint.url.is_some(), "a fetch without a URL: {endpoint:?}");
        assert!(endpoint.in_progress.is_none(), "a second fetch at {now}: {endpoint:?}");
        assert!(endpoint.retry.is_none_or(|(earliest, _)| now >= earliest), "no back-off at {now}: {endpoint:?}");
        endpoint.for_unknown += u64::from(is_for_unknown);
        let most = u64::from(policy.unknown_key_fetches) + (now - ORIGIN) / u64::from(policy.unknown_key_interval);
        assert!(
            !is_for_unknown || policy.unknown_key_fetches > 0,
            "a fetch for an unknown key ID, although the bucket has none"
        );
        assert!(
            endpoint.for_unknown <= most,
            "{} fetches for unknown key IDs at {now}, at most {most}",
            endpoint.for_unknown
        );
        assert!(
            !is_for_unknown || endpoint.is_usable(now) || endpoint.rejects_any(now),
            "a fetch for one key ID, although there are no keys"
        );
        endpoint.in_progress = Some(FetchInProgress { started: now, overdue: now + u64::from(policy.fetch_deadline) });
    }

    pub(super) fn end_overdue(&mut self, number: usize) {
        let (now, policy) = (self.now, self.policy);
        let endpoint = &mut self.endpoints[number];
        if endpoint.in_progress.as_ref().is_some_and(|in_progress| now >= in_progress.overdue) {
            endpoint.in_progress = None;
            endpoint.fail(now, &policy);
        }
    }

    /// Returns whether a key may be unknown: a fetch that started after its token was received has ended without it.
    pub(super) fn was_fetched_after(&self, number: usize, key: u8, received_at: u64) -> bool {
        let endpoint = &self.endpoints[number];
        endpoint.shown.iter().any(|(started_at, keys)| *started_at > received_at && !keys.has(key))
    }

    /// Returns whether a missing key must be unknown, so that no fetch is required.
    pub(super) fn must_be_unknown(&self, number: usize, received_at: u64) -> bool {
        let endpoint = &self.endpoints[number];
        endpoint.is_shown_by_fetch && endpoint.shown.last().is_some_and(|(started_at, _)| *started_at > received_at)
    }

    pub(super) fn note_unknown(&mut self, number: usize, key: u8, since: Seconds) {
        let latest = self.endpoints[number].unknown_since.entry(key).or_insert(since);
        *latest = since.max(*latest);
    }

    /// Returns whether a key ID may be in the negative cache.
    pub(super) fn is_cached_unknown(&self, number: usize, key: u8) -> bool {
        let since = self.endpoints[number].unknown_since.get(&key);
        since.is_some_and(|since| self.now - since < u64::from(self.policy.unknown_key_ttl))
    }

    /// Returns whether the back-off may not have passed.
    pub(super) fn is_backing_off(&self, number: usize) -> bool {
        self.endpoints[number].retry.is_some_and(|(_, latest)| self.now < latest)
    }

    /// Returns whether a fetch is due now, or `None` if it depends on jitter.
    pub(super) fn is_due(&self, number: usize) -> Option<bool> {
        let (endpoint, now) = (&self.endpoints[number], self.now);
        if endpoint.url.is_none() || endpoint.in_progress.is_some() {
            return Some(false);
        }
        let retry = endpoint.retry.map_or(Some(true), |range| is_past(now, range));
        let refresh = match &endpoint.current {
            Some(current) if current.keys.is_usable() && endpoint.failures == 0 => is_past(now, current.refresh),
            _ => Some(true),
        };
        match (retry, refresh) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Applies the result of a fetch, and returns whether the keys have changed.
    pub(super) fn fetched(
        &mut self,
        number: usize,
        key: Option<u8>,
        started_at: u64,
        clock: u64,
        ended_at: u64,
        result: &FetchResult,
    ) -> Result<bool, KeySetError> {
        let obtained = self.now - clock.saturating_sub(ended_at);
        let policy = self.policy;
        let endpoint = &mut self.endpoints[number];
        endpoint.in_progress = None;
        let applied = match result {
            FetchResult::Nothing(_) => {
                endpoint.fail(obtained, &policy);
                return Ok(false);
            }
            FetchResult::Junk(_) => endpoint.check_age(obtained).and(Err(KeySetError::Malformed)),
            FetchResult::NotModified => endpoint.confirm(obtained, &policy),
            FetchResult::Keys { keys, max_age } => endpoint.take(*keys, obtained, *max_age, &policy),
        };
        match applied {
            Err(KeySetError::OlderThanCurrent) => (),
            Ok(_) if endpoint.current.as_ref().is_some_and(|current| current.keys.is_usable()) => {
                endpoint.succeed();
                let keys = endpoint.current.as_ref().expect("it is usable").keys;
                endpoint.shown.push((started_at, keys));
                endpoint.is_shown_by_fetch = true;
                // The token that caused the fetch was received before it started.
                if let Some(key) = key.filter(|key| !keys.has(*key)) {
                    self.note_unknown(number, key, obtained);
                }
            }
            Ok(_) | Err(_) => endpoint.fail(obtained, &policy),
        }
        applied
    }

    /// Loads local keys, and returns whether the keys have changed.
    pub(super) fn load(&mut self, number: usize, clock: u64, fetched_at: u64, keys: Keys) -> Result<bool, KeySetError> {
        let age = clock.saturating_sub(fetched_at);
        let obtained = self.now - age;
        if age >= u64::from(self.policy.hard_ttl) {
            return Err(KeySetError::TooOld);
        }
        let endpoint = &mut self.endpoints[number];
        let applied = endpoint.take(keys, obtained, None, &self.policy)?;
        endpoint.is_shown_by_fetch = false;
        if endpoint.in_progress.as_ref().is_some_and(|in_progress| in_progress.started <= obtained) {
            endpoint.in_progress = None;
            endpoint.succeed();
        }
        Ok(applied)
    }
}

/// Returns whether a time within a range has passed, or `None` if `now` is in the range.
fn is_past(now: Seconds, (earliest, latest): (Seconds, Seconds)) -> Option<bool> {
    if now >= latest {
        Some(true)
    } else if now < earliest {
        Some(false)
    } else {
        None
    }
}

impl Endpoint {
    fn within_hard_ttl(&self, now: Seconds) -> Option<&CurrentKeys> {
        self.current.as_ref().filter(|current| now < current.expires)
    }

    pub(super) fn verifies(&self, key: u8, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_some_and(|current| current.keys.has(key))
    }

    pub(super) fn is_usable(&self, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_some_and(|current| current.keys.is_usable())
    }

    pub(super) fn rejects(&self, key: u8, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_some_and(|current| current.keys.has_spoiled(key))
    }

    fn rejects_any(&self, now: Seconds) -> bool {
        (0..crate::scene::KEYS).any(|key| self.rejects(key, now))
    }

    /// Returns whether the current keys are past their soft lifetime, or `None` if it depends on jitter or there are none.
    pub(super) fn is_stale(&self, now: Seconds) -> Option<bool> {
        self.current.as_ref().and_then(|current| is_past(now, current.refresh))
    }

    /// Returns the times at which something begins or ends.
    pub(super) fn edges(&self) -> Vec<Seconds> {
        let current = self.current.iter().flat_map(|current| [current.expires, current.refresh.0, current.refresh.1]);
        let in_progress = self.in_progress.iter().map(|in_progress| in_progress.overdue);
        current
            .chain(in_progress)
            .chain(self.retry.iter().flat_map(|(earliest, latest)| [*earliest, *latest]))
            .collect()
    }

    /// Returns whether there are no keys and a fetch may start.
    pub(super) fn must_fetch(&self, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_none()
            && self.url.is_some()
            && self.in_progress.is_none()
            && self.retry.is_none_or(|(_, latest)| now >= latest)
    }

    fn fail(&mut self, at: Seconds, policy: &KeyPolicy) {
        self.failures += 1;
        let delay = (0..self.failures - 1).fold(u64::from(policy.retry_min), |delay, _| (delay * 2).min(1 << 40));
        let delay = delay.min(policy.retry_max.into());
        self.retry = Some((at + delay.div_ceil(2), at + delay));
    }

    fn succeed(&mut self) {
        self.failures = 0;
        self.retry = None;
    }

    fn check_age(&self, obtained: Seconds) -> Result<(), KeySetError> {
        let is_older = self.current.as_ref().is_some_and(|current| current.obtained > obtained);
        if is_older { Err(KeySetError::OlderThanCurrent) } else { Ok(()) }
    }

    fn confirm(&mut self, obtained: Seconds, policy: &KeyPolicy) -> Result<bool, KeySetError> {
        self.check_age(obtained)?;
        let current = self.current.as_mut().ok_or(KeySetError::NotModifiedWithoutKeys)?;
        *current = CurrentKeys::new(current.keys, obtained, None, policy);
        Ok(false)
    }

    fn take(
        &mut self,
        keys: Keys,
        obtained: Seconds,
        max_age: Option<u16>,
        policy: &KeyPolicy,
    ) -> Result<bool, KeySetError> {
        self.check_age(obtained)?;
        let is_the_same = self.current.as_ref().is_some_and(|current| current.keys.is_like(keys));
        // A set without entries is rejected. One without usable keys does not replace one with usable keys.
        if !is_the_same && (keys.is_empty() || (!keys.is_usable() && self.is_usable(obtained))) {
            return Err(KeySetError::NoUsableKey);
        }
        self.current = Some(CurrentKeys::new(keys, obtained, max_age, policy));
        Ok(!is_the_same)
    }
}

impl CurrentKeys {
    fn new(keys: Keys, obtained: Seconds, max_age: Option<u16>, policy: &KeyPolicy) -> Self {
        let soft_ttl = soft_ttl(policy, max_age);
        let refresh = (obtained + soft_ttl - soft_ttl / 10, obtained + soft_ttl);
        Self { keys, obtained, refresh, expires: obtained + u64::from(policy.hard_ttl) }
    }
}
