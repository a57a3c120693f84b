//! The state of each pool's keys.

use poolgate_core::{KeyState, Verifier};
use std::collections::HashMap;

/// The state of a pool's keys, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolKeys {
    /// The name of the pool.
    pub pool: String,
    /// The number of seconds since the key set was fetched or last confirmed. `None` if there is no key set.
    pub age: Option<u64>,
    /// Whether tokens can be verified with the keys.
    pub state: KeyState,
    /// The number of keys.
    pub keys: usize,
}

/// Returns one entry for each pool. If a pool has two JWKS endpoints, the entry describes the one with the newest key set.
pub(crate) fn of_each(
    pools: &[String],
    by_issuer: &HashMap<String, usize>,
    verifier: &mut Verifier,
    now: u64,
) -> Vec<PoolKeys> {
    let none = |pool: &String| PoolKeys { pool: pool.clone(), age: None, state: KeyState::Missing, keys: 0 };
    let mut entries: Vec<PoolKeys> = pools.iter().map(none).collect();
    for report in verifier.key_reports(now) {
        // A pool that accepts any issuer is stored under the empty issuer.
        let any = [String::new()];
        let issuers = if report.issuers.is_empty() { any.as_slice() } else { &report.issuers };
        for issuer in issuers {
            let Some(entry) = by_issuer.get(issuer).and_then(|number| entries.get_mut(*number)) else {
                continue;
            };
            if report.age.is_some() && entry.age.is_none_or(|age| report.age < Some(age)) {
                *entry = PoolKeys {
                    pool: std::mem::take(&mut entry.pool),
                    age: report.age,
                    state: report.state,
                    keys: report.key_ids.len(),
                };
            }
        }
    }
    entries
}
