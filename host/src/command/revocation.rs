//! The options of the store of revoked tokens.

use super::output::CommandError;
use clap::Args;
use poolgate::revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME, RevocationMode, Revocations};
use secrecy::{ExposeSecret, SecretString};
#[cfg(feature = "redis")]
use std::time::Duration;
use std::{convert::Infallible, num::NonZeroUsize, sync::Arc};

/// The maximum number of revocations in memory, which is about 200 MB.
const MAX_REVOCATIONS: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("not zero");

/// A store, for every verifier of the process, and what happens while it does not respond.
pub type Store = (Arc<dyn Revocations>, RevocationMode);

#[derive(Args, Debug)]
pub struct RevocationArguments {
    /// Store of revoked tokens: "memory" (of this process), or a Redis, redis[s]://[user][:password@]host[:port][/database]. Revoked tokens
    /// are rejected. Sign-outs, deletions of users and revocations are written to the store
    #[arg(long, value_name = "STORE", env = "POOLGATE_REVOCATION", hide_env_values = true, requires = "revocation_mode", value_parser = secret)]
    pub revocation: Option<SecretString>,
    /// Accept (fail-open) or reject (fail-closed) valid tokens while the store is unavailable
    #[arg(long, value_name = "MODE", env = "POOLGATE_REVOCATION_MODE", requires = "revocation", value_parser = ["fail-open", "fail-closed"])]
    pub revocation_mode: Option<String>,
}

impl RevocationArguments {
    /// Opens the store. `None` if there is none.
    pub fn store(&self) -> Result<Option<Store>, CommandError> {
        let (Some(store), Some(mode)) = (&self.revocation, &self.revocation_mode) else { return Ok(None) };
        let mode = match mode.as_str() {
            "fail-open" => RevocationMode::FailOpen,
            _ => RevocationMode::FailClosed,
        };
        Ok(Some((revocations(store)?, mode)))
    }

    /// Whether the store is in the memory of this process, so that nothing else can write to it.
    pub fn is_in_memory(&self) -> bool {
        self.revocation.as_ref().is_some_and(is_memory)
    }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

fn is_memory(store: &SecretString) -> bool {
    store.expose_secret() == "memory"
}

fn revocations(store: &SecretString) -> Result<Arc<dyn Revocations>, CommandError> {
    if is_memory(store) {
        return Ok(Arc::new(InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, MAX_REVOCATIONS)));
    }
    #[cfg(feature = "redis")]
    {
        let redis = poolgate::revocation::Redis::open(store, MAX_COGNITO_TOKEN_LIFETIME, Duration::from_millis(100));
        Ok(Arc::new(
            redis.map_err(|error| {
                CommandError::Usage(format!("--revocation: {error}; the other choice is \"memory\""))
            })?,
        ))
    }
    #[cfg(not(feature = "redis"))]
    Err(CommandError::Usage(
        "--revocation: this build supports only \"memory\"; for a Redis, build with --features redis".into(),
    ))
}
