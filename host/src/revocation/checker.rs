//! A verifier's store, and how it is asked: in bounded time, and counted.

use super::{
    Revocation, RevocationClaims, RevocationError, RevocationMode, Revocations,
    breaker::{Admission, Breaker},
};
use crate::{bindings::exports::poolgate::auth::verifier::RevocationStatus, clock::Clock, metrics::Metrics};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How often a revocation is tried to be remembered: unlike a question, it has no answer that can be guessed.
const ATTEMPTS: usize = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(300);

/// The store that says which tokens were revoked.
pub(crate) struct RevocationChecker {
    store: Arc<dyn Revocations>,
    pub(crate) mode: RevocationMode,
    /// The longest that it may take to answer.
    deadline: Duration,
    breaker: Arc<Breaker>,
    /// Whether the last question had no answer: the log tells of the first such one, and of the first that has one again.
    is_out: AtomicBool,
}

impl RevocationChecker {
    pub(crate) fn new(store: Arc<dyn Revocations>, mode: RevocationMode, deadline: Duration) -> Self {
        Self { store, mode, deadline, breaker: Arc::new(Breaker::new(deadline)), is_out: AtomicBool::new(false) }
    }

    /// What the store says of a token.
    pub(crate) async fn check(
        &self,
        token: &RevocationClaims,
        clock: &dyn Clock,
        metrics: &Metrics,
    ) -> RevocationStatus {
        let now = clock.now().as_secs();
        let answer = match self.breaker.admits() {
            Admission::Asked => question(&*self.store, &self.breaker, token, now, self.deadline).await,
            Admission::Tried => self.attempt(token.clone(), now).await,
            Admission::NotAsked => Err(RevocationError::CircuitOpen),
        };
        metrics.count_revocation_check(answer);
        let was_out = self.is_out.swap(answer.is_err(), Ordering::Relaxed);
        match answer {
            Err(error) if !was_out => {
                tracing::error!(error = error.name(), mode = ?self.mode, "the store of revoked tokens does not answer");
            }
            Ok(_) if was_out => tracing::info!("the store of revoked tokens answers again"),
            _ => {}
        }
        match answer {
            Ok(false) => RevocationStatus::NotRevoked,
            Ok(true) => RevocationStatus::Revoked,
            Err(_) => RevocationStatus::Unavailable,
        }
    }

    /// Asks in a task of its own: a caller that leaves early would keep the circuit open, and one with a revoked token would like that.
    async fn attempt(&self, token: RevocationClaims, now: u64) -> Result<bool, RevocationError> {
        let (store, breaker, deadline) = (Arc::clone(&self.store), Arc::clone(&self.breaker), self.deadline);
        let asked = tokio::spawn(async move { question(&*store, &breaker, &token, now, deadline).await });
        asked.await.unwrap_or(Err(RevocationError::Unreachable))
    }

    /// Remembers a revocation.
    pub(crate) async fn revoke(&self, revocation: &Revocation, now: u64) -> Result<(), RevocationError> {
        let mut taken = Err(RevocationError::TimedOut);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN_ATTEMPTS).await;
            }
            taken = in_time(self.deadline, self.store.revoke(revocation, now)).await;
            if matches!(taken, Ok(()) | Err(RevocationError::Full)) {
                break;
            }
        }
        taken.inspect_err(|error| tracing::error!(error = error.name(), ?revocation, "a revocation is not remembered"))
    }
}

async fn question(
    store: &dyn Revocations,
    breaker: &Breaker,
    token: &RevocationClaims,
    now: u64,
    deadline: Duration,
) -> Result<bool, RevocationError> {
    let answer = in_time(deadline, store.is_revoked(token, now)).await;
    breaker.note(&answer);
    answer
}

async fn in_time<T>(deadline: Duration, answer: super::RevocationFuture<'_, T>) -> Result<T, RevocationError> {
    timeout(deadline, answer).await.unwrap_or(Err(RevocationError::TimedOut))
}
