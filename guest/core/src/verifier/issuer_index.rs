//! From the issuer of a token (`iss`) to its policy and its JWKS endpoint.

use crate::{
    claims::Claims,
    config::{ConfigError, IssuerRule, KeyOrigin, Pool},
    issuer,
    keys::{JwksEndpointId, KeyStore},
    reason::Reason,
};
use alloc::{string::String, vec, vec::Vec};
use hashbrown::HashMap;

#[derive(Debug)]
pub(super) enum IssuerIndex {
    ByIssuer(HashMap<String, IssuerEntry>),
    /// The only pool, which does not check the issuer.
    Unchecked(IssuerEntry),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct IssuerEntry {
    /// The index of the policy.
    pub(super) policy: usize,
    pub(super) endpoint: JwksEndpointId,
}

impl IssuerIndex {
    /// Indexes the issuers of all pools, and adds their JWKS endpoints to `keys`.
    pub(super) fn new(pools: &[Pool], keys: &mut KeyStore) -> Result<Self, ConfigError> {
        let mut index = HashMap::new();
        for (policy, pool) in pools.iter().enumerate() {
            let issuers: Vec<String> = match &pool.issuer {
                IssuerRule::UserPool { id, region } => issuer::of_user_pool(id, region.as_deref())?.into(),
                IssuerRule::Exactly(issuer) if issuer.is_empty() => return Err(ConfigError::InvalidIssuer),
                IssuerRule::Exactly(issuer) => [issuer.clone()].into(),
                IssuerRule::Unchecked if pools.len() > 1 => return Err(ConfigError::UncheckedIssuerNotAlone),
                IssuerRule::Unchecked => return unchecked(pool, keys),
            };
            for (issuer, endpoint) in issuers.iter().zip(endpoints(pool, &issuers, keys)?) {
                if index.insert(issuer.clone(), IssuerEntry { policy, endpoint }).is_some() {
                    return Err(ConfigError::DuplicateIssuer);
                }
            }
        }
        if index.is_empty() { Err(ConfigError::NoPool) } else { Ok(Self::ByIssuer(index)) }
    }

    /// Finds the entry for the issuer of a token.
    pub(super) fn find(&self, claims: &Claims) -> Result<IssuerEntry, Reason> {
        match self {
            Self::Unchecked(entry) => Ok(*entry),
            Self::ByIssuer(index) => {
                let issuer = claims.issuer.as_deref().ok_or(Reason::IssuerMissing)?;
                index.get(issuer).copied().ok_or(Reason::IssuerUnknown)
            }
        }
    }

    /// Returns the entry for a configured issuer. Its name is empty if the issuer is not checked.
    pub(super) fn get(&self, issuer: &str) -> Option<IssuerEntry> {
        match self {
            Self::ByIssuer(index) => index.get(issuer).copied(),
            Self::Unchecked(entry) => issuer.is_empty().then_some(*entry),
        }
    }

    /// Returns whether both have the same issuers, with the same policies by number.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unchecked(_), Self::Unchecked(_)) => true,
            (Self::ByIssuer(ours), Self::ByIssuer(theirs)) => {
                let is_the_same = |(issuer, entry): (&String, &IssuerEntry)| {
                    theirs.get(issuer).is_some_and(|other| other.policy == entry.policy)
                };
                ours.len() == theirs.len() && ours.iter().all(is_the_same)
            }
            _ => false,
        }
    }

    /// Returns whether a configured issuer differs from this one only by a slash at the end.
    pub(super) fn differs_by_slash(&self, issuer: &str) -> bool {
        match self {
            Self::ByIssuer(index) => {
                let is_near = |own: &String| own != issuer && own.trim_end_matches('/') == issuer.trim_end_matches('/');
                index.keys().any(is_near)
            }
            Self::Unchecked(_) => false,
        }
    }
}

fn unchecked(pool: &Pool, keys: &mut KeyStore) -> Result<IssuerIndex, ConfigError> {
    let url = match &pool.keys {
        KeyOrigin::Derived => return Err(ConfigError::KeysNotDerivable),
        KeyOrigin::Url(url) => Some(url.as_str()),
        KeyOrigin::Local => None,
    };
    Ok(IssuerIndex::Unchecked(IssuerEntry { policy: 0, endpoint: keys.add_endpoint(url) }))
}

/// Returns the JWKS endpoint of each issuer of a pool.
fn endpoints(pool: &Pool, issuers: &[String], keys: &mut KeyStore) -> Result<Vec<JwksEndpointId>, ConfigError> {
    let endpoints: Vec<JwksEndpointId> = match &pool.keys {
        KeyOrigin::Derived if issuers.iter().any(|issuer| !issuer.starts_with("http")) => {
            return Err(ConfigError::KeysNotDerivable);
        }
        KeyOrigin::Derived => {
            let endpoints: Vec<_> =
                issuers.iter().map(|issuer| keys.add_endpoint(Some(&issuer::jwks_url(issuer)))).collect();
            // The second issuer URL of a user pool has keys only if the pool uses it. Otherwise its JWKS URL answers 403.
            endpoints.iter().skip(1).for_each(|endpoint| keys.fetch_on_demand(*endpoint));
            endpoints
        }
        KeyOrigin::Url(url) => vec![keys.add_endpoint(Some(url)); issuers.len()],
        // One local key set serves both issuer URLs of a user pool.
        KeyOrigin::Local => vec![keys.add_endpoint(None); issuers.len()],
    };
    issuers.iter().zip(&endpoints).for_each(|(issuer, endpoint)| keys.add_issuer(*endpoint, issuer));
    Ok(endpoints)
}
