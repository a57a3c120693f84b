//! A circuit breaker for the revocation store. While the store does not respond, calls fail immediately and do not each
//! wait for a time-out.

use super::error::RevocationError;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The circuit opens after this many consecutive queries without a response.
const FAILURES: u32 = 5;
/// While the circuit is open, one trial query is sent to the store per pause.
const PAUSE: Duration = Duration::from_millis(250);

/// Whether a query is sent to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// The circuit is closed: send the query.
    Query,
    /// The circuit is open: send this query as a trial. Its result decides whether the circuit closes, so it must be completed even if
    /// its caller is cancelled.
    Trial,
    /// The circuit is open: do not send the query.
    Reject,
}

/// A circuit breaker.
///
/// Closed: every query is sent. It opens after [`FAILURES`] consecutive time-outs or connection failures. Open: queries fail immediately,
/// except one trial query per [`PAUSE`]. The circuit closes when a trial gets a response.
pub(super) struct Breaker {
    /// The maximum time that a query takes.
    deadline: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// If the circuit is open: the time of the next trial.
    next_trial: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, state: Mutex::default() }
    }

    /// Decides whether to send a query to the store now.
    pub(super) fn admit(&self) -> Admission {
        let mut state = self.state();
        let Some(next_trial) = state.next_trial else { return Admission::Query };
        let now = Instant::now();
        if now < next_trial {
            return Admission::Reject;
        }
        // Until the trial has a result, other queries fail. If it never ends, another trial follows after the deadline and the pause.
        state.next_trial = Some(later(now, self.deadline.saturating_add(PAUSE)));
        Admission::Trial
    }

    /// Records the result of a query. An error reply counts as a response: the store is reachable, and an error for one token must not
    /// open the circuit for all others.
    pub(super) fn record<T>(&self, result: &Result<T, RevocationError>) {
        let mut state = self.state();
        match result {
            Err(RevocationError::TimedOut | RevocationError::Unreachable) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES {
                    state.next_trial = Some(later(Instant::now(), PAUSE));
                }
            }
            _ => *state = State::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a duration to a time. If the sum cannot be represented, it returns a time one year later.
fn later(now: Instant, duration: Duration) -> Instant {
    now.checked_add(duration).unwrap_or(now + Duration::from_secs(365 * 86_400))
}

#[cfg(test)]
mod tests {
    use super::{Admission::*, *};
    use tokio::time::advance;

    const DEADLINE: Duration = Duration::from_millis(100);
    const STALLED: Result<bool, RevocationError> = Err(RevocationError::TimedOut);

    /// Returns an open breaker.
    fn open() -> Breaker {
        let breaker = Breaker::new(DEADLINE);
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(), Query);
            breaker.record(&STALLED);
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_consecutive_failures_and_sends_one_trial_at_a_time() {
        let breaker = open();
        assert_eq!(breaker.admit(), Reject);
        advance(PAUSE).await;
        assert_eq!(breaker.admit(), Trial);
        assert_eq!(breaker.admit(), Reject, "one trial at a time");
        breaker.record(&STALLED);
        advance(PAUSE - Duration::from_millis(1)).await;
        assert_eq!(breaker.admit(), Reject);
        advance(Duration::from_millis(1)).await;
        assert_eq!(breaker.admit(), Trial);
        breaker.record(&Ok(false));
        assert_eq!([breaker.admit(), breaker.admit()], [Query; 2], "a response closes the circuit");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_never_ends_is_followed_by_another() {
        let breaker = open();
        advance(PAUSE).await;
        assert_eq!(breaker.admit(), Trial);
        advance(DEADLINE + PAUSE).await;
        assert_eq!(breaker.admit(), Trial);
    }

    #[tokio::test(start_paused = true)]
    async fn responses_and_error_replies_keep_it_closed() {
        let breaker = Breaker::new(Duration::MAX);
        for result in [Ok(true), Ok(false), Err(RevocationError::Refused), Err(RevocationError::Full)] {
            for _ in 1..FAILURES {
                breaker.record(&STALLED);
            }
            for _ in 0..FAILURES {
                breaker.record(&result);
            }
            assert_eq!(breaker.admit(), Query, "{result:?}");
        }
        for _ in 0..FAILURES {
            breaker.record::<bool>(&Err(RevocationError::Unreachable));
        }
        assert_eq!(breaker.admit(), Reject);
        advance(PAUSE).await;
        assert_eq!(breaker.admit(), Trial, "an infinite deadline does not cause a failure");
    }
}
