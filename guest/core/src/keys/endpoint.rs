//! One JWKS endpoint: its current key set, and when it may be fetched.
//!
//! Without keys, the endpoint is fetched at once. After the soft lifetime, it is fetched in the background. After a failure, it is fetched
//! again only when a back-off has passed, whatever the reason for the fetch. There is at most one fetch at a time.

use super::{
    bucket::Bucket,
    current_key_set::{CurrentKeySet, Freshness, KeyFormat, KeyLookupError, Lifetime, MissingKey},
    fetch::{FetchError, Response},
    jitter,
    key_set::UnnamedKeys,
    key_set_error::KeySetError,
    logical_time::LogicalTime,
    monotonic_clock::Instant,
    report::{KeyRefreshError, KeyReport},
};
use crate::{
    config::{KeyPolicy, Limits},
    jwa::Algorithm,
    signature::PreparedKey,
};
use alloc::{string::String, vec::Vec};

#[derive(Debug)]
pub(super) struct JwksEndpoint {
    /// The index of the endpoint. It gives each endpoint its own jitter.
    number: usize,
    pub(super) issuers: Vec<String>,
    /// Without a URL, nothing is fetched.
    pub(super) url: Option<String>,
    /// Whether the first fetch waits until a token needs it.
    pub(super) is_on_demand: bool,
    /// Whether a pool that uses the endpoint accepts keys and tokens without a `kid`.
    pub(super) unnamed: UnnamedKeys,
    format: KeyFormat,
    current: Option<CurrentKeySet>,
    /// The number of different key sets accepted so far.
    generation: u64,
    in_progress: Option<FetchInProgress>,
    /// Whether the last fetch passed its deadline without a result. It is then repeated in the background, even if a token caused it.
    is_lost: bool,
    /// When the last successful fetch started. Unknown if the current key set was not fetched.
    confirmed_at: LogicalTime,
    failures: u32,
    retry_at: Option<Instant>,
    last_error: Option<KeyRefreshError>,
    /// Limits the fetches for unknown key IDs.
    bucket: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct FetchInProgress {
    started: Instant,
    deadline: Instant,
}

/// Whether a fetch has started, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchDecision {
    /// It has started.
    Started,
    /// Another fetch is in progress.
    InProgress,
    /// The last fetch failed, and the back-off has not passed.
    BackingOff,
    /// The keys don't need to be refreshed yet.
    NotDue,
    /// The token bucket for unknown key IDs is empty.
    RateLimited,
    /// The endpoint has no URL.
    NoUrl,
}

impl JwksEndpoint {
    pub(super) fn new(number: usize, url: Option<String>, policy: &KeyPolicy, now: Instant) -> Self {
        Self {
            number,
            issuers: Vec::new(),
            url,
            is_on_demand: false,
            unnamed: UnnamedKeys::Rejected,
            format: KeyFormat::JwkSet,
            current: None,
            generation: 0,
            in_progress: None,
            is_lost: false,
            confirmed_at: LogicalTime::UNKNOWN,
            failures: 0,
            retry_at: None,
            last_error: None,
            bucket: Bucket::full(policy.unknown_key_fetches, now),
        }
    }

    /// Creates an endpoint that publishes one key, in PEM.
    #[cfg(feature = "ecdsa")]
    pub(super) fn of_one_key(number: usize, url: String, policy: &KeyPolicy, now: Instant) -> Self {
        let (unnamed, format) = (UnnamedKeys::Accepted, KeyFormat::Pem);
        Self { is_on_demand: true, unnamed, format, ..Self::new(number, Some(url), policy, now) }
    }

    pub(super) fn find(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
    ) -> Result<(&PreparedKey, Freshness), KeyLookupError> {
        let current = self.current.as_ref().ok_or(MissingKey::NoKeySet)?;
        let freshness = current.freshness(now).ok_or(MissingKey::NoKeySet)?;
        Ok((current.find(key_id, algorithm, self.unnamed)?, freshness))
    }

    /// Returns whether the current key set has no usable key with this ID.
    pub(super) fn lacks_key(&self, key_id: &str, now: Instant) -> bool {
        self.current.as_ref().is_some_and(|current| {
            current.freshness(now).is_some()
                && current.is_usable(self.unnamed)
                && current.has(key_id, self.unnamed).is_err()
        })
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns `None` if the current keys are of another generation, or past their hard lifetime.
    pub(super) fn freshness(&self, generation: u64, now: Instant) -> Option<Freshness> {
        self.current.as_ref().filter(|_| self.generation == generation)?.freshness(now)
    }

    /// Starts a fetch without which no token can be verified.
    pub(super) fn fetch_missing(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        if let Err(decision) = self.check_fetch(now) {
            return decision;
        }
        self.bucket.take(now, policy.unknown_key_fetches, policy.unknown_key_interval);
        self.start(policy, now)
    }

    /// Starts a fetch for an unknown key ID. The token bucket limits how often an attacker can cause one.
    pub(super) fn fetch_for_unknown_key(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        if let Err(decision) = self.check_fetch(now) {
            return decision;
        }
        if !self.bucket.take(now, policy.unknown_key_fetches, policy.unknown_key_interval) {
            return FetchDecision::RateLimited;
        }
        self.start(policy, now)
    }

    /// Starts a fetch if the keys must be refreshed.
    pub(super) fn fetch_if_due(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        let is_due = match &self.current {
            Some(current) => now >= current.refresh_at() || !current.is_usable(self.unnamed) || self.has_failed(),
            None => !self.is_on_demand || self.is_lost,
        };
        if is_due { self.fetch_missing(policy, now) } else { FetchDecision::NotDue }
    }

    /// Reduces the token bucket for unknown key IDs to at most `left` fetches.
    pub(super) fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.bucket.leave(left);
    }

    /// Returns whether the last fetch failed, so that the issuer may have published other keys.
    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Returns whether a fetch that started after `time` has succeeded. Then a key that is not in the current set is not published.
    pub(super) fn was_confirmed_after(&self, time: LogicalTime) -> bool {
        self.confirmed_at > time
    }

    /// Applies the result of a fetch. Another verifier may have performed the fetch.
    pub(super) fn fetched(
        &mut self,
        outcome: Result<Response<'_>, FetchError>,
        started_at: LogicalTime,
        obtained: Instant,
        fetched_at: u64,
        policy: &KeyPolicy,
        limits: &Limits,
    ) -> Result<(), KeySetError> {
        // A fetch of another verifier also takes from the token bucket. So verifiers that share fetches do not make more fetches than one.
        if self.in_progress.take().is_none() {
            self.bucket.take(obtained, policy.unknown_key_fetches, policy.unknown_key_interval);
        }
        self.is_lost = false;
        let updated = match outcome {
            Err(error) => {
                self.fail(KeyRefreshError::Fetch(error), policy, obtained);
                return Ok(());
            }
            Ok(response) => self.update(&response, obtained, fetched_at, policy, limits),
        };
        match updated {
            // The result arrived after that of a later fetch, which counts.
            Err(KeySetError::OlderThanCurrent) => {}
            Err(error) => self.fail(KeyRefreshError::KeySet(error), policy, obtained),
            Ok(()) if self.current.as_ref().is_some_and(|current| current.is_usable(self.unnamed)) => {
                self.succeed();
                self.confirmed_at = started_at;
            }
            // The set is stored nevertheless, so that the report lists the errors of its keys.
            Ok(()) => self.fail(KeyRefreshError::KeySet(KeySetError::NoUsableKey), policy, obtained),
        }
        updated
    }

    /// Loads a key set that was not fetched.
    pub(super) fn load(
        &mut self,
        body: &[u8],
        obtained: Instant,
        fetched_at: u64,
        policy: &KeyPolicy,
        limits: &Limits,
    ) -> Result<(), KeySetError> {
        let response = Response { body: Some(body), max_age: None, etag: None };
        self.update(&response, obtained, fetched_at, policy, limits)?;
        self.confirmed_at = LogicalTime::UNKNOWN;
        // A host that can't wait in an import may return what it fetched in this way.
        if self.in_progress.is_some_and(|fetch| fetch.started <= obtained) {
            self.in_progress = None;
            self.succeed();
        }
        Ok(())
    }

    /// Marks a fetch that is past its deadline as failed.
    pub(super) fn end_overdue(&mut self, policy: &KeyPolicy, now: Instant) {
        if self.in_progress.is_some_and(|fetch| now >= fetch.deadline) {
            self.in_progress = None;
            self.is_lost = true;
            self.fail(KeyRefreshError::Fetch(FetchError::TimedOut), policy, now);
        }
    }

    /// Returns whether a fetch has started and has not ended.
    #[cfg(feature = "ecdsa")]
    pub(super) fn is_being_fetched(&self) -> bool {
        self.in_progress.is_some()
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.current.as_ref().and_then(CurrentKeySet::etag)
    }

    pub(super) fn report(&self, now: Instant) -> KeyReport {
        let current = self.current.as_ref();
        let next = self.retry_at.unwrap_or_else(|| current.map_or(now, CurrentKeySet::refresh_at));
        let is_refreshed = self.url.is_some() && (current.is_some() || !self.is_on_demand);
        KeyReport {
            issuers: self.issuers.clone(),
            url: self.url.clone(),
            is_on_demand: self.is_on_demand,
            refresh_in: is_refreshed.then(|| next.since(now)),
            generation: self.generation,
            failures: self.failures,
            last_error: self.last_error,
            ..current.map(|current| current.report(now, self.url.is_some(), self.unnamed)).unwrap_or_default()
        }
    }

    fn check_fetch(&self, now: Instant) -> Result<(), FetchDecision> {
        if self.url.is_none() {
            Err(FetchDecision::NoUrl)
        } else if self.in_progress.is_some() {
            Err(FetchDecision::InProgress)
        } else if self.retry_at.is_some_and(|retry_at| now < retry_at) {
            Err(FetchDecision::BackingOff)
        } else {
            Ok(())
        }
    }

    fn start(&mut self, policy: &KeyPolicy, now: Instant) -> FetchDecision {
        self.is_lost = false;
        self.in_progress = Some(FetchInProgress { started: now, deadline: now.after(policy.fetch_deadline.into()) });
        FetchDecision::Started
    }

    fn succeed(&mut self) {
        self.is_lost = false;
        self.failures = 0;
        self.retry_at = None;
        self.last_error = None;
    }

    fn fail(&mut self, error: KeyRefreshError, policy: &KeyPolicy, at: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(at.after(jitter::retry_delay(policy, self.number, self.failures)));
        self.last_error = Some(error);
    }

    fn update(
        &mut self,
        response: &Response<'_>,
        obtained: Instant,
        fetched_at: u64,
        policy: &KeyPolicy,
        limits: &Limits,
    ) -> Result<(), KeySetError> {
        let lifetime = Lifetime::new(policy, self.number, self.generation, response.max_age, obtained, fetched_at);
        let (format, unnamed) = (self.format, self.unnamed);
        let has_changed = CurrentKeySet::update(&mut self.current, response, lifetime, limits, format, unnamed)?;
        self.generation = self.generation.saturating_add(u64::from(has_changed));
        Ok(())
    }
}
