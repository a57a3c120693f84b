//! Checks of `keys.discover`: whether the pool has an issuer to compare the document with, and where the document is.

use super::{
    error::ConfigError,
    pool::Pool,
    url::{authority_and_path, host_of},
};

/// The path of the document below the issuer (OpenID Connect Discovery 1.0 section 4.1).
const PATH: &str = "/.well-known/openid-configuration";

impl Pool {
    /// Returns the URL of the discovery document, if keys are discovered. It also names the key set in the core, because it stays the same when
    /// the document names another key URL.
    pub(crate) fn discovery_url(&self) -> Option<String> {
        let keys = &self.keys;
        keys.discover.then(|| keys.discovery_url.clone().or_else(|| derived_url(self))).flatten()
    }
}

/// Returns the URL of the document of the first issuer: the issuer without its terminating `/`, followed by the path.
fn derived_url(pool: &Pool) -> Option<String> {
    let issuer = pool.issuer.as_ref().or_else(|| pool.issuers.as_ref()?.first())?;
    // A query or a fragment would come before the path.
    (!issuer.contains(['?', '#'])).then(|| [issuer.strip_suffix('/').unwrap_or(issuer), PATH].concat())
}

/// Checks `discover`, `discovery_url` and `key_hosts` of a pool. `at` is the position of its `keys`.
pub(super) fn check(at: &str, pool: &Pool) -> Result<(), ConfigError> {
    let keys = &pool.keys;
    if !keys.discover {
        return match keys.discovery_url.is_some() || !keys.key_hosts.is_empty() {
            true => Err(ConfigError::new(at, "discovery_url and key_hosts require discover: true")),
            false => Ok(()),
        };
    }
    if keys.cluster.is_some() || keys.url.is_some() {
        let message = "set discover, or cluster and url, not both: the discovery document names the URL of the keys";
        return Err(ConfigError::new(at, message));
    }
    let has_issuer = pool.issuer.is_some() || pool.issuers.is_some() || pool.issuer_template.is_some();
    // A load balancer's keys are not those of its issuer.
    if !has_issuer || pool.alb_arns.is_some() {
        let message = "requires issuer, issuers or issuer_template, and no alb_arns: all other key URLs are known";
        return Err(ConfigError::new([at, ".discover"].concat(), message));
    }
    let problem = match (&keys.discovery_url, pool.discovery_url()) {
        (None, None) => {
            Some("is required: no URL can be derived from a template, or from an issuer with a query or a fragment")
        }
        (_, Some(url)) if authority_and_path(&url).and_then(|(authority, _)| host_of(authority)).is_some() => None,
        (Some(_), _) => Some("must be https://HOST/PATH or http://HOST/PATH"),
        (None, _) => Some("is required, because the issuer is not a URL"),
    };
    if let Some(problem) = problem {
        return Err(ConfigError::new([at, ".discovery_url"].concat(), problem));
    }
    for (number, host) in keys.key_hosts.iter().enumerate() {
        if host_of(host) != Some(host) {
            let message = "must be a host name or an address in ASCII, without scheme, port and path";
            return Err(ConfigError::new(format!("{at}.key_hosts[{number}]"), message));
        }
    }
    Ok(())
}

/// Checks that no other pool uses the URL of a discovery document: it would expect another issuer in it, or a key set.
pub(super) fn has_own_urls(pools: &[Pool]) -> Result<(), ConfigError> {
    for (number, pool) in pools.iter().enumerate() {
        let Some(url) = pool.discovery_url() else { continue };
        let is_the_same =
            |other: &Pool| other.keys.url.as_ref() == Some(&url) || other.discovery_url().as_ref() == Some(&url);
        if pools.iter().enumerate().any(|(other, pool)| other != number && is_the_same(pool)) {
            let message = "another pool uses the URL of this discovery document";
            return Err(ConfigError::new(format!("pools[{number}].keys"), message));
        }
    }
    Ok(())
}
