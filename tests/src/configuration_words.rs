//! Converts a configuration of the core to the JSON that all integrations accept (`docs/envoy.md`).

use poolgate_core::{
    ClientRule, ConfirmationRule, IssuerRule, Limits, Membership, Pool, ResourceRule, SubjectRule, TokenUseRule,
};
use serde_json::{Value, json};

/// The policy of a pool without groups, scopes and the origin of the keys, for which the integrations have different formats.
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
    if pool.subject == SubjectRule::Unchecked {
        words["any_subject"] = json!(true);
    }
    if pool.confirmation == ConfirmationRule::Ignore {
        words["confirmation"] = json!("ignore");
    }
    if let Some(seconds) = pool.max_age {
        words["max_age_seconds"] = json!(seconds);
    }
    words
}

/// The required groups or scopes, if any.
pub fn membership(membership: &Membership) -> Option<Value> {
    let mut words = serde_json::Map::new();
    for (name, list) in [("any_of", &membership.any_of), ("all_of", &membership.all_of)] {
        if let Some(names) = list {
            words.insert(name.to_owned(), json!(names));
        }
    }
    (!words.is_empty()).then(|| words.into())
}

/// The limits on tokens and key sets.
pub fn limits(limits: &Limits) -> Value {
    json!({
        "token_bytes": limits.token_bytes, "json_depth": limits.json_depth,
        "jwks_bytes": limits.jwks_bytes, "jwks_keys": limits.jwks_keys,
    })
}
