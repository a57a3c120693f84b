//! The interface of a revocation store.

use super::{
    claims::RevocationClaims, entry::Revocation, error::RevocationError, feed_document::FeedDocument,
    feed_report::FeedReport,
};
use poolgate_revocations::Position;
use std::{future::ready, pin::Pin, time::Duration};

/// The maximum lifetime of an access or ID token of Amazon Cognito: 24 hours (`AccessTokenValidity` and
/// `IdTokenValidity` of an app client).
///
/// An entry of a revocation store must live at least as long as the tokens that it revokes.
pub const MAX_COGNITO_TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// A store of revoked tokens.
///
/// Use [`InMemory`](super::InMemory) for one process, `Redis` (feature `redis`) for several, a [`Feed`](super::Feed) to read the revocations of another
/// process, or implement this trait.
///
/// In all methods, `now` is the time of the verifier's clock, in seconds since the Unix epoch. The verifier drops a future that does not
/// complete within [`VerifierBuilder::revocation_deadline`](crate::VerifierBuilder::revocation_deadline).
pub trait Revocations: Send + Sync + 'static {
    /// Returns whether a token has been revoked, by any of the claims that identify it.
    ///
    /// If this returns an error, the [`RevocationMode`](super::RevocationMode) decides whether the token is accepted.
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, now: u64) -> RevocationFuture<'a, bool>;

    /// Stores a revocation. It must stay for at least the lifetime of the tokens that it revokes, and must not shorten or narrow an earlier
    /// revocation.
    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: u64) -> RevocationFuture<'a, ()>;

    /// Returns the store's own time-out, after which it gives up on a query and reconnects. The default is `None`: it has no time-out.
    ///
    /// It must be shorter than the verifier's deadline, because the verifier then drops the store's future. Otherwise
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) fails.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Returns the revocations after a position as a document of the revocation feed, or a snapshot if `after` is `None` or unknown. The gateway
    /// publishes it; see `docs/revocation-feed.md`.
    ///
    /// A revocation must be in it within a second after [`revoke`](Self::revoke) has returned. If the present state is not known, return an error: a
    /// document says that its state is the present one.
    ///
    /// The gateway waits for at most 5 seconds. The default is `None`: the revocations of this store cannot be listed.
    fn feed<'a>(&'a self, after: Option<Position>, now: u64) -> RevocationFuture<'a, Option<FeedDocument>> {
        let _ = (after, now);
        Box::pin(ready(Ok(None)))
    }

    /// Returns the state of a [`Feed`](super::Feed), for the metrics. The default is `None`: this store reads no feed.
    fn feed_report(&self) -> Option<FeedReport> {
        None
    }
}

/// The future of a call to a store.
pub type RevocationFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RevocationError>> + Send + 'a>>;
