//! The cache of verified tokens.

use serde::Deserialize;

/// The cache of verified tokens. On a cache hit, the signature is not checked again; the key, the time claims and the policies are.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// The maximum memory, in bytes, at most 64 MiB. The claims that are forwarded need additional memory. 0 disables the cache.
    pub bytes: u32,
    /// The maximum number of tokens, at most 1,048,576. 0 disables the cache.
    pub entries: u32,
}

impl Default for Cache {
    fn default() -> Self {
        let poolgate_core::CacheLimits { bytes, entries } = poolgate_core::CacheLimits::default();
        Self { bytes, entries }
    }
}
