//! The servers that key sets are fetched from.

use crate::config::{Config, ConfigError, authority_and_path};
use poolgate_core::Verifier;
use std::collections::HashMap;

/// The server of a JWKS endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksUpstream {
    /// The proxy's name for the server; in Envoy, a cluster. Empty for the server of a discovery document, which Envoy does not support.
    pub cluster: String,
    /// The value of `:authority`.
    pub authority: String,
    /// The value of `:path`.
    pub path: String,
    /// The maximum duration of a fetch, in milliseconds.
    pub timeout_ms: u32,
}

/// Whether this build verifies the tokens of load balancers, which sign with ES256.
const HAS_LOAD_BALANCERS: bool = cfg!(feature = "every-algorithm");

/// The servers of all pools that have one.
#[derive(Debug, Default)]
pub(crate) struct JwksUpstreams {
    /// By the URL that the verifier requests.
    by_url: HashMap<String, JwksUpstream>,
    /// The servers of load balancers' keys, by the URL without the key ID at its end. The path of each also lacks it.
    by_prefix: HashMap<String, JwksUpstream>,
}

impl JwksUpstreams {
    pub(crate) fn new(
        verifier: &mut Verifier,
        config: &Config,
        by_issuer: &HashMap<String, usize>,
        now: u64,
    ) -> Result<Self, ConfigError> {
        let mut upstreams = Self::default();
        for report in verifier.key_reports(now) {
            let issuer = report.issuers.first().map_or("", String::as_str);
            let pool = by_issuer.get(issuer).and_then(|pool| config.pools.get(*pool));
            if let (Some(url), Some(pool)) = (report.url, pool)
                && pool.keys.are_fetched()
            {
                let has_key_id = HAS_LOAD_BALANCERS && pool.alb_arns.is_some();
                // A prefix may lack a path.
                let with_key_id = if has_key_id { format!("{url}/") } else { url.clone() };
                let (authority, path) = authority_and_path(&with_key_id)
                    .ok_or_else(|| ConfigError::new("pools", format!("keys can't be fetched from {url}")))?;
                let path = if has_key_id { path.trim_end_matches('/') } else { path };
                let upstream = JwksUpstream {
                    cluster: pool.keys.cluster.clone().unwrap_or_default(),
                    authority: authority.to_owned(),
                    path: path.to_owned(),
                    timeout_ms: pool.keys.timeout_ms,
                };
                let by = if has_key_id { &mut upstreams.by_prefix } else { &mut upstreams.by_url };
                by.insert(url, upstream);
            }
        }
        Ok(upstreams)
    }

    /// Returns the server from which this URL is fetched.
    pub(crate) fn get(&self, url: &str) -> Option<JwksUpstream> {
        if let Some(upstream) = self.by_url.get(url) {
            return Some(upstream.clone());
        }
        if !HAS_LOAD_BALANCERS {
            return None;
        }
        let (prefix, key_id) = url.rsplit_once('/')?;
        let JwksUpstream { cluster, authority, path, timeout_ms } = self.by_prefix.get(prefix)?.clone();
        Some(JwksUpstream { cluster, authority, path: format!("{path}/{key_id}"), timeout_ms })
    }

    /// Returns whether this is the URL of a key set, and not that of one key.
    pub(crate) fn is_key_set(&self, url: &str) -> bool {
        !HAS_LOAD_BALANCERS || self.by_url.contains_key(url)
    }

    /// Returns all URLs of key sets, and the prefixes of all URLs of keys.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.by_url.keys().chain(self.by_prefix.keys()).cloned().collect()
    }
}
