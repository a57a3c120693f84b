//! Translates the configuration to that of `poolgate_core`.

use super::{
    document::Config,
    error::ConfigError,
    pool::{Confirmation, Pool, TokenUse},
};
use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, ConfirmationRule, IssuerRule, KeyOrigin, KeyPolicy, Limits, Membership,
    ResourceRule, SubjectRule, TokenUseRule, issuer,
};

/// Returns the configuration of the core. `jitter_seed` should be a random number: it varies the times of key refreshes between workers.
pub fn core_config(config: &Config, jitter_seed: u64) -> poolgate_core::Config {
    let longest = config.pools.iter().map(|pool| pool.keys.timeout_ms).max().unwrap_or_default();
    let limits = &config.limits;
    let keys = &config.key_policy;
    poolgate_core::Config {
        pools: config.pools.iter().map(pool).collect(),
        limits: Limits {
            token_bytes: limits.token_bytes,
            json_depth: limits.json_depth,
            jwks_bytes: limits.jwks_bytes,
            jwks_keys: limits.jwks_keys,
        },
        key_policy: KeyPolicy {
            soft_ttl: keys.soft_ttl,
            soft_ttl_min: keys.soft_ttl_min,
            soft_ttl_max: keys.soft_ttl_max,
            hard_ttl: keys.hard_ttl,
            retry_min: keys.retry_min,
            retry_max: keys.retry_max,
            // In seconds. The proxy ends a fetch earlier.
            fetch_deadline: longest.div_ceil(1_000).saturating_add(2),
            unknown_key_fetches: keys.unknown_key_fetches,
            unknown_key_interval: keys.unknown_key_interval,
            unknown_key_ttl: keys.unknown_key_ttl,
            unknown_key_entries: keys.unknown_key_entries,
            jitter_seed,
        },
        cache: CacheLimits { bytes: config.cache.bytes, entries: config.cache.entries },
    }
}

fn pool(pool: &Pool) -> poolgate_core::Pool {
    let one_of = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    poolgate_core::Pool {
        issuer: match (&pool.user_pool_id, &pool.issuer) {
            (Some(id), _) => IssuerRule::UserPool { id: id.clone(), region: pool.region.clone() },
            (None, Some(issuer)) => IssuerRule::Exactly(issuer.clone()),
            (None, None) => IssuerRule::Unchecked,
        },
        keys: match (&pool.keys.cluster, &pool.keys.url) {
            (None, _) => KeyOrigin::Local,
            (Some(_), None) => KeyOrigin::Derived,
            (Some(_), Some(url)) => KeyOrigin::Url(url.clone()),
        },
        algorithms: pool.algorithms.iter().filter_map(|name| Algorithm::from_name(name)).collect(),
        token_use: match pool.token_use {
            TokenUse::Access => TokenUseRule::Access,
            TokenUse::Id => TokenUseRule::Id,
            TokenUse::AccessOrId => TokenUseRule::AccessOrId,
            TokenUse::Unchecked => TokenUseRule::Unchecked,
        },
        client: if pool.any_client { ClientRule::Unchecked } else { ClientRule::OneOf(one_of(&pool.client_ids)) },
        groups: Membership::UNCHECKED,
        scopes: Membership::UNCHECKED,
        resource: match (pool.any_resource, &pool.resources) {
            (true, _) => ResourceRule::Unchecked,
            (false, Some(names)) => ResourceRule::OneOf(names.clone()),
            (false, None) => ResourceRule::Unbound,
        },
        subject: if pool.any_subject { SubjectRule::Unchecked } else { SubjectRule::Required },
        confirmation: match pool.confirmation {
            Confirmation::Refuse => ConfirmationRule::Refuse,
            Confirmation::Ignore => ConfirmationRule::Ignore,
        },
        max_age: pool.max_age_seconds,
        leeway: pool.leeway_seconds,
        issued_at_skew: pool.issued_at_skew_seconds,
    }
}

impl Pool {
    /// Returns the issuers of the pool: both forms for a user pool. If any issuer is accepted, returns one empty string.
    pub(crate) fn issuers(&self) -> Vec<String> {
        match (&self.user_pool_id, &self.issuer) {
            (Some(id), _) => issuer::of_user_pool(id, self.region.as_deref()).map(Vec::from).unwrap_or_default(),
            (None, issuer) => vec![issuer.clone().unwrap_or_default()],
        }
    }
}

/// Converts an error of the core.
pub(crate) fn core_fault(error: &poolgate_core::ConfigError) -> ConfigError {
    ConfigError::new("", error.to_string())
}
