//! Keys that the configuration states.

use crate::config::{Config, ConfigFault, Pool};
use poolgate_core::{KeyPolicy, Verifier};
use serde_json::Value;
use std::fmt;

/// Those that no server brings: while the configuration states them, they are as good as new.
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
    /// Gives the verifier all that the configuration states, at the time `now`. What is odd about them comes as well: keys that can't be used.
    ///
    /// # Errors
    /// If a set is none, or has no key that can be used.
    pub(crate) fn seed(
        verifier: &mut Verifier,
        config: &Config,
        policy: KeyPolicy,
        now: u64,
    ) -> Result<(Self, Vec<ConfigFault>), ConfigFault> {
        let renew_after = u64::from(policy.soft_ttl_min / 2).max(1);
        let (mut stated, mut warnings) = (Self { sets: Vec::new(), renew_after }, Vec::new());
        for (number, pool) in config.pools.iter().enumerate() {
            let Some(jwks) = &pool.keys.jwks else { continue };
            let jwks = Value::Object(jwks.clone()).to_string().into_bytes();
            let at = format!("pools[{number}].keys.jwks");
            for (form, issuer) in pool.issuers().into_iter().enumerate() {
                let odd = taken(verifier, &issuer, &jwks, now, fetched_at(pool, policy, now), &at)?;
                // Both forms of a user pool's issuer have the same keys.
                warnings.extend(odd.into_iter().filter(|_| form == 0));
                if pool.keys.cluster.is_none() {
                    stated.sets.push(Set { issuer, jwks: jwks.clone(), renewed_at: now });
                }
            }
        }
        Ok((stated, warnings))
    }

    /// Says that they are as good as new, where it is time to. To be called every second or so.
    pub(crate) fn renew(&mut self, verifier: &mut Verifier, now: u64) {
        for Set { issuer, jwks, renewed_at } in &mut self.sets {
            if now.saturating_sub(*renewed_at) >= self.renew_after {
                *renewed_at = now;
                // They were taken when they were stated.
                let _ = verifier.seed(now, issuer, jwks, now);
            }
        }
    }
}

/// A server's keys are stale until it has confirmed them.
fn fetched_at(pool: &Pool, policy: KeyPolicy, now: u64) -> u64 {
    let stale = u64::from(policy.soft_ttl_max.min(policy.hard_ttl.saturating_sub(1)));
    if pool.keys.cluster.is_some() { now.saturating_sub(stale) } else { now }
}

fn taken(
    verifier: &mut Verifier,
    issuer: &str,
    jwks: &[u8],
    now: u64,
    fetched_at: u64,
    at: &str,
) -> Result<Vec<ConfigFault>, ConfigFault> {
    let report = verifier
        .seed(now, issuer, jwks, fetched_at)
        .map_err(|fault| ConfigFault::new(at.to_owned(), format!("is not taken: {fault:?}")))?;
    let unused = report.skipped.iter().map(|key| format!("keys[{}] can't be used: {:?}", key.index, key.fault));
    let unused: Vec<String> = unused.collect();
    if report.key_ids.is_empty() {
        return Err(ConfigFault::new(at.to_owned(), format!("has no usable key: {}", unused.join("; "))));
    }
    Ok(unused.into_iter().map(|text| ConfigFault::new(at.to_owned(), text)).collect())
}
