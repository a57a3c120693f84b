//! Converts the configuration of the contract to that of the core. Both have the same names.

use crate::{
    bindings::exports::poolgate::auth::verifier as wit,
    claim_rules::{claim_rules, client_claim},
};
use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, Config, ConfirmationRule, GuestRule, IssuerRule, IssuerTemplate, KeyOrigin,
    KeyPolicy, Limits, LoadBalancers, Membership, Pool, ResourceRule, SubjectRule, TokenUseRule,
};

pub fn core_config(config: wit::Config) -> Config {
    Config {
        pools: config.pools.into_iter().map(pool).collect(),
        limits: config.limits.map_or_else(Limits::default, limits),
        key_policy: config.key_policy.map_or_else(KeyPolicy::default, key_policy),
        cache: config.cache.map_or_else(CacheLimits::default, cache),
        requirements: config.requirements.into_iter().map(claim_rules).collect(),
    }
}

fn pool(pool: wit::Pool) -> Pool {
    Pool {
        issuer: match pool.issuer {
            wit::IssuerRule::UserPool(wit::UserPool { id, region }) => IssuerRule::UserPool { id, region },
            wit::IssuerRule::Exactly(issuer) => IssuerRule::Exactly(issuer),
            wit::IssuerRule::OneOf(issuers) => IssuerRule::OneOf(issuers),
            wit::IssuerRule::Tenants(wit::IssuerTemplate { template, tenants }) => {
                IssuerRule::Tenants(IssuerTemplate { template, tenants })
            }
            wit::IssuerRule::IdentityPool(guests) => IssuerRule::IdentityPool {
                guests: match guests {
                    wit::GuestRule::Refuse => GuestRule::Refuse,
                    wit::GuestRule::Accept => GuestRule::Accept,
                },
            },
            wit::IssuerRule::Unchecked => IssuerRule::Unchecked,
            wit::IssuerRule::LoadBalancers(wit::LoadBalancers { issuer, arns }) => {
                IssuerRule::LoadBalancers(LoadBalancers { issuer, arns })
            }
        },
        keys: match pool.keys {
            wit::KeyOrigin::Derived => KeyOrigin::Derived,
            wit::KeyOrigin::Url(url) => KeyOrigin::Url(url),
            wit::KeyOrigin::Local => KeyOrigin::Local,
        },
        algorithms: pool.algorithms.into_iter().map(core_algorithm).collect(),
        types: pool.types,
        token_use: match pool.token_use {
            wit::TokenUseRule::Access => TokenUseRule::Access,
            wit::TokenUseRule::Id => TokenUseRule::Id,
            wit::TokenUseRule::AccessOrId => TokenUseRule::AccessOrId,
            wit::TokenUseRule::Unchecked => TokenUseRule::Unchecked,
        },
        client: match pool.client {
            wit::ClientRule::OneOf(clients) => ClientRule::OneOf(clients),
            wit::ClientRule::Unchecked => ClientRule::Unchecked,
        },
        client_claim: pool.client_claim.map(client_claim),
        groups: membership(pool.groups),
        scopes: membership(pool.scopes),
        scope_claim: pool.scope_claim,
        resource: match pool.resource {
            wit::ResourceRule::Unbound => ResourceRule::Unbound,
            wit::ResourceRule::OneOf(resources) => ResourceRule::OneOf(resources),
            wit::ResourceRule::Unchecked => ResourceRule::Unchecked,
        },
        unbound_clients: pool.unbound_clients,
        claims: claim_rules(pool.claims),
        subject: match pool.subject {
            wit::SubjectRule::Required => SubjectRule::Required,
            wit::SubjectRule::Unchecked => SubjectRule::Unchecked,
        },
        confirmation: match pool.confirmation {
            wit::ConfirmationRule::Refuse => ConfirmationRule::Refuse,
            wit::ConfirmationRule::Ignore => ConfirmationRule::Ignore,
        },
        max_age: pool.max_age,
        leeway: pool.leeway,
        issued_at_skew: pool.issued_at_skew,
    }
}

fn membership(membership: wit::Membership) -> Membership {
    let wit::Membership { any_of, all_of } = membership;
    Membership { any_of, all_of }
}

fn limits(limits: wit::Limits) -> Limits {
    let wit::Limits { token_bytes, json_depth, jwks_bytes, jwks_keys } = limits;
    Limits { token_bytes, json_depth, jwks_bytes, jwks_keys }
}

fn cache(limits: wit::CacheLimits) -> CacheLimits {
    let wit::CacheLimits { bytes, entries } = limits;
    CacheLimits { bytes, entries }
}

fn key_policy(policy: wit::KeyPolicy) -> KeyPolicy {
    KeyPolicy {
        soft_ttl: policy.soft_ttl,
        soft_ttl_min: policy.soft_ttl_min,
        soft_ttl_max: policy.soft_ttl_max,
        hard_ttl: policy.hard_ttl,
        retry_min: policy.retry_min,
        retry_max: policy.retry_max,
        fetch_deadline: policy.fetch_deadline,
        unknown_key_fetches: policy.unknown_key_fetches,
        unknown_key_interval: policy.unknown_key_interval,
        unknown_key_ttl: policy.unknown_key_ttl,
        unknown_key_entries: policy.unknown_key_entries,
        jitter_seed: policy.jitter_seed,
    }
}

pub fn core_algorithm(algorithm: wit::Algorithm) -> Algorithm {
    match algorithm {
        wit::Algorithm::Rs256 => Algorithm::Rs256,
        wit::Algorithm::Rs384 => Algorithm::Rs384,
        wit::Algorithm::Rs512 => Algorithm::Rs512,
        wit::Algorithm::Ps256 => Algorithm::Ps256,
        wit::Algorithm::Ps384 => Algorithm::Ps384,
        wit::Algorithm::Ps512 => Algorithm::Ps512,
        wit::Algorithm::Es256 => Algorithm::Es256,
        wit::Algorithm::Es384 => Algorithm::Es384,
        wit::Algorithm::Es512 => Algorithm::Es512,
        wit::Algorithm::Eddsa => Algorithm::EdDsa,
    }
}
