//! Limits of a verifier.

use clap::Args;
use poolgate::VerifierBuilder;
use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

#[derive(Args, Debug)]
pub struct LimitArguments {
    /// Maximum length of a token, in bytes, at most 1 MiB
    #[arg(long, value_name = "BYTES", default_value_t = 16_384)]
    pub max_token_bytes: u32,
    /// Maximum depth of JSON in tokens and key sets, from 4 to 100
    #[arg(long, value_name = "LEVELS", default_value_t = 16)]
    pub max_json_depth: u32,
    /// Maximum length of a key set, in bytes, at most 16 MiB
    #[arg(long, value_name = "BYTES", default_value_t = 262_144)]
    pub max_jwks_bytes: u32,
    /// Maximum number of keys of a key set, at most 10000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub max_jwks_keys: u32,
    /// Maximum time of a key fetch, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    pub fetch_timeout: NonZeroU32,
    /// Maximum number of verifications in progress; more get 503. At most a quarter of them may wait for keys
    #[arg(long, value_name = "N", default_value = "1024")]
    pub max_verifications: NonZeroUsize,
    /// Number of sandbox instances: how many tokens are verified at the same time. The default is one per CPU
    #[arg(long, value_name = "N")]
    pub instances: Option<NonZeroUsize>,
    /// Memory for verified tokens, per instance, in bytes, at most 64 MiB; 0 disables the cache
    #[arg(long, value_name = "BYTES", default_value_t = 524_288)]
    pub token_cache_bytes: u32,
    /// Maximum number of verified tokens in memory, per instance, at most 1048576; 0 disables the cache
    #[arg(long, value_name = "N", default_value_t = 1_024)]
    pub token_cache_entries: u32,
}

impl LimitArguments {
    pub fn apply(&self, mut builder: VerifierBuilder) -> VerifierBuilder {
        if let Some(count) = self.instances {
            builder = builder.instances(count);
        }
        builder
            .token_limit(self.max_token_bytes)
            .json_depth_limit(self.max_json_depth)
            .jwks_limits(self.max_jwks_bytes, self.max_jwks_keys)
            .fetch_timeout(Duration::from_secs(self.fetch_timeout.get().into()))
            .call_limit(self.max_verifications)
            .token_cache(self.token_cache_bytes, self.token_cache_entries)
    }
}
