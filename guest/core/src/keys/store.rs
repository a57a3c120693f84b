//! Every endpoint that keys come from, on one line of time.

use super::{
    Fetch, FetchError, KeyPolicy, KeyReport, KeySetError, LogicalTime, Response,
    endpoint::{FetchDecision, JwksEndpoint, KeyLookupError, Lookup},
    monotonic_clock::{Instant, MonotonicClock},
    unknown::UnknownKeys,
};
use crate::{Limits, Reason};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use hashbrown::HashMap;

/// A endpoint that keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JwksEndpointId(usize);

#[derive(Debug)]
pub(crate) struct KeyStore {
    endpoints: Vec<JwksEndpoint>,
    by_url: HashMap<String, JwksEndpointId>,
    unknown: UnknownKeys,
    clock: MonotonicClock,
    policy: KeyPolicy,
    limits: Limits,
}

/// What follows when a key is not there.
#[derive(Debug)]
pub(crate) enum MissingKeyAction {
    Reject(Reason),
    /// The keys must be fetched first.
    Fetch(Fetch),
    /// They are being fetched from this URL.
    Await(String),
}

impl KeyStore {
    pub(crate) fn new(limits: Limits, policy: KeyPolicy) -> Self {
        Self {
            endpoints: Vec::new(),
            by_url: HashMap::new(),
            unknown: UnknownKeys::new(policy.unknown_key_entries),
            clock: MonotonicClock::new(),
            policy,
            limits,
        }
    }

    /// The endpoint for a URL, or a new one for keys that are only seeded.
    pub(crate) fn endpoint(&mut self, url: Option<&str>) -> JwksEndpointId {
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

    /// Notes that an issuer's keys come from a endpoint.
    pub(crate) fn add_issuer(&mut self, id: JwksEndpointId, issuer: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.issuers.push(issuer.to_owned());
        }
    }

    /// Notes that a endpoint is not asked before a token needs it.
    pub(crate) fn ask_on_demand(&mut self, id: JwksEndpointId) {
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.is_on_demand = true;
        }
    }

    /// Moves to the time of the wall clock.
    pub(crate) fn advance(&mut self, now: u64) -> Instant {
        self.clock.advance(now)
    }

    pub(crate) fn find(&self, id: JwksEndpointId, key_id: &str, now: Instant) -> Lookup<'_> {
        self.endpoints
            .get(id.0)
            .map_or(Lookup::NotFound(KeyLookupError::NoKeySet), |endpoint| endpoint.find(key_id, now))
    }

    /// The generation of the keys of a endpoint: it changes whenever they do.
    pub(crate) fn generation(&self, id: JwksEndpointId) -> u64 {
        self.endpoints.get(id.0).map_or(0, JwksEndpoint::generation)
    }

    /// Whether the keys of a endpoint are of this generation and still verify, and if so, whether they are past their soft lifetime.
    pub(crate) fn freshness(&self, id: JwksEndpointId, generation: u64, now: Instant) -> Option<bool> {
        self.endpoints.get(id.0)?.freshness(generation, now)
    }

    /// What to do about a key that is not there.
    pub(crate) fn on_missing_key(
        &mut self,
        id: JwksEndpointId,
        key_id: &str,
        error: KeyLookupError,
        now: Instant,
    ) -> MissingKeyAction {
        match error {
            KeyLookupError::UnknownKeyId if self.unknown.contains(id.0, key_id, now) => {
                MissingKeyAction::Reject(Reason::KeyUnknownCached)
            }
            KeyLookupError::RejectedKey if self.unknown.contains(id.0, key_id, now) => {
                MissingKeyAction::Reject(Reason::KeyRefused)
            }
            error => self.ask(id, key_id, error, now),
        }
    }

    /// The same after a fetch, for a token that came at `received_at`. If that fetch began later, there is no such key, which is remembered;
    /// else the key may have been published meanwhile, and it takes one more.
    pub(crate) fn after_fetch_missing_key(
        &mut self,
        id: JwksEndpointId,
        key_id: &str,
        error: KeyLookupError,
        received_at: LogicalTime,
        now: Instant,
    ) -> MissingKeyAction {
        if let Some(endpoint) = self.endpoints.get_mut(id.0) {
            endpoint.end_overdue(&self.policy, now);
        }
        match self.endpoints.get(id.0) {
            Some(endpoint) if error != KeyLookupError::NoKeySet && !endpoint.has_failed() => {
                if endpoint.was_looked_at_after(received_at) {
                    self.unknown.insert(id.0, key_id, now.after(self.policy.unknown_key_ttl.into()));
                    return MissingKeyAction::Reject(self.reason(id, error));
                }
                self.unknown.doubt(id.0, key_id, now);
                self.ask(id, key_id, error, now)
            }
            _ => MissingKeyAction::Reject(self.reason(id, error)),
        }
    }

    /// Why a token is refused for whose key nothing more is asked for.
    pub(crate) fn reason(&self, id: JwksEndpointId, error: KeyLookupError) -> Reason {
        match (error, self.endpoints.get(id.0)) {
            (KeyLookupError::NoKeySet, _) | (_, None) => Reason::KeysUnavailable,
            (KeyLookupError::RejectedKey, Some(_)) => Reason::KeyRefused,
            (KeyLookupError::UnknownKeyId, Some(endpoint)) if endpoint.has_failed() => Reason::KeysUnavailable,
            (KeyLookupError::UnknownKeyId, Some(_)) => Reason::KeyUnknown,
        }
    }

    fn ask(&mut self, id: JwksEndpointId, key_id: &str, error: KeyLookupError, now: Instant) -> MissingKeyAction {
        let Some(endpoint) = self.endpoints.get_mut(id.0) else {
            return MissingKeyAction::Reject(Reason::KeysUnavailable);
        };
        endpoint.end_overdue(&self.policy, now);
        let permission = match error {
            KeyLookupError::NoKeySet => endpoint.ask(&self.policy, now),
            KeyLookupError::UnknownKeyId | KeyLookupError::RejectedKey => endpoint.ask_for_unknown(&self.policy, now),
        };
        match permission {
            FetchDecision::Allowed => fetch_from(endpoint, (error != KeyLookupError::NoKeySet).then_some(key_id)),
            FetchDecision::InProgress => MissingKeyAction::Await(endpoint.url.clone().unwrap_or_default()),
            permission => MissingKeyAction::Reject(match error {
                KeyLookupError::NoKeySet => Reason::KeysUnavailable,
                KeyLookupError::RejectedKey => Reason::KeyRefused,
                KeyLookupError::UnknownKeyId if permission == FetchDecision::BackingOff => Reason::KeysUnavailable,
                KeyLookupError::UnknownKeyId
                    if permission == FetchDecision::RateLimited && self.policy.unknown_key_fetches > 0 =>
                {
                    Reason::KeyUnknownLimited
                }
                KeyLookupError::UnknownKeyId => Reason::KeyUnknown,
            }),
        }
    }

    pub(crate) fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.endpoints.iter_mut().for_each(|endpoint| endpoint.leave_unknown_key_fetches(left));
    }

    /// The endpoints that it is time to ask. Their fetches have begun.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Fetch> {
        let mut due = Vec::new();
        for endpoint in &mut self.endpoints {
            endpoint.end_overdue(&self.policy, now);
            if endpoint.ask_if_due(&self.policy, now) == FetchDecision::Allowed
                && let MissingKeyAction::Fetch(fetch) = fetch_from(endpoint, None)
            {
                due.push(fetch);
            }
        }
        due
    }

    /// The endpoint of a URL.
    pub(crate) fn endpoint_for(&self, url: &str) -> Option<JwksEndpointId> {
        self.by_url.get(url).copied()
    }

    /// Takes the end of a fetch, at a time of the wall clock. The key ID that it was asked for is remembered if it is not
    /// among the keys that came: its token came before the fetch began.
    pub(crate) fn fetched(
        &mut self,
        url: &str,
        key_id: Option<&str>,
        started_at: LogicalTime,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchError>,
    ) -> Result<(), KeySetError> {
        let id = self.by_url.get(url).copied().ok_or(KeySetError::UnknownUrl)?;
        let endpoint = self.endpoints.get_mut(id.0).ok_or(KeySetError::UnknownUrl)?;
        let (obtained, now) = (self.clock.instant_of(ended_at), self.clock.now());
        endpoint.fetched(outcome, started_at, obtained, ended_at, &self.policy, &self.limits)?;
        let until = obtained.after(self.policy.unknown_key_ttl.into());
        if let Some(key_id) = key_id
            && now < until
            && !endpoint.has_failed()
            && let Lookup::NotFound(KeyLookupError::UnknownKeyId | KeyLookupError::RejectedKey) =
                endpoint.find(key_id, now)
        {
            self.unknown.insert(id.0, key_id, until);
        }
        Ok(())
    }

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
        self.endpoints.iter().map(|endpoint| endpoint.report(self.clock.now())).collect()
    }

    /// How many key IDs are remembered for which no key was found.
    pub(crate) fn remembered(&self) -> usize {
        self.unknown.len()
    }
}

/// A endpoint without a URL is never permitted to be asked.
fn fetch_from(endpoint: &JwksEndpoint, key_id: Option<&str>) -> MissingKeyAction {
    match &endpoint.url {
        Some(url) => MissingKeyAction::Fetch(Fetch {
            url: url.clone(),
            key_id: key_id.map(Into::into),
            etag: endpoint.etag().map(Into::into),
        }),
        None => MissingKeyAction::Reject(Reason::KeysUnavailable),
    }
}
