//! The way of a token through the rooms.

use crate::{
    Config, ConfigError, FetchFault, IssuerRule, KeyOrigin, KeyReport, KeySetFault, Limits, Pool, Reason, TokenUse,
    claims::Claims,
    compact::CompactJws,
    header::Header,
    issuer,
    keys::{KeyStore, Lookup, PlaceId},
    policy::Policy,
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
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
    /// The keys must be fetched; report to [`Verifier::fetched`] and call [`Verifier::verify`] again.
    NeedsKeys(Fetch),
}

/// A fetch that the caller is asked for.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The JWK Set's URL.
    pub url: String,
    place: PlaceId,
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
}

impl Verifier {
    /// Checks a configuration and takes it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.limits.check()?;
        let policies = config.pools.iter().map(Policy::new).collect::<Result<_, _>>()?;
        let mut keys = KeyStore::new(config.limits);
        let routes = Routes::new(&config.pools, &mut keys)?;
        Ok(Self { limits: config.limits, policies, routes, keys })
    }

    /// Judges a token in the compact serialization at the time `now`, in seconds since the Unix epoch.
    ///
    /// A known key never asks for a fetch. After [`Verifier::fetched`], the same token at the same time gets a verdict.
    pub fn verify(&self, now: u64, token: &str) -> Step {
        match self.judge(now, token) {
            Ok(verified) => Step::Judged(Ok(verified)),
            Err(Stop::Refused(reason)) => Step::Judged(Err(reason)),
            Err(Stop::NeedsKeys(fetch)) => Step::NeedsKeys(fetch),
        }
    }

    /// Takes the outcome of a fetch at the time `now`: the body and when it was received, or why there is none.
    pub fn fetched(&mut self, fetch: &Fetch, now: u64, outcome: Result<(&[u8], u64), FetchFault>) {
        self.keys.fetched(fetch.place, now, outcome);
    }

    /// Takes a JWK Set for an issuer (empty where it is not checked) that was got at `fetched_at`, in seconds since the
    /// Unix epoch.
    ///
    /// # Errors
    /// See [`KeySetFault`]. The keys held before then stay.
    pub fn seed(&mut self, issuer: &str, jwks: &[u8], fetched_at: u64) -> Result<KeyReport, KeySetFault> {
        let route = match &self.routes {
            Routes::ByIssuer(routes) => routes.get(issuer).copied().ok_or(KeySetFault::UnknownIssuer)?,
            Routes::Unchecked(route) if issuer.is_empty() => *route,
            Routes::Unchecked(_) => return Err(KeySetFault::UnknownIssuer),
        };
        self.keys.seed(route.keys, jwks, fetched_at)
    }

    /// The state of the keys, an entry for each place that they come from.
    pub fn key_reports(&self) -> Vec<KeyReport> {
        self.keys.reports()
    }

    fn judge(&self, now: u64, token: &str) -> Result<Verified, Stop> {
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

        let key = match self.keys.find(route.keys, &key_id, now) {
            Lookup::Key(key) => key,
            Lookup::Fetch(url) => return Err(Stop::NeedsKeys(Fetch { url: url.to_owned(), place: route.keys })),
            Lookup::Refused(reason) => return Err(reason.into()),
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
        KeyOrigin::Derived => issuers.iter().map(|issuer| keys.place(Some(&issuer::jwks_url(issuer)))).collect(),
        KeyOrigin::Url(url) => vec![keys.place(Some(url)); issuers.len()],
        // One seed serves every form of the issuer.
        KeyOrigin::Seeded => vec![keys.place(None); issuers.len()],
    };
    issuers.iter().zip(&places).for_each(|(issuer, place)| keys.add_issuer(*place, issuer));
    Ok(places)
}

/// Why a token does not go on: refused for good, or waiting for keys.
enum Stop {
    Refused(Reason),
    NeedsKeys(Fetch),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Stop::Refused(reason)
    }
}
