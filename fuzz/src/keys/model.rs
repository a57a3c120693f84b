//! What is held, what is under way, and what may be asked for: as little as the promises need.

use super::{Seconds, event::Brought, event::Keys, soft_ttl};
use poolgate_core::{KeyPolicy, KeySetError};
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) policy: KeyPolicy,
    /// Only goes forward.
    pub(super) now: Seconds,
    clock: Option<u64>,
    pub(super) places: Vec<Place>,
    /// The place of each issuer.
    pub(super) place_of: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) url: Option<&'static str>,
    pub(super) held: Option<Held>,
    /// When the fetch under way is overdue.
    pub(super) flight: Option<Flight>,
    pub(super) failures: u32,
    /// What each fetch has shown that showed which keys there are, and when it began.
    shown: Vec<(u64, Keys)>,
    /// Whether what is held is what the last of them has shown.
    is_shown_by_fetch: bool,
    /// When it was last found that a key is not there.
    unknown_since: HashMap<u8, Seconds>,
    /// Before this nothing is asked for, and from the second on it may be.
    retry: Option<(Seconds, Seconds)>,
    /// Fetches for unknown key IDs so far.
    for_unknown: u64,
}

#[derive(Debug)]
pub(super) struct Flight {
    began: Seconds,
    overdue: Seconds,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) keys: Keys,
    pub(super) obtained: Seconds,
    /// The end of the soft lifetime, with the most that jitter takes off and with none.
    refresh: (Seconds, Seconds),
    pub(super) expires: Seconds,
}

/// So that nothing is older than the model.
const ORIGIN: Seconds = 1 << 40;

impl Model {
    pub(super) fn new(policy: KeyPolicy, urls: &[Option<&'static str>]) -> Self {
        let mut model = Self { policy, now: ORIGIN, clock: None, places: Vec::new(), place_of: Vec::new() };
        for url in urls {
            let known = model.places.iter().position(|place| url.is_some() && place.url == *url);
            model.place_of.push(known.unwrap_or(model.places.len()));
            if known.is_none() {
                let place = Place {
                    url: *url,
                    held: None,
                    flight: None,
                    failures: 0,
                    shown: Vec::new(),
                    is_shown_by_fetch: false,
                    unknown_since: HashMap::new(),
                    retry: None,
                    for_unknown: 0,
                };
                model.places.push(place);
            }
        }
        model
    }

    pub(super) fn advance(&mut self, clock: u64) {
        self.now += self.clock.map_or(0, |last| clock.saturating_sub(last));
        self.clock = Some(clock);
    }

    /// A fetch is asked for: one at a time, after the back-off, and not for a key ID beyond the bucket.
    pub(super) fn begin(&mut self, number: usize, is_for_unknown: bool) {
        self.end_overdue(number);
        let (now, policy) = (self.now, self.policy);
        let place = &mut self.places[number];
        assert!(place.url.is_some(), "a place without a URL is asked: {place:?}");
        assert!(place.flight.is_none(), "a second fetch at {now}: {place:?}");
        assert!(place.retry.is_none_or(|(earliest, _)| now >= earliest), "no back-off at {now}: {place:?}");
        place.for_unknown += u64::from(is_for_unknown);
        let most = u64::from(policy.unknown_key_fetches) + (now - ORIGIN) / u64::from(policy.unknown_key_interval);
        assert!(
            !is_for_unknown || policy.unknown_key_fetches > 0,
            "a fetch for an unknown key ID, and there must be none"
        );
        assert!(
            place.for_unknown <= most,
            "{} fetches for unknown key IDs at {now}, {most} at most",
            place.for_unknown
        );
        assert!(!is_for_unknown || place.is_usable(now) || place.refuses_any(now), "for one key, and there is none");
        place.flight = Some(Flight { began: now, overdue: now + u64::from(policy.fetch_deadline) });
    }

    pub(super) fn end_overdue(&mut self, number: usize) {
        let (now, policy) = (self.now, self.policy);
        let place = &mut self.places[number];
        if place.flight.as_ref().is_some_and(|flight| now >= flight.overdue) {
            place.flight = None;
            place.fail(now, &policy);
        }
    }

    /// The rule: a key is unknown only if a fetch that began after its token came has ended without it.
    pub(super) fn was_looked_for(&self, number: usize, key: u8, received_at: u64) -> bool {
        let place = &self.places[number];
        place.shown.iter().any(|(started_at, keys)| *started_at > received_at && !keys.has(key))
    }

    /// Then there is nothing to ask for.
    pub(super) fn must_be_unknown(&self, number: usize, received_at: u64) -> bool {
        let place = &self.places[number];
        place.is_shown_by_fetch && place.shown.last().is_some_and(|(started_at, _)| *started_at > received_at)
    }

    pub(super) fn is_unknown_since(&mut self, number: usize, key: u8, since: Seconds) {
        let latest = self.places[number].unknown_since.entry(key).or_insert(since);
        *latest = since.max(*latest);
    }

    /// Whether a key may be remembered as unknown.
    pub(super) fn remembers(&self, number: usize, key: u8) -> bool {
        let since = self.places[number].unknown_since.get(&key);
        since.is_some_and(|since| self.now - since < u64::from(self.policy.unknown_key_ttl))
    }

    /// Whether it may be that the back-off is not over.
    pub(super) fn is_backing_off(&self, number: usize) -> bool {
        self.places[number].retry.is_some_and(|(_, latest)| self.now < latest)
    }

    /// Whether a place must be asked now: none if jitter decides.
    pub(super) fn is_due(&self, number: usize) -> Option<bool> {
        let (place, now) = (&self.places[number], self.now);
        if place.url.is_none() || place.flight.is_some() {
            return Some(false);
        }
        let retry = place.retry.map_or(Some(true), |range| is_past(now, range));
        let refresh = match &place.held {
            Some(held) if held.keys.is_usable() && place.failures == 0 => is_past(now, held.refresh),
            _ => Some(true),
        };
        match (retry, refresh) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Takes the end of a fetch, and says whether the keys are others now.
    pub(super) fn fetched(
        &mut self,
        number: usize,
        key: Option<u8>,
        started_at: u64,
        clock: u64,
        ended_at: u64,
        brought: &Brought,
    ) -> Result<bool, KeySetError> {
        let obtained = self.now - clock.saturating_sub(ended_at);
        let policy = self.policy;
        let place = &mut self.places[number];
        place.flight = None;
        let taken = match brought {
            Brought::Nothing(_) => {
                place.fail(obtained, &policy);
                return Ok(false);
            }
            Brought::Junk(_) => place.check_age(obtained).and(Err(KeySetError::Malformed)),
            Brought::NotModified => place.confirm(obtained, &policy),
            Brought::Keys { keys, max_age } => place.take(*keys, obtained, *max_age, &policy),
        };
        match taken {
            Err(KeySetError::OlderThanCurrent) => (),
            Ok(_) if place.held.as_ref().is_some_and(|held| held.keys.is_usable()) => {
                place.succeed();
                let keys = place.held.as_ref().expect("it is usable").keys;
                place.shown.push((started_at, keys));
                place.is_shown_by_fetch = true;
                // It was asked for because of a token that had come.
                if let Some(key) = key.filter(|key| !keys.has(*key)) {
                    self.is_unknown_since(number, key, obtained);
                }
            }
            Ok(_) | Err(_) => place.fail(obtained, &policy),
        }
        taken
    }

    /// Takes keys that were brought, and says whether they are others now.
    pub(super) fn seed(&mut self, number: usize, clock: u64, fetched_at: u64, keys: Keys) -> Result<bool, KeySetError> {
        let age = clock.saturating_sub(fetched_at);
        let obtained = self.now - age;
        if age >= u64::from(self.policy.hard_ttl) {
            return Err(KeySetError::TooOld);
        }
        let place = &mut self.places[number];
        let taken = place.take(keys, obtained, None, &self.policy)?;
        place.is_shown_by_fetch = false;
        if place.flight.as_ref().is_some_and(|flight| flight.began <= obtained) {
            place.flight = None;
            place.succeed();
        }
        Ok(taken)
    }
}

/// Whether a moment between two is past: none if it is between them.
fn is_past(now: Seconds, (earliest, latest): (Seconds, Seconds)) -> Option<bool> {
    if now >= latest {
        Some(true)
    } else if now < earliest {
        Some(false)
    } else {
        None
    }
}

impl Place {
    fn within_hard_ttl(&self, now: Seconds) -> Option<&Held> {
        self.held.as_ref().filter(|held| now < held.expires)
    }

    pub(super) fn verifies(&self, key: u8, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_some_and(|held| held.keys.has(key))
    }

    pub(super) fn is_usable(&self, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_some_and(|held| held.keys.is_usable())
    }

    pub(super) fn refuses(&self, key: u8, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_some_and(|held| held.keys.has_spoiled(key))
    }

    fn refuses_any(&self, now: Seconds) -> bool {
        (0..crate::scene::KEYS).any(|key| self.refuses(key, now))
    }

    /// Whether what is held is past its soft lifetime: none if jitter decides, or nothing is held.
    pub(super) fn is_stale(&self, now: Seconds) -> Option<bool> {
        self.held.as_ref().and_then(|held| is_past(now, held.refresh))
    }

    /// The moments at which something begins or ends.
    pub(super) fn edges(&self) -> Vec<Seconds> {
        let held = self.held.iter().flat_map(|held| [held.expires, held.refresh.0, held.refresh.1]);
        let flight = self.flight.iter().map(|flight| flight.overdue);
        held.chain(flight).chain(self.retry.iter().flat_map(|(earliest, latest)| [*earliest, *latest])).collect()
    }

    /// Whether nothing is held, and nothing forbids to ask.
    pub(super) fn must_ask(&self, now: Seconds) -> bool {
        self.within_hard_ttl(now).is_none()
            && self.url.is_some()
            && self.flight.is_none()
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
        let is_older = self.held.as_ref().is_some_and(|held| held.obtained > obtained);
        if is_older { Err(KeySetError::OlderThanCurrent) } else { Ok(()) }
    }

    fn confirm(&mut self, obtained: Seconds, policy: &KeyPolicy) -> Result<bool, KeySetError> {
        self.check_age(obtained)?;
        let held = self.held.as_mut().ok_or(KeySetError::NotModifiedWithoutKeys)?;
        *held = Held::new(held.keys, obtained, None, policy);
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
        let is_the_same = self.held.as_ref().is_some_and(|held| held.keys.is_like(keys));
        // A set that has no entry is none; one that has no usable one takes no usable one's place.
        if !is_the_same && (keys.is_empty() || (!keys.is_usable() && self.is_usable(obtained))) {
            return Err(KeySetError::NoUsableKey);
        }
        self.held = Some(Held::new(keys, obtained, max_age, policy));
        Ok(!is_the_same)
    }
}

impl Held {
    fn new(keys: Keys, obtained: Seconds, max_age: Option<u16>, policy: &KeyPolicy) -> Self {
        let soft_ttl = soft_ttl(policy, max_age);
        let refresh = (obtained + soft_ttl - soft_ttl / 10, obtained + soft_ttl);
        Self { keys, obtained, refresh, expires: obtained + u64::from(policy.hard_ttl) }
    }
}
