//! One endpoint that keys come from: what is held, and when it may be asked again.
//!
//! A endpoint without keys is asked at once; one whose keys are past their soft lifetime, in the background; one that failed,
//! after a wait that doubles, whatever it was asked for. NoUrl twice at a time.

use super::{
    FetchError, Found, KeyPolicy, KeyRefreshError, KeyReport, KeySet, KeySetError, KeyState, LogicalTime, Response,
    bucket::Bucket, jitter, monotonic_clock::Instant,
};
use crate::{Limits, signature::PreparedKey};
use alloc::{boxed::Box, string::String, vec::Vec};
use sha2::{Digest, Sha256};

/// The longest `ETag` that is kept, in bytes.
const ETAG_LIMIT: usize = 256;

#[derive(Debug)]
pub(crate) struct JwksEndpoint {
    /// For the jitter: no two endpoints alike.
    number: usize,
    pub(crate) issuers: Vec<String>,
    /// Nothing is fetched where there is none.
    pub(crate) url: Option<String>,
    /// Fetched for the first time when a token needs it, and not before.
    pub(crate) is_on_demand: bool,
    held: Option<CurrentKeySet>,
    /// Counts the sets that were taken.
    generation: u64,
    flight: Option<FetchInProgress>,
    /// The last fetch was never heard of again: it is asked for once more, also where it was for a token.
    is_lost: bool,
    /// When the fetch began that showed last which keys there are; unknown if no fetch did.
    looked_at: LogicalTime,
    failures: u32,
    retry_at: Option<Instant>,
    last_error: Option<KeyRefreshError>,
    /// For unknown key IDs.
    bucket: Bucket,
}

/// A fetch under way.
#[derive(Clone, Copy, Debug)]
struct FetchInProgress {
    began: Instant,
    deadline: Instant,
}

#[derive(Debug)]
struct CurrentKeySet {
    set: KeySet,
    /// Of the body, to know the same set again.
    digest: [u8; 32],
    etag: Option<Box<str>>,
    life: Life,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    /// As the wall clock said.
    fetched_at: u64,
    obtained: Instant,
    /// The end of the soft lifetime.
    refresh_at: Instant,
    /// The end of the hard lifetime.
    expires: Instant,
}

/// What is known of a key ID.
#[derive(Debug)]
pub(crate) enum Lookup<'k> {
    /// A key that may verify, and whether it is past its soft lifetime.
    Key(&'k PreparedKey, bool),
    NotFound(KeyLookupError),
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyLookupError {
    /// There are no keys at all that may be used.
    NoKeySet,
    /// There are, but none of this ID.
    UnknownKeyId,
    /// There is one of this ID, and it is refused.
    RejectedKey,
}

/// Whether the endpoint may be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchDecision {
    Allowed,
    /// A fetch is under way.
    InProgress,
    /// It failed a moment ago.
    BackingOff,
    /// It is not time for it yet.
    NotDue,
    /// The fetches for unknown key IDs are used up.
    RateLimited,
    /// There is no URL.
    NoUrl,
}

impl JwksEndpoint {
    pub(crate) fn new(number: usize, url: Option<String>, policy: &KeyPolicy, now: Instant) -> Self {
        Self {
            number,
            issuers: Vec::new(),
            url,
            is_on_demand: false,
            held: None,
            generation: 0,
            flight: None,
            is_lost: false,
            looked_at: LogicalTime::UNKNOWN,
            failures: 0,
            retry_at: None,
            last_error: None,
            bucket: Bucket::full(policy.unknown_key_fetches, now),
        }
    }

    pub(crate) fn find(&self, key_id: &str, now: Instant) -> Lookup<'_> {
        let Some(held) = self.held.as_ref().filter(|held| now < held.life.expires) else {
            return Lookup::NotFound(KeyLookupError::NoKeySet);
        };
        match held.set.find(key_id) {
            Found::Key(key) => Lookup::Key(key, now >= held.life.refresh_at),
            Found::Refused => Lookup::NotFound(KeyLookupError::RejectedKey),
            Found::Nothing if held.set.is_usable() => Lookup::NotFound(KeyLookupError::UnknownKeyId),
            Found::Nothing => Lookup::NotFound(KeyLookupError::NoKeySet),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether its keys are of this generation and within their hard lifetime, and if so, whether they are past the soft one.
    pub(crate) fn freshness(&self, generation: u64, now: Instant) -> Option<bool> {
        let held = self.held.as_ref().filter(|held| self.generation == generation && now < held.life.expires)?;
        Some(now >= held.life.refresh_at)
    }

    /// Asks for a fetch because nothing can be verified without, and notes that it begins.
    pub(crate) fn ask(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        let permission = self.may_fetch(now);
        if permission == FetchDecision::Allowed {
            self.bucket.take(now, policy.unknown_key_fetches, policy.unknown_key_interval);
            self.begin(policy, now);
        }
        permission
    }

    /// Asks for a fetch because of an unknown key ID, which must be no burden to anyone else.
    pub(crate) fn ask_for_unknown(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        let permission = self.may_fetch(now);
        if permission != FetchDecision::Allowed {
            return permission;
        }
        if !self.bucket.take(now, policy.unknown_key_fetches, policy.unknown_key_interval) {
            return FetchDecision::RateLimited;
        }
        self.begin(policy, now);
        FetchDecision::Allowed
    }

    /// Leaves so many fetches for unknown key IDs, until more come back with time.
    pub(crate) fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.bucket.leave(left);
    }

    /// Asks for a fetch because it is time for one, and notes that it begins.
    pub(crate) fn ask_if_due(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        let is_due = match &self.held {
            Some(held) => now >= held.life.refresh_at || !held.set.is_usable() || self.has_failed(),
            None => !self.is_on_demand || self.is_lost,
        };
        if is_due { self.ask(policy, now) } else { FetchDecision::NotDue }
    }

    /// Whether the last fetch failed, so that nobody knows which keys there are now.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether a fetch that began after this has shown which keys there are: then a key that is not held is not published.
    pub(crate) fn was_looked_at_after(&self, tick: LogicalTime) -> bool {
        self.looked_at > tick
    }

    /// Takes the end of a fetch, whoever made it.
    pub(crate) fn fetched(
        &mut self,
        outcome: Result<Response<'_>, FetchError>,
        started_at: LogicalTime,
        obtained: Instant,
        fetched_at: u64,
        policy: &KeyPolicy,
        limits: &Limits,
    ) -> Result<(), KeySetError> {
        // Each fetch counts, so that verifiers which tell one another of theirs make no more together than one alone.
        if self.flight.take().is_none() {
            self.bucket.take(obtained, policy.unknown_key_fetches, policy.unknown_key_interval);
        }
        self.is_lost = false;
        let taken = match outcome {
            Err(fault) => {
                self.failed(KeyRefreshError::Fetch(fault), policy, obtained);
                return Ok(());
            }
            Ok(response) => self.take(&response, obtained, fetched_at, policy, limits),
        };
        match taken {
            // An old story, told late.
            Err(KeySetError::OlderThanCurrent) => {}
            Err(fault) => self.failed(KeyRefreshError::KeySet(fault), policy, obtained),
            Ok(()) if self.held.as_ref().is_some_and(|held| held.set.is_usable()) => {
                self.succeeded();
                self.looked_at = started_at;
            }
            // CurrentKeySet, so that the report says what is wrong with its keys.
            Ok(()) => self.failed(KeyRefreshError::KeySet(KeySetError::NoUsableKey), policy, obtained),
        }
        taken
    }

    /// Takes a set that was brought, not fetched.
    pub(crate) fn load(
        &mut self,
        body: &[u8],
        obtained: Instant,
        fetched_at: u64,
        policy: &KeyPolicy,
        limits: &Limits,
    ) -> Result<(), KeySetError> {
        let response = Response { body: Some(body), max_age: None, etag: None };
        self.take(&response, obtained, fetched_at, policy, limits)?;
        self.looked_at = LogicalTime::UNKNOWN;
        // Who can't wait in an import brings what it fetched this way.
        if self.flight.is_some_and(|flight| flight.began <= obtained) {
            self.flight = None;
            self.succeeded();
        }
        Ok(())
    }

    /// A fetch past its deadline has failed.
    pub(crate) fn end_overdue(&mut self, policy: &KeyPolicy, now: Instant) {
        if self.flight.is_some_and(|flight| now >= flight.deadline) {
            self.flight = None;
            self.is_lost = true;
            self.failed(KeyRefreshError::Fetch(FetchError::TimedOut), policy, now);
        }
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        self.held.as_ref().and_then(|held| held.etag.as_deref())
    }

    pub(crate) fn report(&self, now: Instant) -> KeyReport {
        let held = self.held.as_ref();
        let next = match held {
            Some(held) => self.retry_at.unwrap_or(held.life.refresh_at),
            None => self.retry_at.unwrap_or(now),
        };
        let is_awaited = self.url.is_some() && (held.is_some() || !self.is_on_demand);
        KeyReport {
            issuers: self.issuers.clone(),
            url: self.url.clone(),
            is_on_demand: self.is_on_demand,
            state: match held {
                None => KeyState::Missing,
                Some(held) if now >= held.life.expires => KeyState::Expired,
                Some(held) if now >= held.life.refresh_at && self.url.is_some() => KeyState::Stale,
                Some(_) => KeyState::Fresh,
            },
            fetched_at: held.map(|held| held.life.fetched_at),
            age: held.map(|held| now.since(held.life.obtained)),
            refresh_in: is_awaited.then(|| next.since(now)),
            generation: self.generation,
            failures: self.failures,
            last_error: self.last_error,
            ..held.map(|held| held.set.report()).unwrap_or_default()
        }
    }

    fn may_fetch(&self, now: Instant) -> FetchDecision {
        if self.url.is_none() {
            FetchDecision::NoUrl
        } else if self.flight.is_some() {
            FetchDecision::InProgress
        } else if self.retry_at.is_some_and(|retry_at| now < retry_at) {
            FetchDecision::BackingOff
        } else {
            FetchDecision::Allowed
        }
    }

    fn begin(&mut self, policy: &KeyPolicy, now: Instant) {
        self.is_lost = false;
        self.flight = Some(FetchInProgress { began: now, deadline: now.after(policy.fetch_deadline.into()) });
    }

    fn succeeded(&mut self) {
        self.is_lost = false;
        self.failures = 0;
        self.retry_at = None;
        self.last_error = None;
    }

    fn failed(&mut self, error: KeyRefreshError, policy: &KeyPolicy, at: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(at.after(jitter::retry_delay(policy, self.number, self.failures)));
        self.last_error = Some(error);
    }

    /// Swaps the whole set, or leaves everything as it was.
    fn take(
        &mut self,
        response: &Response<'_>,
        obtained: Instant,
        fetched_at: u64,
        policy: &KeyPolicy,
        limits: &Limits,
    ) -> Result<(), KeySetError> {
        if self.held.as_ref().is_some_and(|held| held.life.obtained > obtained) {
            return Err(KeySetError::OlderThanCurrent);
        }
        let soft_ttl = policy.soft_ttl(response.max_age);
        let life = Life {
            fetched_at,
            obtained,
            refresh_at: obtained.after(jitter::refresh_delay(policy, self.number, soft_ttl, self.generation)),
            expires: obtained.after(policy.hard_ttl.into()),
        };
        let etag = response.etag.filter(|etag| etag.len() <= ETAG_LIMIT).map(Into::into);
        let Some(body) = response.body else {
            // 304: the same keys as before.
            let held = self.held.as_mut().ok_or(KeySetError::NotModifiedWithoutKeys)?;
            held.etag = etag.or(held.etag.take());
            held.life = life;
            return Ok(());
        };
        let digest = Sha256::digest(body).into();
        if let Some(held) = self.held.as_mut().filter(|held| held.digest == digest) {
            held.etag = etag;
            held.life = life;
            return Ok(());
        }
        let set = KeySet::parse(body, limits)?;
        let is_in_use = |held: &CurrentKeySet| held.set.is_usable() && obtained < held.life.expires;
        if !set.is_usable() && self.held.as_ref().is_some_and(is_in_use) {
            return Err(KeySetError::NoUsableKey);
        }
        self.held = Some(CurrentKeySet { set, digest, etag, life });
        self.generation = self.generation.saturating_add(1);
        Ok(())
    }
}
