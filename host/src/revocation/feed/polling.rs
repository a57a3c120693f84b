//! The task that polls a feed.

use super::state::Shared;
use crate::{
    FetchError,
    clock::Clock,
    key_source::{HttpKeySource, KeyUrl},
    random::random_number,
};
use poolgate_revocations::FeedError;
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// The wait after the first failed poll. It doubles with each further one, up to the poll interval.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// What the task needs.
pub(super) struct Polling {
    pub(super) shared: Arc<Shared>,
    pub(super) source: HttpKeySource,
    pub(super) url: KeyUrl,
    pub(super) interval: Duration,
    pub(super) max_entries: usize,
    /// The maximum length of a document.
    pub(super) max_bytes: usize,
    pub(super) clock: Arc<dyn Clock>,
}

/// Why a poll has failed.
#[derive(Clone, Copy)]
enum PollError {
    Fetch(FetchError),
    Document(FeedError),
}

impl Polling {
    /// Polls until the task is aborted.
    pub(super) async fn run(self) {
        let mut failures = 0;
        loop {
            let polled = self.poll().await;
            match polled {
                Ok(()) if failures > 0 => tracing::info!("the revocation feed can be read again"),
                Err(error) if failures == 0 => {
                    tracing::warn!(%error, "the revocation feed could not be read; the next attempt follows");
                }
                _ => {}
            }
            failures = if polled.is_ok() { 0 } else { failures + 1 };
            self.shared.polled(polled.is_ok());
            sleep(wait(self.interval, failures, random_fraction())).await;
        }
    }

    /// Reads the changes since the last poll, or a snapshot.
    async fn poll(&self) -> Result<(), PollError> {
        let position = self.shared.position();
        match self.read(position.map(|position| position.to_string())).await {
            // The publisher counts anew, or a cache has returned another document. A snapshot says what is true now.
            Err(PollError::Document(FeedError::OtherPosition)) if position.is_some() => self.read(None).await,
            read => read,
        }
    }

    async fn read(&self, after: Option<String>) -> Result<(), PollError> {
        let began_at = Instant::now();
        let url = match after {
            Some(after) => self.url.with_query(&format!("after={after}")),
            None => self.url.clone(),
        };
        let response = self.source.get(&url, None, self.max_bytes).await;
        let response = response.map_err(|error| PollError::Fetch(error.into_fetch_error()))?;
        // The request has no condition, so there is always a body.
        let document = response.body.ok_or(PollError::Fetch(FetchError::BadStatus))?;
        let applied = self.shared.apply(document, self.clock.now().as_secs(), self.max_entries, began_at);
        applied.map(|_| ()).map_err(PollError::Document)
    }
}

/// Returns the time until the next poll. Jitter takes off up to a tenth of the interval, and up to a half of the wait after a failure.
fn wait(interval: Duration, failures: u32, random: f64) -> Duration {
    match failures.checked_sub(1) {
        None => interval.mul_f64(1.0 - 0.1 * random),
        Some(earlier) => {
            let wait = RETRY_MIN.saturating_mul(2_u32.saturating_pow(earlier));
            wait.min(interval).mul_f64(1.0 - 0.5 * random)
        }
    }
}

/// Returns a random number from 0 to 1.
fn random_fraction() -> f64 {
    let number = u32::try_from(random_number() >> 32).unwrap_or_default();
    f64::from(number) / f64::from(u32::MAX)
}

impl fmt::Display for PollError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => formatter.write_str(error.name()),
            Self::Document(error) => write!(formatter, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_polls_are_repeated_after_a_wait_that_doubles_up_to_the_interval() {
        let seconds = Duration::from_secs;
        for (failures, random, expected) in [
            (0, 0.0, seconds(5)),
            (0, 1.0, Duration::from_millis(4_500)),
            (1, 0.0, seconds(1)),
            (1, 1.0, Duration::from_millis(500)),
            (2, 0.0, seconds(2)),
            (3, 0.0, seconds(4)),
            (4, 0.0, seconds(5)),
            (u32::MAX, 0.0, seconds(5)),
        ] {
            assert_eq!(wait(seconds(5), failures, random), expected, "{failures} failures, {random}");
        }
    }
}
