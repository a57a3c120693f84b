//! Translates the configuration to that of `poolgate_core`.

use super::{
    claim_rule::ClaimRule,
    document::Config,
    error::ConfigError,
    pool::{ClientClaim, Confirmation, Guests, Pool, TokenUse},
    url::public_url,
};
use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, ConfirmationRule, GuestRule, IssuerRule, IssuerTemplate, KeyOrigin, KeyPolicy,
    Limits, LoadBalancers, Membership, ResourceRule, SubjectRule, TokenUseRule, issuer,
};

/// Returns the configuration of the core. `jitter_seed` should be a random number: it varies the times of key refreshes between workers.
pub fn core_config(config: &Config, jitter_seed: u64) -> poolgate_core::Config {
    let longest = config.pools.iter().map(|pool| pool.keys.longest_fetch_ms()).max().unwrap_or_default();
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
        requirements: requirements(config),
    }
}

/// Returns the claim rules of each policy that has some, in the order of the policies.
pub(crate) fn requirements(config: &Config) -> Vec<Vec<poolgate_core::ClaimRule>> {
    config.policies.iter().filter_map(|policy| policy.claims.as_deref()).map(claim_rules).collect()
}

/// Converts claim rules. They have been checked, so that none is left out.
fn claim_rules(rules: &[ClaimRule]) -> Vec<poolgate_core::ClaimRule> {
    rules.iter().filter_map(|rule| rule.to_core().ok()).collect()
}

fn pool(pool: &Pool) -> poolgate_core::Pool {
    poolgate_core::Pool {
        issuer: issuer_rule(pool),
        keys: match &pool.keys.url {
            // The core's name for the key set. Where it is fetched from changes with the document.
            _ if pool.keys.discover => KeyOrigin::Url(pool.discovery_url().unwrap_or_default()),
            Some(url) => KeyOrigin::Url(url.clone()),
            None if pool.keys.are_fetched() => KeyOrigin::Derived,
            None => KeyOrigin::Local,
        },
        algorithms: pool.algorithms.iter().filter_map(|name| Algorithm::from_name(name)).collect(),
        types: pool.types.clone(),
        token_use: match pool.token_use {
            TokenUse::Access => TokenUseRule::Access,
            TokenUse::Id => TokenUseRule::Id,
            TokenUse::AccessOrId => TokenUseRule::AccessOrId,
            TokenUse::Unchecked => TokenUseRule::Unchecked,
        },
        client: match (pool.any_client, &pool.identity_pool_id) {
            (true, _) => ClientRule::Unchecked,
            (false, Some(id)) => ClientRule::OneOf(vec![id.clone()]),
            (false, None) => ClientRule::OneOf(pool.client_ids.clone().unwrap_or_default()),
        },
        client_claim: pool.client_claim.map(|claim| match claim {
            ClientClaim::Aud => poolgate_core::ClientClaim::Aud,
            ClientClaim::ClientId => poolgate_core::ClientClaim::ClientId,
            ClientClaim::Azp => poolgate_core::ClientClaim::Azp,
            ClientClaim::Appid => poolgate_core::ClientClaim::Appid,
            ClientClaim::Cid => poolgate_core::ClientClaim::Cid,
        }),
        groups: Membership::UNCHECKED,
        scopes: Membership::UNCHECKED,
        scope_claim: pool.scope_claim.clone(),
        resource: match (pool.any_resource, &pool.resources) {
            (true, _) => ResourceRule::Unchecked,
            (false, Some(names)) => ResourceRule::OneOf(names.clone()),
            (false, None) => ResourceRule::Unbound,
        },
        unbound_clients: pool.unbound_clients.clone(),
        claims: claim_rules(&pool.claims),
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

fn issuer_rule(pool: &Pool) -> IssuerRule {
    if let Some(id) = &pool.user_pool_id {
        return IssuerRule::UserPool { id: id.clone(), region: pool.region.clone() };
    }
    if pool.identity_pool_id.is_some() {
        let guests = match pool.guests {
            Some(Guests::Accept) => GuestRule::Accept,
            Some(Guests::Refuse) | None => GuestRule::Refuse,
        };
        return IssuerRule::IdentityPool { guests };
    }
    if let Some(template) = &pool.issuer_template {
        return IssuerRule::Tenants(IssuerTemplate { template: template.clone(), tenants: pool.tenants.clone() });
    }
    if let (Some(issuer), Some(arns)) = (&pool.issuer, &pool.alb_arns) {
        return IssuerRule::LoadBalancers(LoadBalancers { issuer: issuer.clone(), arns: arns.clone() });
    }
    match (&pool.issuers, &pool.issuer) {
        (Some(issuers), _) => IssuerRule::OneOf(issuers.clone()),
        (None, Some(issuer)) => IssuerRule::Exactly(issuer.clone()),
        (None, None) => IssuerRule::Unchecked,
    }
}

impl Pool {
    /// Returns the issuer as an authorization server that clients get tokens from, or `None` if the pool is none, or accepts many issuers.
    pub(crate) fn authorization_server(&self) -> Option<String> {
        match issuer_rule(self) {
            IssuerRule::UserPool { .. } | IssuerRule::OneOf(_) | IssuerRule::Exactly(_) => {
                self.issuer_names().into_iter().find(|issuer| public_url(issuer).is_some())
            }
            _ => None,
        }
    }

    /// Returns the issuers of the pool: all forms for a user pool, the template for tenants, and the ARNs of load balancers. If any issuer is accepted, returns one empty
    /// string.
    pub(crate) fn issuer_names(&self) -> Vec<String> {
        match issuer_rule(self) {
            IssuerRule::UserPool { id, region } => issuer::of_user_pool(&id, region.as_deref()).unwrap_or_default(),
            IssuerRule::IdentityPool { .. } => vec![issuer::IDENTITY_POOLS.to_owned()],
            IssuerRule::Tenants(tenants) => vec![tenants.template],
            IssuerRule::OneOf(issuers) => issuers,
            IssuerRule::Exactly(issuer) => vec![issuer],
            IssuerRule::LoadBalancers(load_balancers) => load_balancers.arns,
            IssuerRule::Unchecked => vec![String::new()],
        }
    }
}

/// Converts an error of the core.
pub(crate) fn core_fault(error: &poolgate_core::ConfigError) -> ConfigError {
    ConfigError::new("", error.to_string())
}
