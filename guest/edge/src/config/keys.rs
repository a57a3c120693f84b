//! Where keys come from, and how long they are used.

use serde::Deserialize;

/// The source of a pool's keys: a JWKS endpoint, a key set in the configuration, or both. With both, the configured key set is used until the
/// first fetch succeeds.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// A JWK Set (RFC 7517 section 5). Without a cluster, it does not expire while it is configured.
    pub jwks: Option<serde_json::Map<String, serde_json::Value>>,
    /// The proxy's name for the server of the JWKS endpoint. In Envoy it is a cluster, which must exist and should use TLS. The `wasi:http`
    /// middleware sends its requests to the URL itself, and accepts any name.
    pub cluster: Option<String>,
    /// The URL of the JWKS endpoint. The default is `ISSUER/.well-known/jwks.json`.
    pub url: Option<String>,
    /// The maximum duration of a fetch, in milliseconds, from 1 to 60,000. The default is 5,000.
    #[serde(default = "Keys::timeout_ms")]
    pub timeout_ms: u32,
}

impl Keys {
    fn timeout_ms() -> u32 {
        5_000
    }
}

/// How long keys are used, and when they are fetched again. Times are in seconds. See docs/keys.md.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct KeyPolicy {
    /// The age at which a key set is refreshed in the background, if its response had no `Cache-Control: max-age`.
    pub soft_ttl: u32,
    /// The minimum of this age. A shorter `max-age` counts as this.
    pub soft_ttl_min: u32,
    /// The maximum of this age. A longer `max-age` counts as this.
    pub soft_ttl_max: u32,
    /// The age at which a key set expires. Tokens are not verified with older keys; they get 503 until a fetch succeeds.
    pub hard_ttl: u32,
    /// The delay after the first failed fetch. It doubles with each further failure.
    pub retry_min: u32,
    /// The maximum of this delay.
    pub retry_max: u32,
    /// The maximum number of fetches for unknown key IDs in a burst, per JWKS endpoint and worker (token bucket). At most 1,000.
    pub unknown_key_fetches: u32,
    /// The time after which the token bucket allows one more such fetch.
    pub unknown_key_interval: u32,
    /// How long a key ID is cached as unknown after a fetch did not return it.
    pub unknown_key_ttl: u32,
    /// The maximum number of key IDs that are cached as unknown, at most 65,536.
    pub unknown_key_entries: u32,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        let core = poolgate_core::KeyPolicy::default();
        Self {
            soft_ttl: core.soft_ttl,
            soft_ttl_min: core.soft_ttl_min,
            soft_ttl_max: core.soft_ttl_max,
            hard_ttl: core.hard_ttl,
            retry_min: core.retry_min,
            retry_max: core.retry_max,
            unknown_key_fetches: core.unknown_key_fetches,
            unknown_key_interval: core.unknown_key_interval,
            unknown_key_ttl: core.unknown_key_ttl,
            unknown_key_entries: core.unknown_key_entries,
        }
    }
}
