//! Queries the revocation store of a verifier, with a deadline and a circuit breaker.

use super::{
    breaker::{Admission, Breaker},
    claims::RevocationClaims,
    entry::Revocation,
    error::RevocationError,
    feed_document::FeedDocument,
    feed_report::FeedReport,
    store::{RevocationFuture, Revocations},
};
use crate::{
    bindings::exports::poolgate::auth::verifier::{RevocationMode, RevocationStatus},
    clock::Clock,
    metrics::Metrics,
};
use poolgate_revocations::Position;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// The number of attempts to store a revocation. A failed attempt must be repeated, because the tokens are accepted until it is stored.
const ATTEMPTS: usize = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(300);
/// The maximum time of a reader of the feed. It may have to wait until a long stream has been read.
const FEED_DEADLINE: Duration = Duration::from_secs(5);

/// The revocation store of a verifier.
pub(crate) struct RevocationChecker {
    store: Arc<dyn Revocations>,
    pub(crate) mode: RevocationMode,
    /// The maximum time of one query.
    deadline: Duration,
    breaker: Arc<Breaker>,
    /// Whether the last query failed. The first failure is logged, and the first success after it.
    is_failing: AtomicBool,
}

impl RevocationChecker {
    pub(crate) fn new(store: Arc<dyn Revocations>, mode: RevocationMode, deadline: Duration) -> Self {
        Self { store, mode, deadline, breaker: Arc::new(Breaker::new(deadline)), is_failing: AtomicBool::new(false) }
    }

    /// Queries the store for the revocation status of a token.
    pub(crate) async fn check(
        &self,
        token: &RevocationClaims,
        clock: &dyn Clock,
        metrics: &Metrics,
    ) -> RevocationStatus {
        let now = clock.now().as_secs();
        let result = match self.breaker.admit() {
            Admission::Query => query(&*self.store, &self.breaker, token, now, self.deadline).await,
            Admission::Trial => self.run_trial(token.clone(), now).await,
            Admission::Reject => Err(RevocationError::CircuitOpen),
        };
        metrics.count_revocation_check(match result {
            Ok(true) => "revoked",
            Ok(false) => "not-revoked",
            Err(error) => error.name(),
        });
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Err(error) if !was_failing => {
                tracing::error!(error = error.name(), mode = ?self.mode, "the revocation store does not respond");
            }
            Ok(_) if was_failing => tracing::info!("the revocation store responds again"),
            _ => {}
        }
        match result {
            Ok(false) => RevocationStatus::NotRevoked,
            Ok(true) => RevocationStatus::Revoked,
            Err(_) => RevocationStatus::Unavailable,
        }
    }

    /// Runs a trial query in a separate task. If the query were cancelled with its caller, a client could keep the circuit open by
    /// cancelling its requests, and so have a revoked token accepted in the mode fail-open.
    async fn run_trial(&self, token: RevocationClaims, now: u64) -> Result<bool, RevocationError> {
        let (store, breaker, deadline) = (Arc::clone(&self.store), Arc::clone(&self.breaker), self.deadline);
        let trial = tokio::spawn(async move { query(&*store, &breaker, &token, now, deadline).await });
        trial.await.unwrap_or(Err(RevocationError::Unreachable))
    }

    /// Returns a document of the store's feed. `None` if the store's revocations cannot be listed.
    pub(crate) async fn feed(
        &self,
        after: Option<Position>,
        now: u64,
    ) -> Result<Option<FeedDocument>, RevocationError> {
        with_deadline(FEED_DEADLINE, self.store.feed(after, now)).await
    }

    /// Returns the state of the feed that the store reads. `None` if it reads none.
    pub(crate) fn feed_report(&self) -> Option<FeedReport> {
        self.store.feed_report()
    }

    /// Stores a revocation.
    pub(crate) async fn revoke(&self, revocation: &Revocation, now: u64) -> Result<(), RevocationError> {
        let mut result = Err(RevocationError::TimedOut);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN_ATTEMPTS).await;
            }
            result = with_deadline(self.deadline, self.store.revoke(revocation, now)).await;
            if matches!(result, Ok(()) | Err(RevocationError::Full | RevocationError::ReadOnly)) {
                break;
            }
        }
        result
            .inspect_err(|error| tracing::error!(error = error.name(), ?revocation, "a revocation could not be stored"))
    }
}

async fn query(
    store: &dyn Revocations,
    breaker: &Breaker,
    token: &RevocationClaims,
    now: u64,
    deadline: Duration,
) -> Result<bool, RevocationError> {
    let result = with_deadline(deadline, store.is_revoked(token, now)).await;
    breaker.record(&result);
    result
}

async fn with_deadline<T>(deadline: Duration, future: RevocationFuture<'_, T>) -> Result<T, RevocationError> {
    timeout(deadline, future).await.unwrap_or(Err(RevocationError::TimedOut))
}
