//! Key sets in the configuration.

use crate::config::{Config, ConfigError, Pool};
use poolgate_core::{KeyPolicy, Verifier};
use serde_json::Value;
use std::fmt;

/// The configured key sets of pools without a JWKS endpoint. They do not expire: they are loaded again before they become stale.
pub(crate) struct LocalJwks {
    sets: Vec<Set>,
    renew_after: u64,
}

struct Set {
    issuer: String,
    jwks: Vec<u8>,
    renewed_at: u64,
}

impl fmt::Debug for LocalJwks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LocalJwks").field("sets", &self.sets.len()).finish_non_exhaustive()
    }
}

impl LocalJwks {
    /// Loads all configured key sets into the verifier. `now` is in seconds since the Unix epoch. Also returns warnings about keys that cannot
    /// be used.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if a set is not a JWK Set or has no usable key.
    pub(crate) fn load(
        verifier: &mut Verifier,
        config: &Config,
        policy: KeyPolicy,
        now: u64,
    ) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let renew_after = u64::from(policy.soft_ttl_min / 2).max(1);
        let (mut local, mut warnings) = (Self { sets: Vec::new(), renew_after }, Vec::new());
        for (number, pool) in config.pools.iter().enumerate() {
            let Some(jwks) = &pool.keys.jwks else { continue };
            let jwks = Value::Object(jwks.clone()).to_string().into_bytes();
            let at = format!("pools[{number}].keys.jwks");
            for (form, issuer) in pool.issuer_names().into_iter().enumerate() {
                let unused = load(verifier, &issuer, &jwks, now, fetched_at(pool, policy, now), &at)?;
                // All issuers of a pool have the same keys.
                warnings.extend(unused.into_iter().filter(|_| form == 0));
                if !pool.keys.are_fetched() {
                    local.sets.push(Set { issuer, jwks: jwks.clone(), renewed_at: now });
                }
            }
        }
        Ok((local, warnings))
    }

    /// Loads the key sets again when it is time. Call it about once per second.
    pub(crate) fn renew(&mut self, verifier: &mut Verifier, now: u64) {
        for Set { issuer, jwks, renewed_at } in &mut self.sets {
            if now.saturating_sub(*renewed_at) >= self.renew_after {
                *renewed_at = now;
                // The same set was accepted before, so this cannot fail.
                let _ = verifier.load_key_set(now, issuer, jwks, now);
            }
        }
    }
}

/// Returns the time at which a set counts as fetched. If there is a JWKS endpoint, the set is loaded as stale, so that it is fetched at once.
fn fetched_at(pool: &Pool, policy: KeyPolicy, now: u64) -> u64 {
    let stale = u64::from(policy.soft_ttl_max.min(policy.hard_ttl.saturating_sub(1)));
    if pool.keys.are_fetched() { now.saturating_sub(stale) } else { now }
}

/// Loads one set, and returns warnings about keys that cannot be used.
fn load(
    verifier: &mut Verifier,
    issuer: &str,
    jwks: &[u8],
    now: u64,
    fetched_at: u64,
    at: &str,
) -> Result<Vec<ConfigError>, ConfigError> {
    let report = verifier
        .load_key_set(now, issuer, jwks, fetched_at)
        .map_err(|error| ConfigError::new(at.to_owned(), format!("is rejected: {error:?}")))?;
    let unused = report.skipped.iter().map(|key| format!("keys[{}] can't be used: {:?}", key.index, key.error));
    let unused: Vec<String> = unused.collect();
    if report.key_ids.is_empty() {
        return Err(ConfigError::new(at.to_owned(), format!("has no usable key: {}", unused.join("; "))));
    }
    Ok(unused.into_iter().map(|text| ConfigError::new(at.to_owned(), text)).collect())
}
