//! What a host of the configuration does not support: Envoy, or the middleware.

use super::{document::Config, error::ConfigError, url::is_loopback};

/// Checks that the `wasi:http` middleware supports a configuration. `key_urls` are the URLs that it will fetch keys from.
///
/// # Errors
/// Returns a [`ConfigError`] if claims are passed as filter state, which only Envoy has, or if a key URL is not HTTPS and not a loopback address.
pub fn fits_middleware(config: &Config, key_urls: &[String]) -> Result<(), ConfigError> {
    if !config.claims_to_filter_state.is_empty() {
        return Err(ConfigError::new("claims_to_filter_state", "is only supported in Envoy: use claims_to_headers"));
    }
    match key_urls.iter().find(|url| !url.starts_with("https://") && !is_loopback(url)) {
        Some(url) => Err(ConfigError::new("pools", format!("keys would be fetched without TLS from {url}"))),
        None => Ok(()),
    }
}

/// Checks that the Envoy filter supports a configuration.
///
/// # Errors
/// Returns a [`ConfigError`] if keys must be discovered: Envoy's clusters are fixed, so the filter can't follow a discovery document. Or if keys are
/// fetched, and no cluster is named.
pub fn fits_envoy(config: &Config) -> Result<(), ConfigError> {
    for (number, pool) in config.pools.iter().enumerate() {
        let problem = match &pool.keys {
            keys if keys.discover => (
                "discover",
                "is only supported elsewhere: run `poolgate issuer show URL`, and set the cluster and url that it prints",
            ),
            keys if keys.are_fetched() && keys.cluster.is_none() => {
                ("cluster", "is required in Envoy: name the cluster to fetch keys from, or set jwks")
            }
            _ => continue,
        };
        return Err(ConfigError::new(format!("pools[{number}].keys.{}", problem.0), problem.1));
    }
    Ok(())
}
