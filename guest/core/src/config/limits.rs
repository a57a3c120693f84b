//! Limits on the work that one input can cause, and on the memory of the token cache.

use super::error::ConfigError;

/// The maximum leeway and the maximum clock skew of a pool, in seconds.
pub const LEEWAY_LIMIT: u32 = 900;

/// Limits the work that one input can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum length of a token, in bytes; at most 1 MiB. The default is 16 KiB.
    pub token_bytes: u32,
    /// The maximum nesting of JSON arrays and objects, from 4 to 100 (a JWK Set with `key_ops` or `x5c` has 4 levels). The default is 16.
    pub json_depth: u32,
    /// The maximum length of a JWK Set, in bytes; at most 16 MiB. The default is 256 KiB.
    pub jwks_bytes: u32,
    /// The maximum number of keys in one JWK Set; at most 10,000. The default is 100.
    pub jwks_keys: u32,
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let fits = (1..=1 << 20).contains(&self.token_bytes)
            && (4..=100).contains(&self.json_depth)
            && (1..=1 << 24).contains(&self.jwks_bytes)
            && (1..=10_000).contains(&self.jwks_keys);
        if fits { Ok(()) } else { Err(ConfigError::OutOfRange) }
    }
}

impl Default for Limits {
    /// Returns 16 KiB for a token, 16 levels of JSON, and 256 KiB and 100 keys for a JWK Set.
    fn default() -> Self {
        Self { token_bytes: 16 * 1024, json_depth: 16, jwks_bytes: 256 * 1024, jwks_keys: 100 }
    }
}

/// Limits the cache of verified tokens. If either number is zero, the cache is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// The maximum memory, in bytes: tokens, claims and the index. At most 64 MiB. The default is 512 KiB, which is enough for about 250 of
    /// Cognito's tokens.
    pub bytes: u32,
    /// The maximum number of tokens. At most 1,048,576. The default is 1,024.
    pub entries: u32,
}

impl Default for CacheLimits {
    /// Returns 512 KiB and 1,024 tokens.
    fn default() -> Self {
        Self { bytes: 512 * 1024, entries: 1_024 }
    }
}

impl CacheLimits {
    /// Disables the cache.
    pub const NONE: Self = Self { bytes: 0, entries: 0 };

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.bytes <= 64 << 20 && self.entries <= 1 << 20 { Ok(()) } else { Err(ConfigError::OutOfRange) }
    }
}
