//! A key directory: keys that are published one by one, `<URL>/<kid>`. Application Load Balancers of a region publish their keys so.
//!
//! Anyone can invent a `kid`, and each would be another URL. So the first fetch of a key takes from a token bucket, a key that does not exist
//! enters the negative cache, and only a key that was fetched takes a place. When all places are taken, a new key replaces the one with which a
//! signature was verified least recently; keys with which none was verified come first.

use super::{
    action::MissingKeyAction,
    bucket::Bucket,
    current_key_set::{Freshness, KeyLookupError, MissingKey},
    endpoint::{FetchDecision, JwksEndpoint},
    fetch::{Fetch, FetchError, Response},
    jitter,
    key_set_error::KeySetError,
    logical_time::LogicalTime,
    monotonic_clock::Instant,
    report::{KeyRefreshError, KeyReport, KeyState},
};
use crate::{
    config::{KeyPolicy, Limits},
    jwa::Algorithm,
    reason::Reason,
    signature::PreparedKey,
};
use alloc::{boxed::Box, format, string::String, vec::Vec};

/// The maximum number of keys of one directory, and of keys that are fetched for the first time.
const KEYS_LIMIT: usize = 64;

#[derive(Debug)]
pub(super) struct KeyDirectory {
    /// The number of the directory. It gives each directory its own jitter.
    number: usize,
    /// The signers that use these keys.
    pub(super) issuers: Vec<String>,
    /// The URL of a key without its last segment, the key ID.
    pub(super) url: String,
    /// At most [`KEYS_LIMIT`].
    keys: Vec<PublishedKey>,
    /// Keys that are being fetched for the first time.
    first_fetches: Vec<PublishedKey>,
    /// The key ID that the last response had no usable key for, and the reason.
    missing: Option<(Box<str>, Reason)>,
    /// The number of different keys accepted so far.
    generation: u64,
    /// The number of consecutive first fetches without a response.
    failures: u32,
    retry_at: Option<Instant>,
    last_error: Option<KeyRefreshError>,
    /// Limits the first fetches.
    bucket: Bucket,
}

#[derive(Debug)]
struct PublishedKey {
    key_id: Box<str>,
    endpoint: JwksEndpoint,
    /// Unique in the directory. It changes when the key changes.
    generation: u64,
    /// When a signature was last verified with the key.
    used_at: Option<Instant>,
}

/// The times of a fetch that has ended.
pub(super) struct FetchEnd {
    pub(super) started_at: LogicalTime,
    /// When it ended, by the monotonic clock.
    pub(super) obtained: Instant,
    /// The same, by the wall clock.
    pub(super) ended_at: u64,
}

impl KeyDirectory {
    pub(super) fn new(number: usize, url: String, policy: &KeyPolicy, now: Instant) -> Self {
        Self {
            number,
            issuers: Vec::new(),
            url,
            keys: Vec::new(),
            first_fetches: Vec::new(),
            missing: None,
            generation: 0,
            failures: 0,
            retry_at: None,
            last_error: None,
            bucket: Bucket::full(policy.unknown_key_fetches, now),
        }
    }

    /// Finds a key. Also returns its generation.
    pub(super) fn find(
        &self,
        key_id: &str,
        algorithm: Algorithm,
        now: Instant,
    ) -> Result<(&PreparedKey, Freshness, u64), KeyLookupError> {
        let published = self.keys.iter().find(|key| *key.key_id == *key_id).ok_or(MissingKey::UnknownKeyId)?;
        let (key, freshness) = published.endpoint.find(Some(key_id), algorithm, now)?;
        Ok((key, freshness, published.generation))
    }

    /// Returns `None` if there is no key of this generation, or it is past its hard lifetime.
    pub(super) fn freshness(&self, generation: u64, now: Instant) -> Option<Freshness> {
        self.keys.iter().find(|key| key.generation == generation)?.freshness(now)
    }

    /// Records that a signature was verified with a key.
    pub(super) fn used(&mut self, key_id: &str, now: Instant) {
        if let Some(key) = self.keys.iter_mut().find(|key| *key.key_id == *key_id) {
            key.used_at = Some(now);
        }
    }

    /// Decides about a token whose key is missing. `is_known_to_be_missing` is the answer of the negative cache.
    pub(super) fn on_missing_key(
        &mut self,
        key_id: &str,
        is_known_to_be_missing: bool,
        policy: &KeyPolicy,
        now: Instant,
    ) -> MissingKeyAction {
        self.end_overdue(policy, now);
        let known = self.keys.iter_mut().chain(&mut self.first_fetches).find(|key| *key.key_id == *key_id);
        if let Some(key) = known {
            // It exists and is past its hard lifetime, or is being fetched.
            return match key.endpoint.fetch_missing(policy, now) {
                FetchDecision::Started => fetch_action(key.fetch()),
                FetchDecision::InProgress => MissingKeyAction::Await(key.url()),
                _ => MissingKeyAction::Reject(Reason::KeysUnavailable),
            };
        }
        if is_known_to_be_missing {
            return MissingKeyAction::Reject(Reason::KeyUnknownCached);
        }
        if self.retry_at.is_some_and(|retry_at| now < retry_at) {
            return MissingKeyAction::Reject(Reason::KeysUnavailable);
        }
        if self.first_fetches.len() >= KEYS_LIMIT
            || !self.bucket.take(now, policy.unknown_key_fetches, policy.unknown_key_interval)
        {
            return MissingKeyAction::Reject(Reason::KeyUnknownLimited);
        }
        let mut key = self.published_key(key_id, policy, now);
        let started = key.endpoint.fetch_missing(policy, now);
        let fetch = key.fetch().filter(|_| started == FetchDecision::Started);
        self.first_fetches.push(key);
        fetch_action(fetch)
    }

    /// Decides about a token whose key is still missing after a fetch. A key is published before tokens are signed with it, so it is not fetched
    /// once more.
    pub(super) fn after_fetch_missing_key(
        &mut self,
        key_id: &str,
        policy: &KeyPolicy,
        now: Instant,
    ) -> MissingKeyAction {
        self.end_overdue(policy, now);
        let known = self.keys.iter().chain(&self.first_fetches).find(|key| *key.key_id == *key_id);
        match (known, &self.missing) {
            (Some(key), _) if key.endpoint.is_being_fetched() => MissingKeyAction::Await(key.url()),
            (Some(_), _) => MissingKeyAction::Reject(Reason::KeysUnavailable),
            (None, Some((missing, reason))) if **missing == *key_id => MissingKeyAction::Reject(*reason),
            (None, _) => MissingKeyAction::Reject(self.reason()),
        }
    }

    /// Returns the reason for rejecting a token with a missing key if no fetch follows.
    pub(super) fn reason(&self) -> Reason {
        if self.failures > 0 { Reason::KeysUnavailable } else { Reason::KeyUnknown }
    }

    /// Returns whether the last response had no usable key for this key ID.
    pub(super) fn lacks(&self, key_id: &str) -> bool {
        self.missing.as_ref().is_some_and(|(missing, _)| **missing == *key_id)
    }

    pub(super) fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.bucket.leave(left);
    }

    /// Starts the fetches that are due: of keys that were used lately and are past their soft lifetime. Keys past their hard lifetime lose their
    /// places.
    pub(super) fn start_due_fetches(&mut self, policy: &KeyPolicy, now: Instant, fetches: &mut Vec<Fetch>) {
        self.end_overdue(policy, now);
        self.keys.retain(|key| key.endpoint.is_being_fetched() || key.freshness(now).is_some());
        for key in &mut self.keys {
            let is_in_use = key.used_at.is_some_and(|used_at| now.since(used_at) <= policy.soft_ttl_max.into());
            if is_in_use && key.endpoint.fetch_if_due(policy, now) == FetchDecision::Started {
                fetches.extend(key.fetch());
            }
        }
    }

    /// Applies the result of a fetch. Another verifier may have performed it.
    pub(super) fn fetched(
        &mut self,
        key_id: &str,
        outcome: Result<Response<'_>, FetchError>,
        end: &FetchEnd,
        policy: &KeyPolicy,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), KeySetError> {
        let FetchEnd { started_at, obtained, ended_at } = *end;
        if let Some(key) = self.keys.iter_mut().find(|key| *key.key_id == *key_id) {
            let before = key.endpoint.generation();
            let result = key.endpoint.fetched(outcome, started_at, obtained, ended_at, policy, limits);
            if key.endpoint.generation() != before {
                self.generation = self.generation.saturating_add(1);
                key.generation = self.generation;
            }
            return result;
        }
        let position = self.first_fetches.iter().position(|key| *key.key_id == *key_id);
        if position.is_none() && outcome.is_ok_and(|response| response.body.is_none()) {
            // Another verifier has refreshed a key that this one does not hold. The key exists, and is fetched when a token needs it.
            return Err(KeySetError::NotModifiedWithoutKeys);
        }
        let mut key = match position {
            Some(position) => self.first_fetches.swap_remove(position),
            None => {
                // Verifiers that share fetches do not make more fetches than one.
                self.bucket.take(obtained, policy.unknown_key_fetches, policy.unknown_key_interval);
                self.published_key(key_id, policy, now)
            }
        };
        self.missing = None;
        let result = key.endpoint.fetched(outcome, started_at, obtained, ended_at, policy, limits);
        match (outcome, result) {
            (Err(error), _) if error != FetchError::BadStatus => {
                self.fail(KeyRefreshError::Fetch(error), policy, obtained);
            }
            (Err(error), _) => {
                // The server answered that there is no such key.
                self.answered(Some(KeyRefreshError::Fetch(error)));
                self.missing = Some((key_id.into(), Reason::KeyUnknown));
            }
            // The fetch was made for a verifier that holds the key, so it says nothing about the key ID.
            (Ok(_), Err(error @ KeySetError::NotModifiedWithoutKeys)) => {
                self.fail(KeyRefreshError::KeySet(error), policy, obtained);
            }
            (Ok(_), Err(error)) => {
                self.answered(Some(KeyRefreshError::KeySet(error)));
                self.missing = Some((key_id.into(), Reason::KeyRefused));
            }
            (Ok(_), Ok(())) => {
                self.answered(None);
                self.admit(key);
            }
        }
        result
    }

    pub(super) fn report(&self, now: Instant) -> KeyReport {
        let newest = self.keys.iter().map(|key| key.endpoint.report(now)).min_by_key(|report| report.age);
        let freshness = |key: &PublishedKey| key.freshness(now);
        let is = |freshness: Freshness| move |found: Option<Freshness>| found == Some(freshness);
        let state = if self.keys.iter().map(freshness).any(is(Freshness::Fresh)) {
            KeyState::Fresh
        } else if self.keys.iter().map(freshness).any(is(Freshness::Stale)) {
            KeyState::Stale
        } else if self.keys.is_empty() {
            KeyState::Missing
        } else {
            KeyState::Expired
        };
        let mut key_ids: Vec<Box<str>> = self.keys.iter().map(|key| key.key_id.clone()).collect();
        key_ids.sort_unstable();
        KeyReport {
            issuers: self.issuers.clone(),
            url: Some(self.url.clone()),
            is_on_demand: true,
            state,
            fetched_at: newest.as_ref().and_then(|report| report.fetched_at),
            age: newest.as_ref().and_then(|report| report.age),
            refresh_in: None,
            generation: self.generation,
            failures: self.failures,
            last_error: self.last_error,
            key_ids,
            skipped: Vec::new(),
        }
    }

    fn published_key(&self, key_id: &str, policy: &KeyPolicy, now: Instant) -> PublishedKey {
        let url = format!("{}/{key_id}", self.url);
        let endpoint = JwksEndpoint::of_one_key(self.number, url, policy, now);
        PublishedKey { key_id: key_id.into(), endpoint, generation: 0, used_at: None }
    }

    /// Gives a place to a key.
    fn admit(&mut self, mut key: PublishedKey) {
        if self.keys.len() >= KEYS_LIMIT {
            let victim = self.keys.iter().enumerate().min_by_key(|(_, key)| key.used_at).map(|(index, _)| index);
            victim.map(|index| self.keys.remove(index));
        }
        self.generation = self.generation.saturating_add(1);
        key.generation = self.generation;
        self.keys.push(key);
    }

    fn answered(&mut self, error: Option<KeyRefreshError>) {
        self.failures = 0;
        self.retry_at = None;
        self.last_error = error;
    }

    fn fail(&mut self, error: KeyRefreshError, policy: &KeyPolicy, at: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(at.after(jitter::retry_delay(policy, self.number, self.failures)));
        self.last_error = Some(error);
    }

    /// Marks fetches that are past their deadline as failed.
    fn end_overdue(&mut self, policy: &KeyPolicy, now: Instant) {
        self.keys.iter_mut().for_each(|key| key.endpoint.end_overdue(policy, now));
        self.first_fetches.iter_mut().for_each(|key| key.endpoint.end_overdue(policy, now));
        let before = self.first_fetches.len();
        self.first_fetches.retain(|key| key.endpoint.is_being_fetched());
        if self.first_fetches.len() < before {
            self.fail(KeyRefreshError::Fetch(FetchError::TimedOut), policy, now);
        }
    }
}

impl PublishedKey {
    fn freshness(&self, now: Instant) -> Option<Freshness> {
        self.endpoint.freshness(self.endpoint.generation(), now)
    }

    fn url(&self) -> String {
        self.endpoint.url.clone().unwrap_or_default()
    }

    fn fetch(&self) -> Option<Fetch> {
        let (url, etag) = (self.endpoint.url.clone()?, self.endpoint.etag().map(Into::into));
        Some(Fetch { url, key_id: Some(self.key_id.clone()), etag })
    }
}

fn fetch_action(fetch: Option<Fetch>) -> MissingKeyAction {
    fetch.map_or(MissingKeyAction::Reject(Reason::KeysUnavailable), MissingKeyAction::Fetch)
}
