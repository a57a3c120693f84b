//! The model: the keys that are held, the fetches in progress, and what is known to be missing. It has only what the oracles need.

use super::event::FetchResult;
use crate::scene::load_balancer::KEYS;
use poolgate_core::{FetchError, KeyPolicy, KeySetError};
use std::collections::HashMap;

/// Seconds since the start of the model.
pub(super) type Seconds = u64;

/// Large enough that nothing is older than the model.
const ORIGIN: Seconds = 1 << 40;
/// The maximum number of keys, and of keys that are fetched for the first time.
pub(super) const PLACES: usize = 64;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) policy: KeyPolicy,
    /// It never goes back.
    pub(super) now: Seconds,
    clock: Option<u64>,
    pub(super) held: HashMap<String, Held>,
    /// The deadlines of fetches of keys that are not held.
    pub(super) first_fetches: HashMap<String, Seconds>,
    /// When a fetch last showed that a key does not exist, or can't be used.
    unknown_since: HashMap<String, Seconds>,
    pub(super) failures: u32,
    /// No first fetch starts before the first time, and one may start from the second on.
    retry: Option<(Seconds, Seconds)>,
    /// First fetches that started here.
    first_fetches_so_far: u64,
    /// All that may have taken from the token bucket.
    taken: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) key: u8,
    obtained: Seconds,
    /// The end of the soft lifetime, with the maximum jitter and with none.
    refresh: (Seconds, Seconds),
    expires: Seconds,
    /// When a signature was last verified with the key: the earliest and the latest possible time. A cache hit verifies none.
    pub(super) used: Option<(Seconds, Seconds)>,
    in_progress: Option<Seconds>,
    failures: u32,
    retry: Option<(Seconds, Seconds)>,
}

impl Model {
    pub(super) fn new(policy: KeyPolicy) -> Self {
        Self {
            policy,
            now: ORIGIN,
            clock: None,
            held: HashMap::new(),
            first_fetches: HashMap::new(),
            unknown_since: HashMap::new(),
            failures: 0,
            retry: None,
            first_fetches_so_far: 0,
            taken: 0,
        }
    }

    pub(super) fn advance(&mut self, clock: u64) {
        self.now += self.clock.map_or(0, |last| clock.saturating_sub(last));
        self.clock = Some(clock);
    }

    /// Returns the key of an ID, within its hard lifetime.
    pub(super) fn key(&self, key_id: &str) -> Option<u8> {
        self.held.get(key_id).filter(|held| self.now < held.expires).map(|held| held.key)
    }

    /// Returns whether a key is past its soft lifetime, or `None` if it depends on jitter.
    pub(super) fn is_stale(&self, key_id: &str) -> Option<bool> {
        self.held.get(key_id).and_then(|held| is_past(self.now, held.refresh))
    }

    pub(super) fn note_use(&mut self, key_id: &str, is_certain: bool) {
        let now = self.now;
        if let Some(held) = self.held.get_mut(key_id) {
            let earliest = held.used.map_or(now, |(earliest, _)| if is_certain { now } else { earliest });
            held.used = Some((earliest, now));
        }
    }

    /// Starts a fetch for a token. Checks that no other fetch of the key is in progress, that the back-off has passed, and that the token
    /// bucket allows it.
    pub(super) fn begin(&mut self, key_id: &str) {
        self.end_overdue();
        let (now, policy) = (self.now, self.policy);
        let deadline = now + u64::from(policy.fetch_deadline);
        if let Some(held) = self.held.get_mut(key_id) {
            assert!(held.in_progress.is_none(), "a second fetch of {key_id} at {now}: {held:?}");
            assert!(held.retry.is_none_or(|(earliest, _)| now >= earliest), "no back-off at {now}: {held:?}");
            held.in_progress = Some(deadline);
            return;
        }
        assert!(!self.must_be_unknown(key_id), "{key_id} is in the negative cache: {self:?}");
        assert!(self.retry.is_none_or(|(earliest, _)| now >= earliest), "no back-off at {now}: {self:?}");
        let other = self.first_fetches.insert(key_id.to_owned(), deadline);
        assert_eq!(other, None, "a second fetch of {key_id} at {now}");
        assert!(self.first_fetches.len() <= PLACES, "{} first fetches", self.first_fetches.len());
        self.first_fetches_so_far += 1;
        self.taken += 1;
        let most = u64::from(policy.unknown_key_fetches) + (now - ORIGIN) / u64::from(policy.unknown_key_interval);
        assert!(self.first_fetches_so_far <= most, "{} first fetches, at most {most}", self.first_fetches_so_far);
    }

    /// Starts a refresh. Checks that the key was used lately and that it is due.
    pub(super) fn begin_refresh(&mut self, key_id: &str) {
        let (now, policy) = (self.now, self.policy);
        let held = self.held.get_mut(key_id).unwrap_or_else(|| panic!("{key_id} is not held"));
        assert!(held.in_progress.is_none() && held.may_refresh(now, &policy), "{key_id} at {now}: {held:?}");
        held.in_progress = Some(now + u64::from(policy.fetch_deadline));
    }

    /// Returns whether the refresh of a key must start now.
    pub(super) fn must_refresh(&self, key_id: &str) -> bool {
        let (now, policy) = (self.now, self.policy);
        let in_use = |held: &Held| held.used.is_some_and(|(earliest, _)| now - earliest <= policy.soft_ttl_max.into());
        self.held.get(key_id).is_some_and(|held| {
            let is_due = now >= held.refresh.1 || held.failures > 0;
            let may_start = held.in_progress.is_none() && held.retry.is_none_or(|(_, latest)| now >= latest);
            now < held.expires && in_use(held) && is_due && may_start
        })
    }

    /// Marks fetches that are past their deadline as failed.
    pub(super) fn end_overdue(&mut self) {
        let (now, policy) = (self.now, self.policy);
        for held in self.held.values_mut() {
            if held.in_progress.is_some_and(|deadline| now >= deadline) {
                held.in_progress = None;
                held.fail(now, &policy);
            }
        }
        let before = self.first_fetches.len();
        self.first_fetches.retain(|_, deadline| now < *deadline);
        if self.first_fetches.len() < before {
            self.fail(now);
        }
    }

    /// Removes the keys that are past their hard lifetime and are not being fetched.
    pub(super) fn drop_expired(&mut self) {
        let now = self.now;
        self.held.retain(|_, held| held.in_progress.is_some() || now < held.expires);
    }

    pub(super) fn is_in_progress(&self, key_id: &str) -> bool {
        let held = self.held.get(key_id);
        held.is_some_and(|held| held.in_progress.is_some()) || self.first_fetches.contains_key(key_id)
    }

    /// Returns whether the back-off of a key, or of first fetches, may not have passed.
    pub(super) fn is_backing_off(&self, key_id: &str) -> bool {
        let retry = self.held.get(key_id).map_or(self.retry, |held| held.retry);
        retry.is_some_and(|(_, latest)| self.now < latest)
    }

    /// Returns whether a key ID may be in the negative cache.
    pub(super) fn may_be_unknown(&self, key_id: &str) -> bool {
        let since = self.unknown_since.get(key_id);
        since.is_some_and(|since| self.now - since < u64::from(self.policy.unknown_key_ttl))
    }

    /// Returns whether a key ID must be in the negative cache: it has room for all that are missing.
    fn must_be_unknown(&self, key_id: &str) -> bool {
        self.may_be_unknown(key_id) && self.unknown_since.len() <= self.policy.unknown_key_entries as usize
    }

    /// Returns whether a token with this key ID must cause a fetch.
    pub(super) fn must_fetch(&self, key_id: &str) -> bool {
        let has_tokens = self.taken < u64::from(self.policy.unknown_key_fetches) && self.first_fetches.len() < PLACES;
        self.key(key_id).is_none()
            && !self.is_in_progress(key_id)
            && !self.is_backing_off(key_id)
            && (self.held.contains_key(key_id) || has_tokens && !self.may_be_unknown(key_id))
    }

    /// Applies the result of a fetch. Returns whether a key was admitted or has changed.
    pub(super) fn fetched(
        &mut self,
        key_id: &str,
        clock: u64,
        ended_at: u64,
        result: FetchResult,
    ) -> Result<bool, KeySetError> {
        let obtained = self.now - clock.saturating_sub(ended_at);
        let policy = self.policy;
        let malformed = match result.is_unusable_block() {
            true => KeySetError::NoUsableKey,
            false => KeySetError::Malformed,
        };
        if let Some(held) = self.held.get_mut(key_id) {
            held.in_progress = None;
            let is_older = held.obtained > obtained;
            let renewed = |key| Held { used: held.used, ..Held::new(key, obtained, result.max_age(), &policy) };
            return match result {
                FetchResult::Nothing(_) => {
                    held.fail(obtained, &policy);
                    Ok(false)
                }
                _ if is_older => Err(KeySetError::OlderThanCurrent),
                FetchResult::Junk(_) => {
                    held.fail(obtained, &policy);
                    Err(malformed)
                }
                FetchResult::NotModified => {
                    *held = renewed(held.key);
                    Ok(false)
                }
                FetchResult::Key { key, .. } => {
                    let has_changed = held.key != key % KEYS;
                    *held = renewed(key % KEYS);
                    Ok(has_changed)
                }
            };
        }
        let was_needed = self.first_fetches.remove(key_id).is_some();
        self.taken += u64::from(!was_needed);
        match result {
            FetchResult::NotModified => {
                // If it was not needed, it was the refresh of another verifier, and says nothing.
                if was_needed {
                    self.fail(obtained);
                }
                Err(KeySetError::NotModifiedWithoutKeys)
            }
            FetchResult::Nothing(_) if result.error() != Some(FetchError::BadStatus) => {
                self.fail(obtained);
                Ok(false)
            }
            FetchResult::Nothing(_) => {
                self.answer();
                self.unknown_since.insert(key_id.to_owned(), obtained);
                Ok(false)
            }
            FetchResult::Junk(_) => {
                self.answer();
                self.unknown_since.insert(key_id.to_owned(), obtained);
                Err(malformed)
            }
            FetchResult::Key { key, .. } => {
                self.answer();
                let held = Held::new(key % KEYS, obtained, result.max_age(), &policy);
                self.held.insert(key_id.to_owned(), held);
                Ok(true)
            }
        }
    }

    /// Returns the times at which something begins or ends.
    pub(super) fn edges(&self) -> Vec<Seconds> {
        let of_key = |held: &Held| {
            let retry = held.retry.iter().flat_map(|(earliest, latest)| [*earliest, *latest]);
            let used = held.used.map(|(_, latest)| latest + u64::from(self.policy.soft_ttl_max));
            let own = [held.expires, held.refresh.0, held.refresh.1];
            own.into_iter().chain(held.in_progress).chain(used).chain(retry).collect::<Vec<_>>()
        };
        let retry = self.retry.iter().flat_map(|(earliest, latest)| [*earliest, *latest]);
        let unknown = self.unknown_since.values().map(|since| since + u64::from(self.policy.unknown_key_ttl));
        let mut edges: Vec<Seconds> = self.held.values().flat_map(of_key).collect();
        edges.extend(self.first_fetches.values().copied().chain(retry).chain(unknown));
        edges.sort_unstable();
        edges
    }

    fn answer(&mut self) {
        self.failures = 0;
        self.retry = None;
    }

    fn fail(&mut self, at: Seconds) {
        self.failures += 1;
        self.retry = Some(back_off(self.failures, at, &self.policy));
    }
}

impl Held {
    fn new(key: u8, obtained: Seconds, max_age: Option<u64>, policy: &KeyPolicy) -> Self {
        let soft_ttl = max_age.unwrap_or(policy.soft_ttl.into());
        let soft_ttl = soft_ttl.clamp(policy.soft_ttl_min.into(), policy.soft_ttl_max.into());
        Self {
            key,
            obtained,
            refresh: (obtained + soft_ttl - soft_ttl / 10, obtained + soft_ttl),
            expires: obtained + u64::from(policy.hard_ttl),
            used: None,
            in_progress: None,
            failures: 0,
            retry: None,
        }
    }

    fn may_refresh(&self, now: Seconds, policy: &KeyPolicy) -> bool {
        self.used.is_some_and(|(_, latest)| now - latest <= policy.soft_ttl_max.into())
            && (now >= self.refresh.0 || self.failures > 0)
            && self.retry.is_none_or(|(earliest, _)| now >= earliest)
    }

    fn fail(&mut self, at: Seconds, policy: &KeyPolicy) {
        self.failures += 1;
        self.retry = Some(back_off(self.failures, at, policy));
    }
}

/// Returns the earliest and the latest time of the next fetch.
fn back_off(failures: u32, at: Seconds, policy: &KeyPolicy) -> (Seconds, Seconds) {
    let delay = (1..failures).fold(u64::from(policy.retry_min), |delay, _| (delay * 2).min(1 << 40));
    let delay = delay.min(policy.retry_max.into());
    (at + delay.div_ceil(2), at + delay)
}

/// Returns whether a time within a range has passed, or `None` if `now` is in the range.
fn is_past(now: Seconds, (earliest, latest): (Seconds, Seconds)) -> Option<bool> {
    match now {
        _ if now >= latest => Some(true),
        _ if now < earliest => Some(false),
        _ => None,
    }
}
