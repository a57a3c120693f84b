//! Writes tokens as a file for programs in other languages, and reads the verdicts that they print.

use poolgate_core::{KeyOrigin, Pool};
use poolgate_tests::{configuration_words, corpus::Case, seen::Seen};
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

/// Writes every case, with the configuration in the format of `docs/envoy.md`.
pub fn write<'a>(file: &Path, cases: impl IntoIterator<Item = &'a Case>) {
    let cases: Vec<Value> = cases
        .into_iter()
        .map(|case| {
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
                    "limits": configuration_words::limits(&case.config.limits),
                },
                "seeds": seeds,
                // Some times do not fit into JavaScript's numbers.
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
            Seen::rejected(reason.as_str().expect("a reason"), status)
        }
    };
    verdicts.into_iter().map(seen).collect()
}

fn pool(pool: &Pool) -> Value {
    let mut words = configuration_words::pool(pool);
    match &pool.keys {
        KeyOrigin::Derived => (),
        KeyOrigin::Url(url) => words["keys"] = json!({"url": url}),
        KeyOrigin::Local => words["keys"] = json!("local"),
    }
    for (name, asked) in [("groups", &pool.groups), ("scopes", &pool.scopes)] {
        if let Some(asked) = configuration_words::membership(asked) {
            words[name] = asked;
        }
    }
    words
}
