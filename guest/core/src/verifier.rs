//! The way of a token through the rooms.

use crate::{
    CacheHandle, Config, ConfigError, Fetch, FetchError, Hint, IssuerRule, KeyOrigin, KeyPolicy, KeyReport,
    KeySetError, Limits, LogicalTime, Pool, Reason, Response, RevocationClaims, RevocationMode, RevocationStatus,
    TokenUse,
    cache::{CacheEntry, VerifiedTokens},
    claims::Claims,
    compact::CompactJws,
    header::Header,
    issuer,
    keys::{Instant, JwksEndpointId, KeyLookupError, KeyStore, Lookup, MissingKeyAction},
    policy::Policy,
};
use alloc::{boxed::Box, string::String, vec, vec::Vec};
use hashbrown::HashMap;

/// Judges tokens. It holds the configuration and the keys; time and bytes come with each call.
#[derive(Debug)]
pub struct Verifier {
    limits: Limits,
    policies: Vec<Policy>,
    routes: Routes,
    keys: KeyStore,
    cache: VerifiedTokens,
    /// Whether revocation is asked about.
    revocation: Option<RevocationMode>,
}

/// From `iss` to policy and keys.
#[derive(Debug)]
enum Routes {
    ByIssuer(HashMap<String, Route>),
    Unchecked(Route),
}

#[derive(Clone, Copy, Debug)]
struct Route {
    policy: usize,
    keys: JwksEndpointId,
}

/// What came of a token.
#[derive(Debug)]
#[must_use]
pub enum Step<T = Verified> {
    /// A verdict.
    Done(Result<T, Reason>),
    /// The keys must be fetched: report to [`Verifier::fetched`], and then call [`Verifier::verify_after_fetch`].
    NeedsKeys(Fetch),
    /// They are being fetched from this URL: an earlier step asked for it. Call [`Verifier::verify_after_fetch`] when that has
    /// ended.
    PendingFetch(String),
    /// The token is good, as far as it can be judged here: ask whether it was revoked, and call [`Verifier::verify_with_revocation_status`]. Only
    /// after [`Verifier::enable_revocation_check`].
    PendingRevocation(Box<RevocationClaims>),
}

impl<T> Step<T> {
    /// The verdict for who asks and waits for nothing.
    ///
    /// # Errors
    /// The reason of the refusal; what could not be judged is refused.
    pub fn verdict(self) -> Result<T, Reason> {
        match self {
            Step::Done(verdict) => verdict,
            Step::NeedsKeys(_) | Step::PendingFetch(_) => Err(Reason::KeysUnavailable),
            Step::PendingRevocation(_) => Err(Reason::RevocationUnavailable),
        }
    }
}

/// What a good token says, for a caller who keeps what was said before.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and a box would cost an allocation a token")]
pub enum VerifyOutcome {
    /// It was verified now, and is remembered under the handle.
    Verified(Verified, Option<CacheHandle>),
    /// It says what it said when this handle was given. Its key, its times and the policy have been looked at again.
    Cached(CacheHit),
}

/// A token that was remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheHit {
    /// Under which it is remembered.
    pub handle: CacheHandle,
    /// Whether its key is past its soft lifetime now.
    pub keys_are_stale: bool,
}

/// What a verified token says. Only [`Verifier::verify`] builds it.
#[non_exhaustive]
pub struct Verified {
    /// `sub`.
    pub subject: Option<String>,
    /// `username` of an access token, `cognito:username` of an ID token.
    pub username: Option<String>,
    /// `token_use`, unless it is not checked.
    pub token_use: Option<TokenUse>,
    /// `iss`.
    pub issuer: Option<String>,
    /// The app client: `client_id`, or the entry of `aud` that passed the check.
    pub client_id: Option<String>,
    /// `cognito:groups`.
    pub groups: Vec<String>,
    /// `scope`, split at spaces.
    pub scopes: Vec<String>,
    /// `iat`, in whole seconds since the Unix epoch.
    pub issued_at: Option<u64>,
    /// `exp`, in whole seconds since the Unix epoch.
    pub expires_at: u64,
    /// `auth_time`, in whole seconds since the Unix epoch.
    pub auth_time: Option<u64>,
    /// The payload as JSON text, byte for byte as it was signed.
    pub payload: String,
    /// Whether the key is past its soft lifetime: refreshing it has not worked yet.
    pub keys_are_stale: bool,
}

impl Verifier {
    /// Checks a configuration and takes it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.limits.check()?;
        config.key_policy.check()?;
        config.cache.check()?;
        let policies = config.pools.iter().map(Policy::new).collect::<Result<_, _>>()?;
        let mut keys = KeyStore::new(config.limits, config.key_policy);
        let routes = Routes::new(&config.pools, &mut keys)?;
        let cache = VerifiedTokens::new(config.cache);
        Ok(Self { limits: config.limits, policies, routes, keys, cache, revocation: None })
    }

    /// Lets no token through from now on before its revocation was asked about, and says what to do with one when that fails.
    pub fn enable_revocation_check(&mut self, mode: RevocationMode) {
        self.revocation = Some(mode);
    }

    /// Judges a token in the compact serialization at the time `now`, in seconds since the Unix epoch.
    ///
    /// A token whose key is held never asks for a fetch.
    pub fn verify(&mut self, now: u64, token: &str) -> Step {
        match self.verify_cached(now, token) {
            Step::Done(judged) => Step::Done(judged.and_then(|outcome| self.into_verified(outcome))),
            Step::NeedsKeys(fetch) => Step::NeedsKeys(fetch),
            Step::PendingFetch(url) => Step::PendingFetch(url),
            Step::PendingRevocation(claims) => Step::PendingRevocation(claims),
        }
    }

    /// The same for a caller who keeps what was said of each handle: a token that is remembered costs no copy of what it says.
    pub fn verify_cached(&mut self, now: u64, token: &str) -> Step<VerifyOutcome> {
        Step::Done(match self.lookup_or_verify(now, token, self.revocation) {
            Ok(outcome) => Ok(outcome),
            Err(Interrupt::Refused(reason)) => Err(reason),
            Err(Interrupt::PendingRevocation(claims)) => return Step::PendingRevocation(claims),
            Err(Interrupt::KeyMissing { endpoint, key_id, error, now }) => {
                match self.keys.on_missing_key(endpoint, &key_id, error, now) {
                    MissingKeyAction::Reject(reason) => Err(reason),
                    MissingKeyAction::Fetch(fetch) => return Step::NeedsKeys(fetch),
                    MissingKeyAction::Await(url) => return Step::PendingFetch(url),
                }
            }
        })
    }

    /// Judges a token for which keys had to be fetched, after the end of that fetch. `received_at` is a moment before the call of
    /// [`Verifier::verify`] that asked for them.
    ///
    /// A `kid` that is still not there is unknown, and remembered as such for a while, if that fetch began after `received_at`. If it began
    /// earlier, the key may have been published since: the step asks for one more fetch, or awaits one that is under way, or refuses the
    /// token without remembering it, where no fetch may be made now.
    pub fn verify_after_fetch(&mut self, now: u64, token: &str, received_at: LogicalTime) -> Step {
        Step::Done(match self.lookup_or_verify(now, token, self.revocation) {
            Ok(outcome) => self.into_verified(outcome),
            Err(Interrupt::Refused(reason)) => Err(reason),
            Err(Interrupt::PendingRevocation(claims)) => return Step::PendingRevocation(claims),
            Err(Interrupt::KeyMissing { endpoint, key_id, error, now }) => {
                match self.keys.after_fetch_missing_key(endpoint, &key_id, error, received_at, now) {
                    MissingKeyAction::Reject(reason) => Err(reason),
                    MissingKeyAction::Fetch(fetch) => return Step::NeedsKeys(fetch),
                    MissingKeyAction::Await(url) => return Step::PendingFetch(url),
                }
            }
        })
    }

    /// Judges a token whose revocation was asked about ([`Step::PendingRevocation`]), with the answer. All else is looked at once more, for
    /// time has passed; it asks for nothing.
    ///
    /// # Errors
    /// The reason of the refusal. [`Reason::NotConfigured`] if revocation is not asked about here.
    pub fn verify_with_revocation_status(
        &mut self,
        now: u64,
        token: &str,
        status: RevocationStatus,
    ) -> Result<Verified, Reason> {
        let mode = self.revocation.ok_or(Reason::NotConfigured)?;
        let outcome = self.lookup_or_verify(now, token, None).map_err(|stop| self.refused(stop))?;
        mode.check(status)?;
        self.into_verified(outcome)
    }

    /// More about a refusal, for the operator: which claim is of a wrong type, or what may be wrong with the configured issuer. The token
    /// is read once more for it. It is not verified, so a hint proves nothing; and it holds no part of the token.
    pub fn hint(&self, token: &str, reason: Reason) -> Option<Hint> {
        if !matches!(reason, Reason::ClaimInvalid | Reason::IssuerUnknown) {
            return None;
        }
        let payload = CompactJws::split(token, self.limits.token_bytes as usize).ok()?.payload().ok()?;
        match Claims::read(core::str::from_utf8(&payload).ok()?, self.limits.json_depth) {
            Ok(claims) => self.routes.has_nearly(claims.issuer.as_deref()?).then_some(Hint::IssuerSlash),
            Err(fault) => fault.hint,
        }
    }

    /// Asks other things of tokens from now on. The pools must have the same issuers in the same order; where their keys come from
    /// stays as it is.
    ///
    /// # Errors
    /// See [`ConfigError`]. The policy stays as it was.
    pub fn change_policy(&mut self, pools: &[Pool]) -> Result<(), ConfigError> {
        let routes = Routes::new(pools, &mut KeyStore::new(self.limits, KeyPolicy::default()))?;
        if !self.routes.are_those_of(&routes) {
            return Err(ConfigError::OtherIssuers);
        }
        self.policies = pools.iter().map(Policy::new).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// How many verified tokens are remembered, and how much memory that takes, in bytes; never more than the limits.
    pub fn cached_tokens(&self) -> (usize, usize) {
        self.cache.size()
    }

    /// The fetches that it is time for: of endpoints that have no keys yet, or whose keys are past their soft lifetime. Report
    /// each to [`Verifier::fetched`]. Called every second or so, no token ever waits for keys.
    #[must_use]
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        let now = self.keys.advance(now);
        self.keys.due(now)
    }

    /// Leaves at most this many of the fetches for unknown key IDs, at each URL that is known so far; more come back one every
    /// `unknown_key_interval`. For a host whose verifiers live for seconds: each would have a whole budget of its own.
    pub fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.keys.leave_unknown_key_fetches(left);
    }

    /// Takes the outcome of a fetch that ended at `ended_at`, in seconds since the Unix epoch: what it brought, or why it
    /// brought nothing. It need not be one that this verifier asked for: `url` and `key_id` are those of the [`Fetch`]. `started_at` says
    /// when the request was made, in the order of [`Verifier::verify_after_fetch`]'s `received_at`; [`LogicalTime::UNKNOWN`] if nobody knows.
    ///
    /// A `key_id` that is not among the keys that came is remembered as unknown for a while.
    ///
    /// # Errors
    /// See [`KeySetError`]. The keys held before then stay.
    pub fn fetched(
        &mut self,
        now: u64,
        url: &str,
        key_id: Option<&str>,
        started_at: LogicalTime,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchError>,
    ) -> Result<(), KeySetError> {
        self.keys.advance(now);
        let endpoint = self.keys.endpoint_for(url).ok_or(KeySetError::UnknownUrl)?;
        let before = self.keys.generation(endpoint);
        let taken = self.keys.fetched(url, key_id, started_at, ended_at, outcome);
        self.invalidate_if_rotated(endpoint, before);
        taken
    }

    /// Takes a JWK Set for an issuer (empty where it is not checked) that was got at `fetched_at`, in seconds since the
    /// Unix epoch. Its lifetimes count from then.
    ///
    /// # Errors
    /// See [`KeySetError`]. The keys held before then stay.
    pub fn load_key_set(
        &mut self,
        now: u64,
        issuer: &str,
        jwks: &[u8],
        fetched_at: u64,
    ) -> Result<KeyReport, KeySetError> {
        let route = match &self.routes {
            Routes::ByIssuer(routes) => routes.get(issuer).copied().ok_or(KeySetError::UnknownIssuer)?,
            Routes::Unchecked(route) if issuer.is_empty() => *route,
            Routes::Unchecked(_) => return Err(KeySetError::UnknownIssuer),
        };
        self.keys.advance(now);
        let before = self.keys.generation(route.keys);
        let report = self.keys.load(route.keys, jwks, fetched_at);
        self.invalidate_if_rotated(route.keys, before);
        report
    }

    /// How many key IDs are remembered for which no key was found; never more than the policy's limit.
    pub fn negative_cache_len(&self) -> usize {
        self.keys.remembered()
    }

    /// The state of the keys at the time `now`, an entry for each endpoint that they come from.
    pub fn key_reports(&mut self, now: u64) -> Vec<KeyReport> {
        self.keys.advance(now);
        self.keys.reports()
    }

    /// A removed key takes the tokens with it that it has verified.
    fn invalidate_if_rotated(&mut self, endpoint: JwksEndpointId, before: u64) {
        if self.keys.generation(endpoint) != before {
            self.cache.invalidate_endpoint(endpoint);
        }
    }

    /// All that a good token says.
    fn into_verified(&self, outcome: VerifyOutcome) -> Result<Verified, Reason> {
        match outcome {
            VerifyOutcome::Verified(verified, _) => Ok(verified),
            VerifyOutcome::Cached(CacheHit { handle, keys_are_stale }) => {
                // It was remembered a moment ago, in the same call.
                let remembered = self.cache.of(handle).ok_or(Reason::NotConfigured)?;
                Ok(Verified::of(remembered, keys_are_stale))
            }
        }
    }

    /// The end for a token for which nothing more is fetched.
    fn refused(&self, stop: Interrupt) -> Reason {
        match stop {
            Interrupt::Refused(reason) => reason,
            Interrupt::KeyMissing { endpoint, error, .. } => self.keys.reason(endpoint, error),
            Interrupt::PendingRevocation(_) => Reason::RevocationUnavailable,
        }
    }

    /// Where revocation must be asked about still, a good token stops there.
    fn lookup_or_verify(
        &mut self,
        now: u64,
        token: &str,
        revocation: Option<RevocationMode>,
    ) -> Result<VerifyOutcome, Interrupt> {
        match self.lookup(now, token, revocation)? {
            Some(recalled) => Ok(VerifyOutcome::Cached(recalled)),
            None => self.verify_anew(now, token, revocation),
        }
    }

    /// A token that is remembered is judged by all that may have changed since: the key, the times, the policy.
    fn lookup(
        &mut self,
        now: u64,
        token: &str,
        revocation: Option<RevocationMode>,
    ) -> Result<Option<CacheHit>, Interrupt> {
        let moment = self.keys.advance(now);
        let Some((handle, remembered)) = self.cache.find(token) else {
            return Ok(None);
        };
        let policy = self.policies.get(remembered.policy).ok_or(Reason::NotConfigured)?;
        let judged = policy.check_times(&remembered.claims, now).and_then(|()| {
            let Some(keys_are_stale) = self.keys.freshness(remembered.keys, remembered.generation, moment) else {
                return Ok(None);
            };
            if !policy.algorithms.contains(remembered.algorithm) {
                return Err(Reason::AlgorithmNotAllowed);
            }
            let is_the_same = remembered.was_found(&policy.check(&remembered.claims)?);
            Ok(is_the_same.then_some(CacheHit { handle, keys_are_stale }))
        });
        // An expired one never comes again; one whose keys or client changed goes the way of every token.
        if matches!(judged, Ok(None) | Err(Reason::Expired)) {
            self.cache.forget(handle.slot);
        } else if revocation.is_some() && judged.is_ok() {
            return Err(Interrupt::PendingRevocation(awaited(policy, &remembered.claims)));
        }
        Ok(judged?)
    }

    // Once, not in each of its callers.
    #[inline(never)]
    fn verify_anew(
        &mut self,
        now: u64,
        token: &str,
        revocation: Option<RevocationMode>,
    ) -> Result<VerifyOutcome, Interrupt> {
        let jws = CompactJws::split(token, self.limits.token_bytes as usize)?;
        let header = Header::parse(&jws.header()?, self.limits.json_depth)?;
        if !header.is_token_type {
            return Err(Reason::TypeNotAllowed.into());
        }
        let key_id = header.key_id.ok_or(Reason::KeyIdMissing)?;
        let payload = String::from_utf8(jws.payload()?).map_err(|_| Reason::PayloadMalformed)?;
        let signature = jws.signature()?;
        let claims = Claims::parse(&payload, self.limits.json_depth)?;

        let route = self.routes.find(&claims)?;
        let policy = self.policies.get(route.policy).ok_or(Reason::NotConfigured)?;
        if !policy.algorithms.contains(header.algorithm) {
            return Err(Reason::AlgorithmNotAllowed.into());
        }
        policy.check_times(&claims, now)?;

        let moment = self.keys.advance(now);
        let (key, keys_are_stale) = match self.keys.find(route.keys, &key_id, moment) {
            Lookup::Key(key, is_stale) => (key, is_stale),
            Lookup::NotFound(error) => {
                return Err(Interrupt::KeyMissing { endpoint: route.keys, key_id, error, now: moment });
            }
        };
        key.verify(header.algorithm, jws.signing_input(), &signature)?;

        let accepted = policy.check(&claims)?;
        let awaits = revocation.map(|_| awaited(policy, &claims));
        let remembered = CacheEntry {
            policy: route.policy,
            keys: route.keys,
            generation: self.keys.generation(route.keys),
            algorithm: header.algorithm,
            token_use: accepted.token_use,
            client_id: accepted.client_id.map(Into::into),
            claims,
            payload,
        };
        if let Some(claims) = awaits {
            // The work is done, whatever the answer.
            self.cache.insert(token, remembered);
            return Err(Interrupt::PendingRevocation(claims));
        }
        if self.cache.is_off() {
            return Ok(VerifyOutcome::Verified(Verified::from_all(remembered, keys_are_stale), None));
        }
        let verified = Verified::of(&remembered, keys_are_stale);
        Ok(VerifyOutcome::Verified(verified, self.cache.insert(token, remembered)))
    }
}

impl Verified {
    /// A copy of what a token says.
    fn of(remembered: &CacheEntry, keys_are_stale: bool) -> Self {
        let CacheEntry { claims, token_use, client_id, payload, .. } = remembered;
        Self {
            subject: claims.subject.clone(),
            username: claims.username.clone(),
            token_use: *token_use,
            issuer: claims.issuer.clone(),
            client_id: client_id.clone(),
            groups: claims.groups.clone(),
            scopes: claims.scopes.clone(),
            issued_at: claims.issued_at.map(|date| date.floor()),
            expires_at: claims.expires_at.floor(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            payload: payload.clone(),
            keys_are_stale,
        }
    }

    /// The same without a copy.
    fn from_all(remembered: CacheEntry, keys_are_stale: bool) -> Self {
        let CacheEntry { claims, token_use, client_id, payload, .. } = remembered;
        Self {
            subject: claims.subject,
            username: claims.username,
            token_use,
            issuer: claims.issuer,
            client_id,
            groups: claims.groups,
            scopes: claims.scopes,
            issued_at: claims.issued_at.map(|date| date.floor()),
            expires_at: claims.expires_at.floor(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            payload,
            keys_are_stale,
        }
    }
}

impl core::fmt::Debug for Verified {
    /// Leaves out the payload and what names a person.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Verified")
            .field("issuer", &self.issuer)
            .field("token_use", &self.token_use)
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Routes {
    fn new(pools: &[Pool], keys: &mut KeyStore) -> Result<Self, ConfigError> {
        let mut routes = HashMap::new();
        for (policy, pool) in pools.iter().enumerate() {
            let issuers: Vec<String> = match &pool.issuer {
                IssuerRule::UserPool { id, region } => issuer::of_user_pool(id, region.as_deref())?.into(),
                IssuerRule::Exactly(issuer) if issuer.is_empty() => return Err(ConfigError::InvalidIssuer),
                IssuerRule::Exactly(issuer) => [issuer.clone()].into(),
                IssuerRule::Unchecked if pools.len() > 1 => return Err(ConfigError::UncheckedIssuerNotAlone),
                IssuerRule::Unchecked => return unchecked(pool, keys),
            };
            for (issuer, keys) in issuers.iter().zip(endpoints(pool, &issuers, keys)?) {
                if routes.insert(issuer.clone(), Route { policy, keys }).is_some() {
                    return Err(ConfigError::DuplicateIssuer);
                }
            }
        }
        if routes.is_empty() { Err(ConfigError::NoPool) } else { Ok(Self::ByIssuer(routes)) }
    }

    /// Whether the same issuers have the same policies, by number.
    fn are_those_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Routes::Unchecked(_), Routes::Unchecked(_)) => true,
            (Routes::ByIssuer(ours), Routes::ByIssuer(theirs)) => {
                let is_the_same = |(issuer, route): (&String, &Route)| {
                    theirs.get(issuer).is_some_and(|other| other.policy == route.policy)
                };
                ours.len() == theirs.len() && ours.iter().all(is_the_same)
            }
            _ => false,
        }
    }

    fn find(&self, claims: &Claims) -> Result<Route, Reason> {
        match self {
            Routes::Unchecked(route) => Ok(*route),
            Routes::ByIssuer(routes) => {
                let issuer = claims.issuer.as_deref().ok_or(Reason::IssuerMissing)?;
                routes.get(issuer).copied().ok_or(Reason::IssuerUnknown)
            }
        }
    }

    /// Whether an issuer is configured that differs from this one by a slash at the end alone.
    fn has_nearly(&self, issuer: &str) -> bool {
        match self {
            Routes::ByIssuer(routes) => {
                let is_near = |own: &String| own != issuer && own.trim_end_matches('/') == issuer.trim_end_matches('/');
                routes.keys().any(is_near)
            }
            Routes::Unchecked(_) => false,
        }
    }
}

fn unchecked(pool: &Pool, keys: &mut KeyStore) -> Result<Routes, ConfigError> {
    let url = match &pool.keys {
        KeyOrigin::Derived => return Err(ConfigError::KeysNotDerivable),
        KeyOrigin::Url(url) => Some(url.as_str()),
        KeyOrigin::Local => None,
    };
    Ok(Routes::Unchecked(Route { policy: 0, keys: keys.endpoint(url) }))
}

/// Where the keys of each issuer of a pool come from.
fn endpoints(pool: &Pool, issuers: &[String], keys: &mut KeyStore) -> Result<Vec<JwksEndpointId>, ConfigError> {
    let endpoints: Vec<JwksEndpointId> = match &pool.keys {
        KeyOrigin::Derived if issuers.iter().any(|issuer| !issuer.starts_with("http")) => {
            return Err(ConfigError::KeysNotDerivable);
        }
        KeyOrigin::Derived => {
            let endpoints: Vec<_> =
                issuers.iter().map(|issuer| keys.endpoint(Some(&issuer::jwks_url(issuer)))).collect();
            // A user pool's second form has keys of its own only where the pool uses it; else its URL answers 403.
            endpoints.iter().skip(1).for_each(|endpoint| keys.ask_on_demand(*endpoint));
            endpoints
        }
        KeyOrigin::Url(url) => vec![keys.endpoint(Some(url)); issuers.len()],
        // One seed serves every form of the issuer.
        KeyOrigin::Local => vec![keys.endpoint(None); issuers.len()],
    };
    issuers.iter().zip(&endpoints).for_each(|(issuer, endpoint)| keys.add_issuer(*endpoint, issuer));
    Ok(endpoints)
}

fn awaited(policy: &Policy, claims: &Claims) -> Box<RevocationClaims> {
    Box::new(RevocationClaims::of(claims, policy.first_issuer.as_deref()))
}

/// Why a token does not go on: refused for good, because its key is not there, or because every room has let it through and the store must
/// be asked.
enum Interrupt {
    Refused(Reason),
    PendingRevocation(Box<RevocationClaims>),
    KeyMissing { endpoint: JwksEndpointId, key_id: Box<str>, error: KeyLookupError, now: Instant },
}

impl From<Reason> for Interrupt {
    fn from(reason: Reason) -> Self {
        Interrupt::Refused(reason)
    }
}
