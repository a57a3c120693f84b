//! A configuration of the core in the words that all hosts take: those of `docs/envoy.md`.

use poolgate_core::{ClientRule, IssuerRule, Limits, Membership, Pool, ResourceRule, TokenUseRule};
use serde_json::{Value, json};

/// What is asked of a pool's tokens, without the groups and scopes, and where its keys come from: hosts differ in that.
pub fn pool(pool: &Pool) -> Value {
    let mut words = json!({
        "token_use": match pool.token_use {
            TokenUseRule::Access => "access",
            TokenUseRule::Id => "id",
            TokenUseRule::AccessOrId => "access_or_id",
            TokenUseRule::Unchecked => "unchecked",
        },
        "algorithms": pool.algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>(),
        "leeway_seconds": pool.leeway,
        "issued_at_skew_seconds": pool.issued_at_skew,
    });
    match &pool.issuer {
        IssuerRule::UserPool { id, region } => {
            words["user_pool_id"] = json!(id);
            if let Some(region) = region {
                words["region"] = json!(region);
            }
        }
        IssuerRule::Exactly(issuer) => words["issuer"] = json!(issuer),
        IssuerRule::Unchecked => words["any_issuer"] = json!(true),
    }
    match &pool.client {
        ClientRule::OneOf(clients) => words["client_ids"] = json!(clients),
        ClientRule::Unchecked => words["any_client"] = json!(true),
    }
    match &pool.resource {
        ResourceRule::OneOf(resources) => words["resources"] = json!(resources),
        ResourceRule::Unchecked => words["any_resource"] = json!(true),
        ResourceRule::Unbound => (),
    }
    if let Some(seconds) = pool.max_age {
        words["max_age_seconds"] = json!(seconds);
    }
    words
}

/// Which groups or scopes, if any.
pub fn membership(membership: &Membership) -> Option<Value> {
    match membership {
        Membership::Unchecked => None,
        Membership::AnyOf(names) => Some(json!({"any_of": names})),
        Membership::AllOf(names) => Some(json!({"all_of": names})),
    }
}

/// Bounds on tokens and key sets.
pub fn limits(limits: &Limits) -> Value {
    json!({
        "token_bytes": limits.token_bytes, "json_depth": limits.json_depth,
        "jwks_bytes": limits.jwks_bytes, "jwks_keys": limits.jwks_keys,
    })
}
