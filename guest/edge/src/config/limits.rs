//! Limits on the work that one input can cause.

use serde::Deserialize;

/// Limits on the work that one request or one key set can cause.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The maximum length of a token, in bytes. At most 1 MiB.
    pub token_bytes: u32,
    /// The maximum nesting of JSON arrays and objects in tokens and key sets, from 4 to 100.
    pub json_depth: u32,
    /// The maximum length of a key set, in bytes. At most 16 MiB.
    pub jwks_bytes: u32,
    /// The maximum number of keys in a key set. At most 10,000.
    pub jwks_keys: u32,
    /// The maximum number of requests that wait for keys at the same time, per worker. Further requests get 503.
    pub waiting_requests: u32,
    /// The maximum time for which a request waits for keys, in milliseconds, from 1 to 60,000. After it the request gets 503.
    pub wait_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let poolgate_core::Limits { token_bytes, json_depth, jwks_bytes, jwks_keys, .. } =
            poolgate_core::Limits::default();
        Self { token_bytes, json_depth, jwks_bytes, jwks_keys, waiting_requests: 1_000, wait_ms: 6_000 }
    }
}
