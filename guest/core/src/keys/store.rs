//! All JWKS endpoints of a verifier, with one clock and one negative cache.

#[cfg(feature = "ecdsa")]
use super::key_directory::{FetchEnd, KeyDirectory};
use super::{
    action::MissingKeyAction,
    current_key_set::{Freshness, KeyLookupError, MissingKey},
    endpoint::{FetchDecision, JwksEndpoint},
    fetch::{Fetch, FetchError, Response},
    key_set::UnnamedKeys,
    key_set_error::KeySetError,
    logical_time::LogicalTime,
    monotonic_clock::{Instant, MonotonicClock},
    negative_cache::NegativeCache,
    report::KeyReport,
};
#[cfg(feature = "ecdsa")]
use crate::issuer::is_uuid;
use crate::{
    config::{KeyPolicy, Limits},
    jwa::Algorithm,
    reason::Reason,
    signature::PreparedKey,
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use hashbrown::HashMap;

/// Identifies a JWKS endpoint of a [`KeyStore`], by its index; or a key directory, whose indexes count down from the largest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JwksEndpointId(usize);

#[cfg(feature = "ecdsa")]
impl JwksEndpointId {
    fn of_directory(index: usize) -> Self {
        Self(usize::MAX.saturating_sub(index))
    }

    /// Returns the index of a key directory. There is none with the index that this returns for a JWKS endpoint.
    fn directory(self) -> usize {
        usize::MAX.saturating_sub(self.0)
    }
}

#[derive(Debug)]
pub(crate) struct KeyStore {
    endpoints: Vec<JwksEndpoint>,
    by_url: HashMap<String, JwksEndpointId>,
    #[cfg(feature = "ecdsa")]
    directories: Vec<KeyDirectory>,
    negative_cache: NegativeCache,
    clock: MonotonicClock,
    policy: KeyPolicy,
    limits: Limits,
}

impl KeyStore {
    pub(crate) fn new(limits: Limits, policy: KeyPolicy) -> Self {
        Self {
            endpoints: Vec::new(),
            by_url: HashMap::new(),
            #[cfg(feature = "ecdsa")]
            directories: Vec::new(),
            negative_cache: NegativeCache::new(policy.unknown_key_entries),
            clock: MonotonicClock::new(),
            policy,
            limits,
        }
    }

    /// Returns the endpoint for a URL, and adds one if there is none yet. Without a URL, it always adds one, for local keys.
    pub(crate) fn add_endpoint(&mut self, url: Option<&str>) -> JwksEndpointId {
        if let Some(known) = url.and_then(|url| self.by_url.get(url)) {
            return *known;
        }
        let number = self.endpoints.len();
        self.endpoints.push(JwksEndpoint::new(number, url.map(str::to_owned), &self.policy, self.clock.now()));
        if let Some(url) = url {
            self.by_url.insert(url.to_owned(), JwksEndpointId(number));
        }
        JwksEndpointId(number)
    }

    /// Adds an issuer to an endpoint's report.
    pub(crate) fn add_issuer(&mut self, id: JwksEndpointId, issuer: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.issuers.push(issuer.to_owned());
        }
    }

    /// Lets an endpoint be fetched only when a token needs it.
    pub(crate) fn fetch_on_demand(&mut self, id: JwksEndpointId) {
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.is_on_demand = true;
        }
    }

    /// Accepts keys and tokens without a `kid` at an endpoint.
    pub(crate) fn accept_unnamed_keys(&mut self, id: JwksEndpointId) {
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.unnamed = UnnamedKeys::Accepted;
        }
    }

    /// Returns the endpoint for a URL.
    pub(crate) fn endpoint_for(&self, url: &str) -> Option<JwksEndpointId> {
        let known = self.by_url.get(url).copied();
        #[cfg(feature = "ecdsa")]
        let known = known.or_else(|| self.key_in_directory(url).map(|(id, _)| id));
        known
    }

    /// Advances to the time of the wall clock.
    pub(crate) fn advance(&mut self, now: u64) -> Instant {
        self.clock.advance(now)
    }

    pub(crate) fn find(
        &self,
        id: JwksEndpointId,
        key_id: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
    ) -> Result<(&PreparedKey, Freshness), KeyLookupError> {
        self.endpoints.get(id.0).ok_or(MissingKey::NoKeySet)?.find(key_id, algorithm, now)
    }

    /// Returns the generation of an endpoint's keys. It changes whenever the keys change. It is always 0 for a key directory, in which each key has a
    /// generation of its own.
    pub(crate) fn generation(&self, id: JwksEndpointId) -> u64 {
        self.endpoints.get(id.0).map_or(0, JwksEndpoint::generation)
    }

    /// Returns `None` if an endpoint's keys are of another generation, or past their hard lifetime.
    pub(crate) fn freshness(&self, id: JwksEndpointId, generation: u64, now: Instant) -> Option<Freshness> {
        match self.endpoints.get(id.0) {
            Some(endpoint) => endpoint.freshness(generation, now),
            #[cfg(feature = "ecdsa")]
            None => self.directory(id)?.freshness(generation, now),
            #[cfg(not(feature = "ecdsa"))]
            None => None,
        }
    }

    /// Decides about a token whose key is missing.
    pub(crate) fn on_missing_key(
        &mut self,
        id: JwksEndpointId,
        key_id: &str,
        error: MissingKey,
        now: Instant,
    ) -> MissingKeyAction {
        // Also if the negative cache answers, so that the report does not depend on it.
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.end_overdue(&self.policy, now);
        }
        let is_known_to_be_missing = self.negative_cache.contains(id.0, key_id, now);
        #[cfg(feature = "ecdsa")]
        if let Some(directory) = self.directories.get_mut(id.directory()) {
            return directory.on_missing_key(key_id, is_known_to_be_missing, &self.policy, now);
        }
        match error {
            MissingKey::UnknownKeyId if is_known_to_be_missing => MissingKeyAction::Reject(Reason::KeyUnknownCached),
            MissingKey::RejectedKey if is_known_to_be_missing => MissingKeyAction::Reject(Reason::KeyRefused),
            error => self.fetch(id, key_id, error, now),
        }
    }

    /// Decides about a token whose key is still missing after a fetch. If that fetch started after the token was received, the key does not
    /// exist, and its ID enters the negative cache. Otherwise the key may have been published since, and one more fetch is needed.
    pub(crate) fn after_fetch_missing_key(
        &mut self,
        id: JwksEndpointId,
        key_id: &str,
        error: MissingKey,
        received_at: LogicalTime,
        now: Instant,
    ) -> MissingKeyAction {
        #[cfg(feature = "ecdsa")]
        if let Some(directory) = self.directories.get_mut(id.directory()) {
            return directory.after_fetch_missing_key(key_id, &self.policy, now);
        }
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.end_overdue(&self.policy, now);
        }
        match self.endpoints.get(id.0) {
            Some(endpoint) if error != MissingKey::NoKeySet && !endpoint.has_failed() => {
                if endpoint.was_confirmed_after(received_at) {
                    self.negative_cache.insert(id.0, key_id, now.after(self.policy.unknown_key_ttl.into()));
                    return MissingKeyAction::Reject(self.reason(id, error));
                }
                self.negative_cache.expire(id.0, key_id, now);
                self.fetch(id, key_id, error, now)
            }
            _ => MissingKeyAction::Reject(self.reason(id, error)),
        }
    }

    /// Returns the reason for rejecting a token without a key if no fetch follows.
    pub(crate) fn final_reason(&self, id: JwksEndpointId, error: KeyLookupError) -> Reason {
        match error {
            KeyLookupError::Final(reason) => reason,
            KeyLookupError::Missing(error) => self.reason(id, error),
        }
    }

    /// Returns the reason for rejecting a token if no fetch follows.
    pub(crate) fn reason(&self, id: JwksEndpointId, error: MissingKey) -> Reason {
        #[cfg(feature = "ecdsa")]
        if let Some(directory) = self.directory(id).filter(|_| error != MissingKey::NoKeySet) {
            return directory.reason();
        }
        match (error, self.endpoints.get(id.0)) {
            (MissingKey::NoKeySet, _) | (_, None) => Reason::KeysUnavailable,
            (MissingKey::RejectedKey, Some(_)) => Reason::KeyRefused,
            (MissingKey::UnknownKeyId, Some(endpoint)) if endpoint.has_failed() => Reason::KeysUnavailable,
            (MissingKey::UnknownKeyId, Some(_)) => Reason::KeyUnknown,
        }
    }

    /// Starts a fetch for a missing key, if one may start. The caller has ended an overdue one.
    fn fetch(&mut self, id: JwksEndpointId, key_id: &str, error: MissingKey, now: Instant) -> MissingKeyAction {
        let Some(endpoint) = self.endpoints.get_mut(id.0) else {
            return MissingKeyAction::Reject(Reason::KeysUnavailable);
        };
        let decision = match error {
            MissingKey::NoKeySet => endpoint.fetch_missing(&self.policy, now),
            MissingKey::UnknownKeyId | MissingKey::RejectedKey => endpoint.fetch_for_unknown_key(&self.policy, now),
        };
        let is_limited = decision == FetchDecision::RateLimited && self.policy.unknown_key_fetches > 0;
        match decision {
            FetchDecision::Started => {
                let key_id = (error != MissingKey::NoKeySet).then_some(key_id);
                let fetch = fetch_from(endpoint, key_id);
                fetch.map_or(MissingKeyAction::Reject(Reason::KeysUnavailable), MissingKeyAction::Fetch)
            }
            FetchDecision::InProgress => MissingKeyAction::Await(endpoint.url.clone().unwrap_or_default()),
            decision => MissingKeyAction::Reject(match error {
                MissingKey::NoKeySet => Reason::KeysUnavailable,
                MissingKey::RejectedKey => Reason::KeyRefused,
                MissingKey::UnknownKeyId if decision == FetchDecision::BackingOff => Reason::KeysUnavailable,
                MissingKey::UnknownKeyId if is_limited => Reason::KeyUnknownLimited,
                MissingKey::UnknownKeyId => Reason::KeyUnknown,
            }),
        }
    }

    pub(crate) fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.endpoints.iter_mut().for_each(|endpoint| endpoint.leave_unknown_key_fetches(left));
        #[cfg(feature = "ecdsa")]
        self.directories.iter_mut().for_each(|directory| directory.leave_unknown_key_fetches(left));
    }

    /// Starts the fetches that are due, and returns them.
    pub(crate) fn start_due_fetches(&mut self, now: Instant) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for endpoint in &mut self.endpoints {
            endpoint.end_overdue(&self.policy, now);
            if endpoint.fetch_if_due(&self.policy, now) == FetchDecision::Started {
                fetches.extend(fetch_from(endpoint, None));
            }
        }
        #[cfg(feature = "ecdsa")]
        for directory in &mut self.directories {
            directory.start_due_fetches(&self.policy, now, &mut fetches);
        }
        fetches
    }

    /// Applies the result of a fetch that ended at `ended_at`, by the wall clock. If the fetched set does not have `key_id`, the key ID
    /// enters the negative cache: the token that caused the fetch was received before the fetch started.
    pub(crate) fn fetched(
        &mut self,
        url: &str,
        key_id: Option<&str>,
        started_at: LogicalTime,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchError>,
    ) -> Result<(), KeySetError> {
        let Some(id) = self.by_url.get(url).copied() else {
            #[cfg(feature = "ecdsa")]
            return self.fetched_in_directory(url, ended_at, started_at, outcome);
            #[cfg(not(feature = "ecdsa"))]
            return Err(KeySetError::UnknownUrl);
        };
        let endpoint = self.endpoints.get_mut(id.0).ok_or(KeySetError::UnknownUrl)?;
        let (obtained, now) = (self.clock.instant_of(ended_at), self.clock.now());
        endpoint.fetched(outcome, started_at, obtained, ended_at, &self.policy, &self.limits)?;
        let until = obtained.after(self.policy.unknown_key_ttl.into());
        if let Some(key_id) = key_id
            && now < until
            && !endpoint.has_failed()
            && endpoint.lacks_key(key_id, now)
        {
            self.negative_cache.insert(id.0, key_id, until);
        }
        Ok(())
    }

    /// Loads a key set that was not fetched.
    pub(crate) fn load(&mut self, id: JwksEndpointId, body: &[u8], fetched_at: u64) -> Result<KeyReport, KeySetError> {
        let endpoint = self.endpoints.get_mut(id.0).ok_or(KeySetError::UnknownIssuer)?;
        let (obtained, now) = (self.clock.instant_of(fetched_at), self.clock.now());
        if now.since(obtained) >= self.policy.hard_ttl.into() {
            return Err(KeySetError::TooOld);
        }
        endpoint.load(body, obtained, fetched_at, &self.policy, &self.limits)?;
        Ok(endpoint.report(now))
    }

    pub(crate) fn reports(&self) -> Vec<KeyReport> {
        let reports = self.endpoints.iter().map(|endpoint| endpoint.report(self.clock.now()));
        #[cfg(feature = "ecdsa")]
        let reports = reports.chain(self.directories.iter().map(|directory| directory.report(self.clock.now())));
        reports.collect()
    }

    /// Returns the key directory with a URL, and adds one if there is none yet.
    #[cfg(feature = "ecdsa")]
    pub(crate) fn add_directory(&mut self, url: &str, issuer: &str) -> JwksEndpointId {
        let known = self.directories.iter().position(|directory| directory.url == url);
        let index = known.unwrap_or(self.directories.len());
        let id = JwksEndpointId::of_directory(index);
        if known.is_none() {
            self.directories.push(KeyDirectory::new(id.0, url.to_owned(), &self.policy, self.clock.now()));
        }
        if let Some(directory) = self.directories.get_mut(index)
            && !directory.issuers.iter().any(|known| known == issuer)
        {
            directory.issuers.push(issuer.to_owned());
        }
        id
    }

    /// Finds a key of a directory, or of local keys. Also returns its generation.
    #[cfg(feature = "ecdsa")]
    pub(crate) fn find_in_directory(
        &self,
        id: JwksEndpointId,
        key_id: &str,
        algorithm: Algorithm,
        now: Instant,
    ) -> Result<(&PreparedKey, Freshness, u64), KeyLookupError> {
        match self.directory(id) {
            Some(directory) => directory.find(key_id, algorithm, now),
            None => self
                .find(id, Some(key_id), algorithm, now)
                .map(|(key, freshness)| (key, freshness, self.generation(id))),
        }
    }

    /// Records that a signature was verified with a key of a directory, so that the key is not evicted.
    #[cfg(feature = "ecdsa")]
    pub(crate) fn used_in_directory(&mut self, id: JwksEndpointId, key_id: &str, now: Instant) {
        if let Some(directory) = self.directories.get_mut(id.directory()) {
            directory.used(key_id, now);
        }
    }

    #[cfg(feature = "ecdsa")]
    fn directory(&self, id: JwksEndpointId) -> Option<&KeyDirectory> {
        self.directories.get(id.directory())
    }

    /// Returns the directory of a key's URL, and the key ID in it.
    #[cfg(feature = "ecdsa")]
    fn key_in_directory<'u>(&self, url: &'u str) -> Option<(JwksEndpointId, &'u str)> {
        let (directory, key_id) = url.rsplit_once('/').filter(|(_, key_id)| is_uuid(key_id))?;
        let index = self.directories.iter().position(|known| known.url == directory)?;
        Some((JwksEndpointId::of_directory(index), key_id))
    }

    #[cfg(feature = "ecdsa")]
    fn fetched_in_directory(
        &mut self,
        url: &str,
        ended_at: u64,
        started_at: LogicalTime,
        outcome: Result<Response<'_>, FetchError>,
    ) -> Result<(), KeySetError> {
        let (id, key_id) = self.key_in_directory(url).ok_or(KeySetError::UnknownUrl)?;
        let directory = self.directories.get_mut(id.directory()).ok_or(KeySetError::UnknownUrl)?;
        let ended = FetchEnd { started_at, obtained: self.clock.instant_of(ended_at), ended_at };
        let now = self.clock.now();
        let result = directory.fetched(key_id, outcome, &ended, &self.policy, &self.limits, now);
        let until = ended.obtained.after(self.policy.unknown_key_ttl.into());
        if directory.lacks(key_id) && now < until {
            self.negative_cache.insert(id.0, key_id, until);
        }
        result
    }

    /// Returns the state of the keys of one endpoint.
    pub(crate) fn report(&self, id: JwksEndpointId) -> Option<KeyReport> {
        let report = self.endpoints.get(id.0).map(|endpoint| endpoint.report(self.clock.now()));
        #[cfg(feature = "ecdsa")]
        let report = report.or_else(|| self.directory(id).map(|directory| directory.report(self.clock.now())));
        report
    }

    /// Returns the number of key IDs in the negative cache.
    pub(crate) fn negative_cache_len(&self) -> usize {
        self.negative_cache.len()
    }
}

/// Returns `None` for an endpoint without a URL.
fn fetch_from(endpoint: &JwksEndpoint, key_id: Option<&str>) -> Option<Fetch> {
    let url = endpoint.url.clone()?;
    Some(Fetch { url, key_id: key_id.map(Into::into), etag: endpoint.etag().map(Into::into) })
}
