//! The samples of the recipes as cases, like those of the corpus. Each test that needs them includes this file.

use poolgate_core::Reason;
use poolgate_edge::{Config, ConfigError, config};
use poolgate_tests::{
    corpus::{Case, Expected, Seed},
    edge_corpus::issuers,
    minting::NOW,
    recipes::Sample,
};
use serde_json::{Value, json};

/// Returns the sample as a case, with the pool that the edge reads, and the keys of that pool.
///
/// # Panics
/// Panics if the pool is not valid, or if the reason does not exist.
pub fn case(sample: &Sample) -> Case {
    let Sample { title, reason, pool, token } = sample;
    let config = read(pool).unwrap_or_else(|error| panic!("{title}: {error}"));
    let config = config::core_config(&config, 0);
    let issuer = issuers(&config.pools[0]).swap_remove(0);
    let expected = match reason {
        None => Expected::Allow,
        Some(name) => {
            let reason = Reason::ALL.iter().find(|reason| reason.name() == name);
            Expected::Deny(reason.unwrap_or_else(|| panic!("{title}: there is no reason {name}")).name())
        }
    };
    Case {
        // A case lives as long as the process.
        name: title.clone().leak(),
        config,
        seeds: vec![Seed { issuer, jwks: pool["keys"]["jwks"].to_string(), fetched_at: NOW }],
        now: NOW,
        token: token.clone(),
        expected,
        key_error: None,
        key_member: None,
    }
}

/// Reads a configuration with this pool and one route, which requires a token.
///
/// # Errors
/// Returns the first problem of the configuration.
pub fn read(pool: &Value) -> Result<Config, ConfigError> {
    let configuration = json!({"pools": [pool], "routes": [{"prefix": "/", "authenticated": true}]});
    config::read(configuration.to_string().as_bytes())
}
