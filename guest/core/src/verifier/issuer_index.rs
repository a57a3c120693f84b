//! From the issuer of a token (`iss`) to its policy and its JWKS endpoint.

use super::tenants::Tenants;
use crate::{
    claims::Read,
    config::{ConfigError, IssuerRule, KeyOrigin, Pool},
    issuer,
    keys::{JwksEndpointId, KeyStore},
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
use hashbrown::HashMap;

#[derive(Debug)]
pub(super) enum IssuerIndex {
    ByIssuer {
        exact: HashMap<String, IssuerEntry>,
        /// Issuers that depend on the tenant.
        tenants: Vec<(Tenants, IssuerEntry)>,
    },
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
        let (mut exact, mut tenants) = (HashMap::new(), Vec::<(Tenants, IssuerEntry)>::new());
        for (policy, pool) in pools.iter().enumerate() {
            let issuers: Vec<String> = match &pool.issuer {
                IssuerRule::UserPool { id, region } => issuer::of_user_pool(id, region.as_deref())?,
                IssuerRule::IdentityPool { .. } => vec![issuer::IDENTITY_POOLS.to_owned()],
                IssuerRule::Exactly(issuer) if issuer.is_empty() => return Err(ConfigError::InvalidIssuer),
                IssuerRule::Exactly(issuer) => vec![issuer.clone()],
                IssuerRule::OneOf(issuers) if issuers.is_empty() || issuers.iter().any(String::is_empty) => {
                    return Err(ConfigError::InvalidIssuer);
                }
                IssuerRule::OneOf(issuers) => issuers.clone(),
                IssuerRule::Tenants(template) => {
                    let accepted = Tenants::new(template)?;
                    let entry = IssuerEntry { policy, endpoint: endpoint_of_tenants(pool, &template.template, keys)? };
                    if tenants.iter().any(|(other, _)| other.template() == template.template) {
                        return Err(ConfigError::DuplicateIssuer);
                    }
                    tenants.push((accepted, entry));
                    continue;
                }
                // They have an index of their own.
                IssuerRule::LoadBalancers(_) => continue,
                IssuerRule::Unchecked if pools.len() > 1 => return Err(ConfigError::UncheckedIssuerNotAlone),
                IssuerRule::Unchecked => return unchecked(pool, keys),
            };
            let is_user_pool = matches!(pool.issuer, IssuerRule::UserPool { .. });
            for (issuer, endpoint) in issuers.iter().zip(endpoints(pool, &issuers, keys)?) {
                if !is_user_pool {
                    keys.accept_unnamed_keys(endpoint);
                }
                if exact.insert(issuer.clone(), IssuerEntry { policy, endpoint }).is_some() {
                    return Err(ConfigError::DuplicateIssuer);
                }
            }
        }
        if pools.is_empty() { Err(ConfigError::NoPool) } else { Ok(Self::ByIssuer { exact, tenants }) }
    }

    /// Finds the entry for the issuer of a token.
    pub(super) fn find(&self, claims: &Read<'_>) -> Result<IssuerEntry, Reason> {
        let issuer = claims.issuer()?;
        match self {
            Self::Unchecked(entry) => Ok(*entry),
            Self::ByIssuer { exact, tenants } => {
                let issuer = issuer.ok_or(Reason::IssuerMissing)?;
                let of_tenant = || {
                    let tenant = claims.tenant()?;
                    tenants.iter().find(|(tenants, _)| tenants.accept(issuer, tenant)).map(|(_, entry)| *entry)
                };
                exact.get(issuer).copied().or_else(of_tenant).ok_or(Reason::IssuerUnknown)
            }
        }
    }

    /// Returns the entry for a configured issuer, or for an issuer template. Its name is empty if the issuer is not checked.
    pub(super) fn get(&self, issuer: &str) -> Option<IssuerEntry> {
        match self {
            Self::ByIssuer { exact, tenants } => {
                let of_template =
                    || tenants.iter().find(|(tenants, _)| tenants.template() == issuer).map(|(_, entry)| *entry);
                exact.get(issuer).copied().or_else(of_template)
            }
            Self::Unchecked(entry) => issuer.is_empty().then_some(*entry),
        }
    }

    /// Returns all configured issuers and issuer templates, sorted. It is empty if the issuer is not checked.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::ByIssuer { exact, tenants } => {
                let templates = tenants.iter().map(|(tenants, _)| tenants.template().to_owned());
                exact.keys().cloned().chain(templates).collect()
            }
            Self::Unchecked(_) => Vec::new(),
        };
        names.sort_unstable();
        names
    }

    /// Returns whether both have the same issuers, with the same policies by number.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unchecked(_), Self::Unchecked(_)) => true,
            (
                Self::ByIssuer { exact: ours, tenants: our_tenants },
                Self::ByIssuer { exact: theirs, tenants: their_tenants },
            ) => {
                let is_the_same = |(issuer, entry): (&String, &IssuerEntry)| {
                    theirs.get(issuer).is_some_and(|other| other.policy == entry.policy)
                };
                let has_same_template =
                    |((one, entry), (other, other_entry)): (&(Tenants, IssuerEntry), &(Tenants, IssuerEntry))| {
                        one.template() == other.template() && entry.policy == other_entry.policy
                    };
                ours.len() == theirs.len()
                    && ours.iter().all(is_the_same)
                    && our_tenants.len() == their_tenants.len()
                    && our_tenants.iter().zip(their_tenants).all(has_same_template)
            }
            _ => false,
        }
    }

    /// Replaces the accepted tenants of each issuer template with those of an equivalent index.
    pub(super) fn replace_tenants(&mut self, other: Self) {
        if let (Self::ByIssuer { tenants: ours, .. }, Self::ByIssuer { tenants: theirs, .. }) = (self, other) {
            for ((accepted, _), (changed, _)) in ours.iter_mut().zip(theirs) {
                *accepted = changed;
            }
        }
    }

    /// Returns whether a configured issuer differs from this one only by a slash at the end. `issuer` is any text of a stranger, so this costs the
    /// same for any number of issuers.
    pub(super) fn differs_by_slash(&self, issuer: &str) -> bool {
        let Self::ByIssuer { exact, .. } = self else { return false };
        let has_one_more = issuer.strip_suffix('/').is_some_and(|shorter| exact.contains_key(shorter));
        has_one_more || exact.contains_key([issuer, "/"].concat().as_str())
    }
}

fn unchecked(pool: &Pool, keys: &mut KeyStore) -> Result<IssuerIndex, ConfigError> {
    let endpoint = keys.add_endpoint(stated_url(pool)?);
    keys.accept_unnamed_keys(endpoint);
    Ok(IssuerIndex::Unchecked(IssuerEntry { policy: 0, endpoint }))
}

fn endpoint_of_tenants(pool: &Pool, template: &str, keys: &mut KeyStore) -> Result<JwksEndpointId, ConfigError> {
    let endpoint = keys.add_endpoint(stated_url(pool)?);
    keys.accept_unnamed_keys(endpoint);
    keys.add_issuer(endpoint, template);
    Ok(endpoint)
}

/// Returns the JWKS URL of a pool whose URL can't be derived, or `None` for local keys.
fn stated_url(pool: &Pool) -> Result<Option<&str>, ConfigError> {
    match &pool.keys {
        KeyOrigin::Derived => Err(ConfigError::KeysNotDerivable),
        KeyOrigin::Url(url) => Ok(Some(url)),
        KeyOrigin::Local => Ok(None),
    }
}

/// Returns the JWKS endpoint of each issuer of a pool.
fn endpoints(pool: &Pool, issuers: &[String], keys: &mut KeyStore) -> Result<Vec<JwksEndpointId>, ConfigError> {
    let endpoints: Vec<JwksEndpointId> = match &pool.keys {
        KeyOrigin::Derived if issuers.iter().any(|issuer| !issuer.starts_with("http")) => {
            return Err(ConfigError::KeysNotDerivable);
        }
        // The same keys sign for all issuers of a pool, so there is one key set, and it is not known which issuer publishes it.
        KeyOrigin::Derived if matches!(pool.issuer, IssuerRule::OneOf(_)) => return Err(ConfigError::KeysNotDerivable),
        KeyOrigin::Derived => {
            let endpoints: Vec<_> =
                issuers.iter().map(|issuer| keys.add_endpoint(Some(&issuer::jwks_url(issuer)))).collect();
            // The other issuer URLs of a user pool have keys only if the pool uses them. Otherwise their JWKS URLs answer 403.
            endpoints.iter().skip(1).for_each(|endpoint| keys.fetch_on_demand(*endpoint));
            endpoints
        }
        KeyOrigin::Url(url) => vec![keys.add_endpoint(Some(url)); issuers.len()],
        // One local key set serves all issuer URLs of a pool.
        KeyOrigin::Local => vec![keys.add_endpoint(None); issuers.len()],
    };
    issuers.iter().zip(&endpoints).for_each(|(issuer, endpoint)| keys.add_issuer(*endpoint, issuer));
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KeyPolicy, Limits};

    fn index(issuers: &[&str]) -> IssuerIndex {
        let issuers = issuers.iter().map(|issuer| (*issuer).to_owned()).collect();
        let pool = Pool::for_tests(IssuerRule::OneOf(issuers));
        IssuerIndex::new(&[pool], &mut KeyStore::new(Limits::default(), KeyPolicy::default())).unwrap()
    }

    #[test]
    fn an_issuer_is_near_if_exactly_one_slash_is_missing_or_too_many() {
        let index = index(&["https://a.example", "https://b.example/"]);
        for near in ["https://a.example/", "https://b.example", "https://b.example//"] {
            assert!(index.differs_by_slash(near), "{near}");
        }
        for other in ["https://a.example", "https://b.example/", "https://a.example//", "https://a.example///", "/", ""]
        {
            assert!(!index.differs_by_slash(other), "{other}");
        }
    }
}
