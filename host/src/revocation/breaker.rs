//! A circuit breaker before the store: while it does not answer, callers do not wait for it one after the other.

use super::RevocationError;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How many questions in a row have no answer before the circuit opens.
const FAILURES: u32 = 5;
/// While it is open, the store is tried with one question each time so long has passed.
const PAUSE: Duration = Duration::from_millis(250);

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is asked.
    Asked,
    /// It is asked, and its answer decides for all others: it must come to its end, also if its caller leaves.
    Tried,
    /// It is not asked.
    NotAsked,
}

/// Closed: every question is asked. Open, after [`FAILURES`] time-outs or lost connections in a row: questions fail at once, but for one
/// each [`PAUSE`], whose answer closes it.
pub(super) struct Breaker {
    /// The longest that a question takes.
    deadline: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// If the circuit is open: when the store is tried again.
    next_try: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, state: Mutex::default() }
    }

    /// Whether to ask the store now.
    pub(super) fn admits(&self) -> Admission {
        let mut state = self.state();
        let Some(next_try) = state.next_try else { return Admission::Asked };
        let now = Instant::now();
        if now < next_try {
            return Admission::NotAsked;
        }
        // The others wait for what becomes of it. If it never ends, another follows.
        state.next_try = Some(later(now, self.deadline.saturating_add(PAUSE)));
        Admission::Tried
    }

    /// Takes note of what became of a question. An error reply is an answer: the store is there, and what it refuses one token must not
    /// decide about all others.
    pub(super) fn note<T>(&self, answer: &Result<T, RevocationError>) {
        let mut state = self.state();
        match answer {
            Err(RevocationError::TimedOut | RevocationError::Unreachable) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES {
                    state.next_try = Some(later(Instant::now(), PAUSE));
                }
            }
            _ => *state = State::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A deadline may be as long as a [`Duration`]: what no clock can show is a year away.
fn later(now: Instant, duration: Duration) -> Instant {
    now.checked_add(duration).unwrap_or(now + Duration::from_secs(365 * 86_400))
}

#[cfg(test)]
mod tests {
    use super::{Admission::*, *};
    use tokio::time::advance;

    const DEADLINE: Duration = Duration::from_millis(100);
    const STALLED: Result<bool, RevocationError> = Err(RevocationError::TimedOut);

    /// One before which as many questions have failed as it takes.
    fn open() -> Breaker {
        let breaker = Breaker::new(DEADLINE);
        for _ in 0..FAILURES {
            assert_eq!(breaker.admits(), Asked);
            breaker.note(&STALLED);
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_lets_one_question_through_at_a_time() {
        let breaker = open();
        assert_eq!(breaker.admits(), NotAsked);
        advance(PAUSE).await;
        assert_eq!(breaker.admits(), Tried);
        assert_eq!(breaker.admits(), NotAsked, "by one question");
        breaker.note(&STALLED);
        advance(PAUSE - Duration::from_millis(1)).await;
        assert_eq!(breaker.admits(), NotAsked);
        advance(Duration::from_millis(1)).await;
        assert_eq!(breaker.admits(), Tried);
        breaker.note(&Ok(false));
        assert_eq!([breaker.admits(), breaker.admits()], [Asked; 2], "an answer closes it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_never_ends_is_followed_by_another() {
        let breaker = open();
        advance(PAUSE).await;
        assert_eq!(breaker.admits(), Tried);
        advance(DEADLINE + PAUSE).await;
        assert_eq!(breaker.admits(), Tried);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_and_error_replies_keep_it_closed() {
        let breaker = Breaker::new(Duration::MAX);
        for answer in [Ok(true), Ok(false), Err(RevocationError::Refused), Err(RevocationError::Full)] {
            for _ in 1..FAILURES {
                breaker.note(&STALLED);
            }
            for _ in 0..FAILURES {
                breaker.note(&answer);
            }
            assert_eq!(breaker.admits(), Asked, "{answer:?}");
        }
        for _ in 0..FAILURES {
            breaker.note::<bool>(&Err(RevocationError::Unreachable));
        }
        assert_eq!(breaker.admits(), NotAsked);
        advance(PAUSE).await;
        assert_eq!(breaker.admits(), Tried, "a deadline without end is no reason to fail");
    }
}
