//! From the issuer (`iss`) and the signer of a load balancer's token to its policy and the directory of its keys.

use super::issuer_index::IssuerEntry;
use crate::{
    claims::Read,
    compact::CompactJws,
    config::{ConfigError, IssuerRule, KeyOrigin, KeyPolicy, Limits, LoadBalancers, Pool},
    header::parse_header,
    json::{Object, Value},
    keys::{JwksEndpointId, KeyStore},
    load_balancer,
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use hashbrown::HashMap;

#[derive(Debug, Default)]
pub(super) struct LoadBalancerIndex {
    /// By issuer, and then by the ARN of the signer.
    pools: HashMap<String, HashMap<String, IssuerEntry>>,
    /// The endpoints for local keys, by ARN.
    local: HashMap<String, JwksEndpointId>,
    /// Whether there are no other pools.
    is_alone: bool,
}

impl LoadBalancerIndex {
    /// Indexes the load balancers of all pools, and adds the directories of their keys to `keys`.
    pub(super) fn new(pools: &[Pool], key_policy: &KeyPolicy, keys: &mut KeyStore) -> Result<Self, ConfigError> {
        let mut index = Self::default();
        for (policy, pool) in pools.iter().enumerate() {
            let IssuerRule::LoadBalancers(LoadBalancers { issuer, arns }) = &pool.issuer else { continue };
            if issuer.is_empty() {
                return Err(ConfigError::InvalidIssuer);
            }
            // Each key is unknown at first.
            let is_never_fetched = key_policy.unknown_key_fetches == 0 && !matches!(pool.keys, KeyOrigin::Local);
            if arns.is_empty() || is_never_fetched {
                return Err(ConfigError::InvalidLoadBalancer);
            }
            for arn in arns {
                load_balancer::check(arn)?;
                let endpoint = match &pool.keys {
                    KeyOrigin::Derived => keys.add_directory(&load_balancer::keys_url(arn)?, arn),
                    KeyOrigin::Url(url) => keys.add_directory(url.trim_end_matches('/'), arn),
                    KeyOrigin::Local => index.add_local(arn, keys),
                };
                let entry = IssuerEntry { policy, endpoint };
                if index.pools.entry(issuer.clone()).or_default().insert(arn.clone(), entry).is_some() {
                    return Err(ConfigError::DuplicateIssuer);
                }
            }
        }
        index.is_alone = pools.iter().all(|pool| matches!(pool.issuer, IssuerRule::LoadBalancers(_)));
        Ok(index)
    }

    /// Returns the endpoint for the local keys of a load balancer.
    pub(super) fn local_keys(&self, arn: &str) -> Option<JwksEndpointId> {
        self.local.get(arn).copied()
    }

    fn add_local(&mut self, arn: &str, keys: &mut KeyStore) -> JwksEndpointId {
        let add = || {
            let endpoint = keys.add_endpoint(None);
            keys.add_issuer(endpoint, arn);
            endpoint
        };
        *self.local.entry(arn.to_owned()).or_insert_with(add)
    }

    /// Returns whether both have the same issuers and signers, with the same policies by number.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let has_same_signers = |(issuer, signers): (&String, &HashMap<String, IssuerEntry>)| {
            let Some(others) = other.pools.get(issuer).filter(|others| others.len() == signers.len()) else {
                return false;
            };
            signers.iter().all(|(arn, entry)| others.get(arn).is_some_and(|other| other.policy == entry.policy))
        };
        self.pools.len() == other.pools.len() && self.pools.iter().all(has_same_signers)
    }

    /// Returns whether a token is in the grammar of load balancers, if there are any. A signature of ES256 has 64 bytes, so its padding ends with
    /// `=`. Without it, a token is one of the other pools, if there are any.
    pub(super) fn is_grammar_of(&self, token: &str) -> bool {
        !self.pools.is_empty() && (self.is_alone || token.ends_with('='))
    }

    /// Finds the entry for a token with this issuer, by its header.
    pub(super) fn find(&self, issuer: &str, header: &Object<'_>) -> Result<IssuerEntry, Reason> {
        let signers = self.pools.get(issuer).ok_or(Reason::IssuerUnknown)?;
        let signer = header.get("signer").and_then(Value::as_str).ok_or(Reason::SignerMismatch)?;
        signers.get(signer).copied().ok_or(Reason::SignerMismatch)
    }

    /// Finds the entry for a token whose header has not been read yet.
    pub(super) fn find_for_token(&self, token: &str, read: &Read<'_>, limits: &Limits) -> Result<IssuerEntry, Reason> {
        let header = CompactJws::split_padded(token, limits.token_bytes as usize)?.header()?;
        let issuer = read.issuer()?.ok_or(Reason::IssuerMissing)?;
        self.find(issuer, &parse_header(&header, limits.json_depth)?)
    }

    /// Returns the issuers, sorted.
    pub(super) fn issuers(&self) -> Vec<String> {
        let mut issuers: Vec<String> = self.pools.keys().cloned().collect();
        issuers.sort_unstable();
        issuers
    }

    /// Returns the ARNs of an issuer's load balancers, sorted.
    pub(super) fn signers(&self, issuer: &str) -> Vec<String> {
        let mut arns: Vec<String> = self.pools.get(issuer).into_iter().flat_map(HashMap::keys).cloned().collect();
        arns.sort_unstable();
        arns
    }

    /// Returns whether a configured issuer differs from this one only by a slash at the end.
    pub(super) fn differs_by_slash(&self, issuer: &str) -> bool {
        let is_near = |own: &String| own != issuer && own.trim_end_matches('/') == issuer.trim_end_matches('/');
        self.pools.keys().any(is_near)
    }

    /// Returns the reason for a token without padding whose issuer is not found among the other pools.
    pub(super) fn reason(&self, reason: Reason, read: &Read<'_>) -> Reason {
        let is_known = || read.issuer().ok().flatten().is_some_and(|issuer| self.pools.contains_key(issuer));
        if reason == Reason::IssuerUnknown && is_known() { Reason::EncodingInvalid } else { reason }
    }
}
