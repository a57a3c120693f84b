//! The way of a token through the rooms.

use crate::{
    Config, ConfigError, Fetch, FetchFault, IssuerRule, KeyOrigin, KeyReport, KeySetFault, Limits, Pool, Reason,
    Response, TokenUse,
    claims::Claims,
    compact::CompactJws,
    header::Header,
    issuer,
    keys::{KeyStore, Lookup, Miss, Missing, Moment, PlaceId},
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
    keys: PlaceId,
}

/// What came of a token.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// A verdict.
    Judged(Result<Verified, Reason>),
    /// The keys must be fetched: report to [`Verifier::fetched`], and then call [`Verifier::verify_again`].
    NeedsKeys(Fetch),
    /// They are being fetched from this URL: an earlier step asked for it. Call [`Verifier::verify_again`] when that has
    /// ended.
    AwaitsKeys(String),
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
        let policies = config.pools.iter().map(Policy::new).collect::<Result<_, _>>()?;
        let mut keys = KeyStore::new(config.limits, config.key_policy);
        let routes = Routes::new(&config.pools, &mut keys)?;
        Ok(Self { limits: config.limits, policies, routes, keys })
    }

    /// Judges a token in the compact serialization at the time `now`, in seconds since the Unix epoch.
    ///
    /// A token whose key is held never asks for a fetch.
    pub fn verify(&mut self, now: u64, token: &str) -> Step {
        Step::Judged(match self.judge(now, token) {
            Ok(verified) => Ok(verified),
            Err(Stop::Refused(reason)) => Err(reason),
            Err(Stop::KeyMissing { place, key_id, missing, now }) => {
                match self.keys.miss(place, &key_id, missing, now) {
                    Miss::Refused(reason) => Err(reason),
                    Miss::Fetch(fetch) => return Step::NeedsKeys(fetch),
                    Miss::UnderWay(url) => return Step::AwaitsKeys(url),
                }
            }
        })
    }

    /// Judges a token for which keys had to be fetched, after the end of that fetch. It asks for nothing more: a `kid` that
    /// is still unknown is remembered for a while.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub fn verify_again(&mut self, now: u64, token: &str) -> Result<Verified, Reason> {
        self.judge(now, token).map_err(|stop| match stop {
            Stop::Refused(reason) => reason,
            Stop::KeyMissing { place, key_id, missing, now } => self.keys.miss_again(place, &key_id, missing, now),
        })
    }

    /// The fetches that it is time for: of places that have no keys yet, or whose keys are past their soft lifetime. Report
    /// each to [`Verifier::fetched`]. Called every second or so, no token ever waits for keys.
    #[must_use]
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        let now = self.keys.advance(now);
        self.keys.due(now)
    }

    /// Takes the outcome of a fetch that ended at `ended_at`, in seconds since the Unix epoch: what it brought, or why it
    /// brought nothing. It need not be one that this verifier asked for: `url` and `key_id` are those of the [`Fetch`].
    ///
    /// A `key_id` that is not among the keys that came is remembered as unknown for a while.
    ///
    /// # Errors
    /// See [`KeySetFault`]. The keys held before then stay.
    pub fn fetched(
        &mut self,
        now: u64,
        url: &str,
        key_id: Option<&str>,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchFault>,
    ) -> Result<(), KeySetFault> {
        self.keys.advance(now);
        self.keys.fetched(url, key_id, ended_at, outcome)
    }

    /// Takes a JWK Set for an issuer (empty where it is not checked) that was got at `fetched_at`, in seconds since the
    /// Unix epoch. Its lifetimes count from then.
    ///
    /// # Errors
    /// See [`KeySetFault`]. The keys held before then stay.
    pub fn seed(&mut self, now: u64, issuer: &str, jwks: &[u8], fetched_at: u64) -> Result<KeyReport, KeySetFault> {
        let route = match &self.routes {
            Routes::ByIssuer(routes) => routes.get(issuer).copied().ok_or(KeySetFault::UnknownIssuer)?,
            Routes::Unchecked(route) if issuer.is_empty() => *route,
            Routes::Unchecked(_) => return Err(KeySetFault::UnknownIssuer),
        };
        self.keys.advance(now);
        self.keys.seed(route.keys, jwks, fetched_at)
    }

    /// How many key IDs are remembered for which no key was found; never more than the policy's limit.
    pub fn remembered_unknown_keys(&self) -> usize {
        self.keys.remembered()
    }

    /// The state of the keys at the time `now`, an entry for each place that they come from.
    pub fn key_reports(&mut self, now: u64) -> Vec<KeyReport> {
        self.keys.advance(now);
        self.keys.reports()
    }

    fn judge(&mut self, now: u64, token: &str) -> Result<Verified, Stop> {
        let jws = CompactJws::split(token, self.limits.token_bytes as usize)?;
        let header = Header::parse(&jws.header()?, self.limits.json_depth)?;
        if !header.is_token_type {
            return Err(Reason::TypeNotAllowed.into());
        }
        let key_id = header.key_id.ok_or(Reason::KeyIdMissing)?;
        let payload = String::from_utf8(jws.payload()?).map_err(|_| Reason::PayloadMalformed)?;
        let signature = jws.signature()?;
        let claims = Claims::parse(payload.as_bytes(), self.limits.json_depth)?;

        let route = self.routes.find(&claims)?;
        let policy = self.policies.get(route.policy).ok_or(Reason::NotConfigured)?;
        if !policy.algorithms.contains(header.algorithm) {
            return Err(Reason::AlgorithmNotAllowed.into());
        }
        policy.check_times(&claims, now)?;

        let moment = self.keys.advance(now);
        let (key, keys_are_stale) = match self.keys.find(route.keys, &key_id, moment) {
            Lookup::Key(key, is_stale) => (key, is_stale),
            Lookup::Missing(missing) => {
                return Err(Stop::KeyMissing { place: route.keys, key_id, missing, now: moment });
            }
        };
        key.verify(header.algorithm, jws.signing_input(), &signature)?;

        let accepted = policy.check(&claims)?;
        Ok(Verified {
            subject: claims.subject,
            username: claims.username,
            token_use: accepted.token_use,
            issuer: claims.issuer,
            client_id: accepted.client_id,
            groups: claims.groups,
            scopes: claims.scopes,
            issued_at: claims.issued_at.map(|date| date.floor()),
            expires_at: claims.expires_at.floor(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            payload,
            keys_are_stale,
        })
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
            for (issuer, keys) in issuers.iter().zip(places(pool, &issuers, keys)?) {
                if routes.insert(issuer.clone(), Route { policy, keys }).is_some() {
                    return Err(ConfigError::DuplicateIssuer);
                }
            }
        }
        if routes.is_empty() { Err(ConfigError::NoPool) } else { Ok(Self::ByIssuer(routes)) }
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
}

fn unchecked(pool: &Pool, keys: &mut KeyStore) -> Result<Routes, ConfigError> {
    let url = match &pool.keys {
        KeyOrigin::Derived => return Err(ConfigError::KeysNotDerivable),
        KeyOrigin::Url(url) => Some(url.as_str()),
        KeyOrigin::Seeded => None,
    };
    Ok(Routes::Unchecked(Route { policy: 0, keys: keys.place(url) }))
}

/// Where the keys of each issuer of a pool come from.
fn places(pool: &Pool, issuers: &[String], keys: &mut KeyStore) -> Result<Vec<PlaceId>, ConfigError> {
    let places: Vec<PlaceId> = match &pool.keys {
        KeyOrigin::Derived if issuers.iter().any(|issuer| !issuer.starts_with("http")) => {
            return Err(ConfigError::KeysNotDerivable);
        }
        KeyOrigin::Derived => {
            let places: Vec<_> = issuers.iter().map(|issuer| keys.place(Some(&issuer::jwks_url(issuer)))).collect();
            // A user pool's second form has keys of its own only where the pool uses it; else its URL answers 403.
            places.iter().skip(1).for_each(|place| keys.ask_on_demand(*place));
            places
        }
        KeyOrigin::Url(url) => vec![keys.place(Some(url)); issuers.len()],
        // One seed serves every form of the issuer.
        KeyOrigin::Seeded => vec![keys.place(None); issuers.len()],
    };
    issuers.iter().zip(&places).for_each(|(issuer, place)| keys.add_issuer(*place, issuer));
    Ok(places)
}

/// Why a token does not go on: refused for good, or because its key is not there.
enum Stop {
    Refused(Reason),
    KeyMissing { place: PlaceId, key_id: Box<str>, missing: Missing, now: Moment },
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Stop::Refused(reason)
    }
}
