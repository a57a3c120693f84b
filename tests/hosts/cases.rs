//! The corpus as a file for programs in other languages, and the verdicts that they print.

use poolgate_core::{ClientRule, IssuerRule, KeyOrigin, Membership, Pool, ResourceRule, TokenUseRule};
use poolgate_tests::{corpus::cases, seen::Seen};
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

/// Writes every case, in the words of `docs/envoy.md`.
pub fn write(file: &Path) {
    let cases: Vec<Value> = cases()
        .iter()
        .map(|case| {
            let limits = &case.config.limits;
            let seeds: Vec<Value> = case
                .seeds
                .iter()
                .map(
                    |seed| json!({"issuer": seed.issuer, "jwks": seed.jwks, "fetched_at": seed.fetched_at.to_string()}),
                )
                .collect();
            json!({
                "config": {
                    "pools": case.config.pools.iter().map(pool).collect::<Vec<_>>(),
                    "limits": {
                        "token_bytes": limits.token_bytes, "json_depth": limits.json_depth,
                        "jwks_bytes": limits.jwks_bytes, "jwks_keys": limits.jwks_keys,
                    },
                },
                "seeds": seeds,
                // JavaScript's numbers are too short for some.
                "now": case.now.to_string(),
                "token": case.token,
            })
        })
        .collect();
    fs::write(file, Value::from(cases).to_string()).expect("a file");
}

/// Reads `[{}, {"reason": "expired", "status": 401}, …]`.
pub fn read(printed: &str) -> Vec<Seen> {
    let verdicts: Vec<Map<String, Value>> = serde_json::from_str(printed).expect("a list of verdicts");
    let seen = |verdict: Map<String, Value>| match verdict.get("reason") {
        None => Seen::Verified,
        Some(reason) => {
            let status = verdict["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status");
            Seen::refused(reason.as_str().expect("a reason"), status)
        }
    };
    verdicts.into_iter().map(seen).collect()
}

fn pool(pool: &Pool) -> Value {
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
    match &pool.keys {
        KeyOrigin::Derived => (),
        KeyOrigin::Url(url) => words["keys"] = json!({"url": url}),
        KeyOrigin::Seeded => words["keys"] = json!("seeded"),
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
    for (name, asked) in [("groups", &pool.groups), ("scopes", &pool.scopes)] {
        match asked {
            Membership::Unchecked => (),
            Membership::AnyOf(names) => words[name] = json!({"any_of": names}),
            Membership::AllOf(names) => words[name] = json!({"all_of": names}),
        }
    }
    if let Some(seconds) = pool.max_age {
        words["max_age_seconds"] = json!(seconds);
    }
    words
}
