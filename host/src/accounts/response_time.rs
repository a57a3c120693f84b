//! Delays responses, so that the response time does not reveal whether an account exists.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The minimum response time of operations that take a username or an address, and a random addition to it.
///
/// A response that takes longer than `minimum` is delayed to the next multiple of it. If Cognito is slow for some users only, a client
/// can therefore learn at most that a response took longer than a multiple of `minimum`.
///
/// # Defaults
///
/// `minimum` is 1 second, `max_jitter` is 250 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseTimeFloor {
    /// The minimum response time. Set it higher than the usual response time of Cognito. Zero disables the delay.
    pub minimum: Duration,
    /// The maximum random addition. It is uniformly distributed between zero and this value.
    pub max_jitter: Duration,
}

impl Default for ResponseTimeFloor {
    fn default() -> Self {
        Self { minimum: Duration::from_secs(1), max_jitter: Duration::from_millis(250) }
    }
}

impl ResponseTimeFloor {
    /// No delay. A client that measures response times can then find out which accounts exist.
    pub const OFF: Self = Self { minimum: Duration::ZERO, max_jitter: Duration::ZERO };

    /// Waits until the response to a request that started at `started` may be sent.
    pub(crate) async fn delay(self, started: Instant) {
        let response_time = self.response_time(started.elapsed(), random());
        if !response_time.is_zero() {
            sleep_until(started + response_time).await;
        }
    }

    /// The time from the start of the request to its response. `random` is uniformly distributed.
    fn response_time(self, taken: Duration, random: u32) -> Duration {
        if self.minimum.is_zero() {
            return Duration::ZERO;
        }
        let multiples = taken.as_nanos().div_ceil(self.minimum.as_nanos()).max(1);
        let rounded = self.minimum.saturating_mul(u32::try_from(multiples).unwrap_or(u32::MAX));
        rounded.saturating_add(self.max_jitter.mul_f64(f64::from(random) / f64::from(u32::MAX)))
    }
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    // This fails on no system that Rust's standard library supports. If it did, the minimum would still apply.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: ResponseTimeFloor =
        ResponseTimeFloor { minimum: Duration::from_millis(100), max_jitter: Duration::from_millis(10) };

    #[test]
    fn a_response_is_sent_at_a_multiple_of_the_minimum_plus_jitter() {
        let millis = Duration::from_millis;
        for (taken, random, expected) in [
            (millis(0), 0, millis(100)),
            (millis(99), 0, millis(100)),
            (millis(100), u32::MAX, millis(110)),
            (millis(101), 0, millis(200)),
            (millis(950), u32::MAX, millis(1_010)),
        ] {
            assert_eq!(FLOOR.response_time(taken, random), expected, "{taken:?}");
        }
        assert_eq!(ResponseTimeFloor::OFF.response_time(millis(950), u32::MAX), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_is_delayed_by_that_time() {
        let started = Instant::now();
        FLOOR.delay(started).await;
        assert!(
            (FLOOR.minimum..=FLOOR.minimum + FLOOR.max_jitter + Duration::from_millis(1)).contains(&started.elapsed())
        );
    }
}
