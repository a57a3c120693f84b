//! A store that reads the revocations that another process publishes.

mod builder;
mod polling;
mod state;

pub use builder::{FeedBuilder, FeedConfigError};

use super::{
    claims::RevocationClaims,
    entry::Revocation,
    error::RevocationError,
    feed_report::FeedReport,
    store::{RevocationFuture, Revocations},
};
use state::Shared;
use std::{fmt, future::ready, sync::Arc};
use tokio::task::JoinHandle;

/// The revocations that a gateway publishes, or any other process with a store: `GET /v1/revocations`. They are polled in the background, and
/// a query is answered from memory.
///
/// A revocation has an effect here after at most the poll interval and the time of a request. If the feed cannot be read for longer than
/// [`FeedBuilder::max_stale`], a query returns [`RevocationError::Stale`], so that the [`RevocationMode`](super::RevocationMode) decides. A
/// token that is known to be revoked stays revoked in either case. Until the first poll has ended, queries wait for it.
///
/// It can only be read: [`Verifier::revoke`](crate::Verifier::revoke) returns [`RevocationError::ReadOnly`].
///
/// ```no_run
/// use poolgate::{Pool, TokenUseRule, Verifier, revocation::{Feed, RevocationMode}};
/// use std::sync::Arc;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let feed = Feed::builder("https://gateway.internal.example.com/v1/revocations").start()?;
/// let pool = Pool::user_pool("eu-west-1_EXAMPLE01").token_use(TokenUseRule::Access).client_ids(["1example23456789"]);
/// let verifier = Verifier::builder().pool(pool).revocations(Arc::new(feed), RevocationMode::FailClosed).build().await?;
/// # Ok(())
/// # }
/// ```
pub struct Feed {
    shared: Arc<Shared>,
    polling: JoinHandle<()>,
}

impl Feed {
    /// Waits until the first poll has ended, successfully or not, and returns the state.
    pub async fn first_poll(&self) -> FeedReport {
        self.shared.first_poll().await;
        self.shared.report()
    }

    /// Returns the state.
    pub fn report(&self) -> FeedReport {
        self.shared.report()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

impl Revocations for Feed {
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, _now: u64) -> RevocationFuture<'a, bool> {
        Box::pin(async move {
            self.shared.first_poll().await;
            self.shared.is_revoked(&token.ids())
        })
    }

    fn revoke<'a>(&'a self, _revocation: &'a Revocation, _now: u64) -> RevocationFuture<'a, ()> {
        Box::pin(ready(Err(RevocationError::ReadOnly)))
    }

    fn feed_report(&self) -> Option<FeedReport> {
        Some(self.shared.report())
    }
}

impl fmt::Debug for Feed {
    /// Omits the URL.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feed").field("report", &self.report()).finish_non_exhaustive()
    }
}
