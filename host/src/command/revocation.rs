//! The options of the store of revoked tokens.

use super::output::CommandError;
use clap::Args;
use poolgate::revocation::{Feed, InMemory, MAX_COGNITO_TOKEN_LIFETIME, RevocationMode, Revocations};
use secrecy::{ExposeSecret, SecretString};
use std::{
    convert::Infallible,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

/// The maximum number of revocations in memory, which is about 200 MB.
const MAX_REVOCATIONS: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("not zero");

const FEED_IS_READ_ONLY: &str = "--revocation: a feed can only be read, but account flows write their sign-outs to the store; use the store that publishes the feed";

/// A store, for every verifier of the process, and what happens while it does not respond.
pub type Store = (Arc<dyn Revocations>, RevocationMode);

#[derive(Args, Debug)]
pub struct RevocationArguments {
    /// Store of revoked tokens: "memory" (of this process), a Redis, redis[s]://[user][:password@]host[:port][/database], or the feed of
    /// another gateway, https://…/v1/revocations. Revoked tokens are rejected. Sign-outs, deletions of users and revocations are written to the
    /// store; a feed can only be read, so it is for a gateway without account flows
    #[arg(long, value_name = "STORE", env = "POOLGATE_REVOCATION", hide_env_values = true, requires = "revocation_mode", value_parser = secret)]
    pub revocation: Option<SecretString>,
    /// Accept (fail-open) or reject (fail-closed) valid tokens while the store is unavailable
    #[arg(long, value_name = "MODE", env = "POOLGATE_REVOCATION_MODE", requires = "revocation", value_parser = ["fail-open", "fail-closed"])]
    pub revocation_mode: Option<String>,
    /// Time between two polls of a feed, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", requires = "revocation")]
    pub revocation_poll: NonZeroU32,
    /// Maximum time for which the last document of a feed is used if it cannot be read again, in seconds; then --revocation-mode decides
    #[arg(long, value_name = "SECONDS", default_value = "60", requires = "revocation")]
    pub revocation_max_stale: NonZeroU32,
}

/// The feed of `poolgate verify`.
#[derive(Args, Debug)]
pub struct FeedArguments {
    /// Reject tokens that this feed of revocations lists, https://…/v1/revocations of a gateway
    #[arg(long, value_name = "URL", requires = "revocation_mode")]
    pub revocation: Option<String>,
    /// Accept (fail-open) or reject (fail-closed) valid tokens if the feed is unavailable
    #[arg(long, value_name = "MODE", requires = "revocation", value_parser = ["fail-open", "fail-closed"])]
    pub revocation_mode: Option<String>,
}

impl RevocationArguments {
    /// Opens the store, or starts to read the feed. `None` if there is none. The errors do not contain the URL, because it may have a password.
    pub fn store(&self, allow_http_loopback: bool) -> Result<Option<Store>, CommandError> {
        let (Some(store), Some(mode)) = (&self.revocation, &self.revocation_mode) else { return Ok(None) };
        let store: Arc<dyn Revocations> = if self.is_in_memory() {
            Arc::new(InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, MAX_REVOCATIONS))
        } else if self.is_feed() {
            let feed = Feed::builder(store.expose_secret())
                .allow_http_loopback(allow_http_loopback)
                .poll_interval(seconds(self.revocation_poll))
                .max_stale(seconds(self.revocation_max_stale));
            let others = "the other choices are \"memory\" and a Redis, redis[s]://…";
            let rejected = |error| CommandError::Usage(format!("--revocation: {error}; {others}"));
            Arc::new(feed.start().map_err(rejected)?)
        } else {
            redis(store)?
        };
        Ok(Some((store, mode_of(mode))))
    }

    /// Whether the store is in the memory of this process, so that nothing else can write to it.
    pub fn is_in_memory(&self) -> bool {
        self.revocation.as_ref().is_some_and(|store| store.expose_secret() == "memory")
    }

    /// Returns an error if the store is a feed. With account flows, Cognito would confirm a sign-out that then fails.
    pub fn require_writable(&self) -> Result<(), CommandError> {
        match self.is_feed() {
            true => Err(CommandError::Usage(FEED_IS_READ_ONLY.to_owned())),
            false => Ok(()),
        }
    }

    /// Whether it is a feed, to which nothing can be written.
    fn is_feed(&self) -> bool {
        let is_url = |store: &str| store.starts_with("https://") || store.starts_with("http://");
        self.revocation.as_ref().is_some_and(|store| is_url(store.expose_secret()))
    }
}

impl FeedArguments {
    /// Reads the feed, and waits for the result. `None` if there is none.
    pub async fn store(&self, allow_http_loopback: bool, timeout: Duration) -> Result<Option<Store>, CommandError> {
        let (Some(url), Some(mode)) = (&self.revocation, &self.revocation_mode) else { return Ok(None) };
        let rejected = |error| CommandError::Usage(format!("--revocation: {error}"));
        let feed = Feed::builder(url).allow_http_loopback(allow_http_loopback).fetch_timeout(timeout);
        let feed = feed.start().map_err(rejected)?;
        feed.first_poll().await;
        let store: Arc<dyn Revocations> = Arc::new(feed);
        Ok(Some((store, mode_of(mode))))
    }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

fn seconds(seconds: NonZeroU32) -> Duration {
    Duration::from_secs(seconds.get().into())
}

fn mode_of(mode: &str) -> RevocationMode {
    match mode {
        "fail-open" => RevocationMode::FailOpen,
        _ => RevocationMode::FailClosed,
    }
}

#[cfg(feature = "redis")]
fn redis(store: &SecretString) -> Result<Arc<dyn Revocations>, CommandError> {
    let redis = poolgate::revocation::Redis::open(store, MAX_COGNITO_TOKEN_LIFETIME, Duration::from_millis(100));
    Ok(Arc::new(redis.map_err(|error| {
        CommandError::Usage(format!(
            "--revocation: {error}; the other choices are \"memory\" and the https URL of a feed"
        ))
    })?))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &SecretString) -> Result<Arc<dyn Revocations>, CommandError> {
    Err(CommandError::Usage(
        "--revocation: this build supports only \"memory\" and the https URL of a feed; for a Redis, build with --features redis".into(),
    ))
}
