//! Converts a configuration of the core to the JSON that all integrations accept (`docs/envoy.md`).

use poolgate_core::{
    ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientRule, ConfirmationRule, GuestRule, IssuerRule,
    IssuerTemplate, Limits, LoadBalancers, Membership, Pool, ResourceRule, SubjectRule, TokenUseRule,
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
        IssuerRule::OneOf(issuers) => words["issuers"] = json!(issuers),
        IssuerRule::Tenants(IssuerTemplate { template, tenants }) => {
            words["issuer_template"] = json!(template);
            match tenants {
                Some(tenants) => words["tenants"] = json!(tenants),
                None => words["any_tenant"] = json!(true),
            }
        }
        IssuerRule::IdentityPool { guests } => {
            let ClientRule::OneOf(ids) = &pool.client else { panic!("an identity pool is its own client") };
            words["identity_pool_id"] = json!(ids[0]);
            words["guests"] = match guests {
                GuestRule::Refuse => json!("refuse"),
                GuestRule::Accept => json!("accept"),
            };
        }
        IssuerRule::LoadBalancers(LoadBalancers { issuer, arns }) => {
            words["issuer"] = json!(issuer);
            words["alb_arns"] = json!(arns);
        }
        IssuerRule::Unchecked => words["any_issuer"] = json!(true),
    }
    match &pool.client {
        ClientRule::OneOf(_) if matches!(pool.issuer, IssuerRule::IdentityPool { .. }) => (),
        ClientRule::OneOf(clients) => words["client_ids"] = json!(clients),
        ClientRule::Unchecked => words["any_client"] = json!(true),
    }
    match &pool.resource {
        ResourceRule::OneOf(resources) => words["resources"] = json!(resources),
        ResourceRule::Unchecked => words["any_resource"] = json!(true),
        ResourceRule::Unbound => (),
    }
    if !pool.types.is_empty() {
        words["types"] = json!(pool.types);
    }
    if let Some(claim) = pool.client_claim {
        words["client_claim"] = json!(claim.name());
    }
    if let Some(claim) = &pool.scope_claim {
        words["scope_claim"] = json!(claim);
    }
    if !pool.unbound_clients.is_empty() {
        words["unbound_clients"] = json!(pool.unbound_clients);
    }
    if !pool.claims.is_empty() {
        words["claims"] = pool.claims.iter().map(claim_rule).collect();
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

/// A claim rule (`docs/claims.md`).
pub fn claim_rule(rule: &ClaimRule) -> Value {
    let value = |value: &ClaimValue| match value {
        ClaimValue::Text(text) => json!(text),
        // A JSON integer, so that it is spelled alike everywhere.
        ClaimValue::Number(number) if number.fract() == 0.0 => json!(*number as i64),
        ClaimValue::Number(number) => json!(number),
        ClaimValue::Boolean(boolean) => json!(boolean),
    };
    let list = |values: &[ClaimValue]| values.iter().map(value).collect::<Value>();
    let mut words = json!({"claim": rule.claim});
    if let Some(name) = &rule.name {
        words["name"] = json!(name);
    }
    if !rule.path.is_empty() {
        words["path"] = json!(rule.path);
    }
    match &rule.selector {
        ClaimSelector::Value => (),
        ClaimSelector::Split(separator) => words["split"] = json!(separator),
        ClaimSelector::Keys => words["keys"] = json!(true),
        ClaimSelector::Each(path) => words["each"] = json!(path),
    }
    match &rule.test {
        ClaimTest::AnyOf(values) => words["any_of"] = list(values),
        ClaimTest::AllOf(values) => words["all_of"] = list(values),
        ClaimTest::NoneOf(values) => words["none_of"] = list(values),
        ClaimTest::Prefix(texts) => words["prefix"] = json!(texts),
        ClaimTest::Suffix(texts) => words["suffix"] = json!(texts),
        ClaimTest::Range { at_least, at_most } => {
            for (name, bound) in [("at_least", at_least), ("at_most", at_most)] {
                if let Some(bound) = bound {
                    words[name] = value(&ClaimValue::Number(*bound));
                }
            }
        }
        ClaimTest::Exists(exists) => words["exists"] = json!(exists),
    }
    if rule.fits_if_absent {
        words["if_absent"] = json!("pass");
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
