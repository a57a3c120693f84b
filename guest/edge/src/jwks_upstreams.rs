//! The servers that key sets are fetched from.

use crate::config::{Config, ConfigError, authority_and_path};
use poolgate_core::Verifier;
use std::collections::HashMap;

/// The server of a JWKS endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksUpstream {
    /// The proxy's name for the server; in Envoy, a cluster.
    pub cluster: String,
    /// The value of `:authority`.
    pub authority: String,
    /// The value of `:path`.
    pub path: String,
    /// The maximum duration of a fetch, in milliseconds.
    pub timeout_ms: u32,
}

/// Returns the upstreams of all pools that have one, by the URL that the verifier requests.
pub(crate) fn by_url(
    verifier: &mut Verifier,
    config: &Config,
    by_issuer: &HashMap<String, usize>,
    now: u64,
) -> Result<HashMap<String, JwksUpstream>, ConfigError> {
    let mut upstreams = HashMap::new();
    for report in verifier.key_reports(now) {
        let issuer = report.issuers.first().map_or("", String::as_str);
        let pool = by_issuer.get(issuer).and_then(|pool| config.pools.get(*pool));
        if let (Some(url), Some(pool)) = (report.url, pool)
            && let Some(cluster) = &pool.keys.cluster
        {
            let (authority, path) = authority_and_path(&url)
                .ok_or_else(|| ConfigError::new("pools", format!("keys can't be fetched from {url}")))?;
            let (cluster, timeout_ms) = (cluster.clone(), pool.keys.timeout_ms);
            let upstream = JwksUpstream { cluster, authority: authority.to_owned(), path: path.to_owned(), timeout_ms };
            upstreams.insert(url, upstream);
        }
    }
    Ok(upstreams)
}
