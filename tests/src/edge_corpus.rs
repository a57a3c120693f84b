//! Tokens for the proxy integrations: each case as a configuration of `poolgate-edge` and a request.

use crate::{
    configuration_words,
    corpus::Case,
    edge_scene::reason,
    exact_client::Response,
    faulty_server::{Behaviour, FaultyServer},
    keys::pem,
    seen::{Seen, Tokens},
};
use poolgate_core::{Config, IssuerRule, Pool};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Cases with the same configuration and keys, ordered by time. The order matters because the filter uses monotonic
/// time, and because the keys are older for a token in the far future.
pub struct Group {
    /// The configuration of the filter or the middleware.
    pub configuration: Value,
    /// The cases, oldest time first.
    pub cases: Vec<&'static Case>,
}

/// Groups all cases. The keys of each pool have their own URL at the server `base`.
pub fn groups(tokens: Tokens, server: &FaultyServer, base: &str) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in tokens {
        let seeds: Vec<_> = case.seeds.iter().map(|seed| (&seed.issuer, &seed.jwks)).collect();
        groups.entry(format!("{:?} {seeds:?}", case.config)).or_default().push(case);
    }
    let group = |(number, mut cases): (usize, Vec<&'static Case>)| {
        cases.sort_by_key(|case| case.now);
        let case = cases.first().expect("not empty");
        let urls: Vec<String> = case
            .config
            .pools
            .iter()
            .enumerate()
            .map(|(pool_number, pool)| {
                let path = format!("/{number}/{pool_number}");
                let issuers = issuers(pool);
                if let Some(seed) = case.seeds.iter().rev().find(|seed| issuers.contains(&seed.issuer)) {
                    match &pool.issuer {
                        IssuerRule::LoadBalancers(_) => serve_each_key(server, &path, &seed.jwks),
                        _ => server.path_does(&path, Behaviour::Serve(seed.jwks.clone())),
                    }
                }
                format!("{base}{path}")
            })
            .collect();
        Group { configuration: configuration(&case.config, &urls), cases }
    };
    groups.into_values().enumerate().map(group).collect()
}

/// The results of a host for the cases that fit in a header.
pub struct Answers {
    tokens: Tokens,
    seen: Vec<Seen>,
}

impl Answers {
    /// Creates a list without results.
    pub fn none(tokens: Tokens) -> Self {
        Self { tokens, seen: vec![Seen::Unsendable; tokens.len()] }
    }

    /// Records the response to a case: 200, or a rejection with its reason.
    ///
    /// # Panics
    /// Panics if the case is not one of the tokens.
    pub fn note(&mut self, case: &Case, response: &Response) {
        let place = self.tokens.iter().position(|own| std::ptr::eq(*own, case)).expect("one of the tokens");
        self.seen[place] = match response.status {
            200 => Seen::Verified,
            status => Seen::rejected(reason(&response.body), status),
        };
    }

    /// Returns all results, in the order of the tokens.
    pub fn seen(self) -> Vec<Seen> {
        self.seen
    }
}

/// Returns the pools of a case as configuration. The keys of each have their own URL.
fn configuration(config: &Config, urls: &[String]) -> Value {
    let pools: Vec<Value> =
        config.pools.iter().zip(urls).enumerate().map(|(number, (pool, url))| edge_pool(number, pool, url)).collect();
    let policies: Vec<Value> = config
        .pools
        .iter()
        .enumerate()
        .map(|(number, pool)| {
            let name = format!("p{number}");
            let mut policy = json!({"name": name, "pools": [name]});
            for (kind, membership) in [("groups", &pool.groups), ("scopes", &pool.scopes)] {
                if let Some(words) = configuration_words::membership(membership) {
                    policy[kind] = words;
                }
            }
            policy
        })
        .collect();
    let names: Vec<String> = (0..policies.len()).map(|number| format!("p{number}")).collect();
    json!({
        "pools": pools,
        "policies": policies,
        "routes": [{"prefix": "/", "any_of": names}],
        "answers": {"include_reason": true},
        "limits": configuration_words::limits(&config.limits),
        // Every unknown key ID causes a fetch.
        "key_policy": {"unknown_key_fetches": 1000, "retry_min": 1, "retry_max": 1},
    })
}

fn edge_pool(number: usize, pool: &Pool, url: &str) -> Value {
    let mut words = configuration_words::pool(pool);
    words["name"] = json!(format!("p{number}"));
    words["keys"] = json!({"cluster": "keys", "url": url});
    words
}

/// Serves each key of a set at a URL of its own, as load balancers publish theirs.
fn serve_each_key(server: &FaultyServer, path: &str, jwks: &str) {
    let set: Value = serde_json::from_str(jwks).expect("a JWK Set");
    for jwk in set["keys"].as_array().expect("a list of keys") {
        let key_id = jwk["kid"].as_str().expect("a key ID");
        server.path_does(&format!("{path}/{key_id}"), Behaviour::Serve(pem(jwk)));
    }
}

/// Returns the issuers of a pool, to find its key sets.
///
/// # Panics
/// Panics if the ID of a user pool is not valid.
pub fn issuers(pool: &Pool) -> Vec<String> {
    match &pool.issuer {
        IssuerRule::UserPool { id, region } => {
            poolgate_core::issuer::of_user_pool(id, region.as_deref()).expect("a pool of the corpus")
        }
        IssuerRule::Exactly(issuer) => vec![issuer.clone()],
        IssuerRule::OneOf(issuers) => issuers.clone(),
        IssuerRule::Tenants(tenants) => vec![tenants.template.clone()],
        IssuerRule::IdentityPool { .. } => vec![poolgate_core::issuer::IDENTITY_POOLS.to_owned()],
        IssuerRule::LoadBalancers(load_balancers) => load_balancers.arns.clone(),
        IssuerRule::Unchecked => vec![String::new()],
    }
}
