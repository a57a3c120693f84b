//! How long an answer is held, so that the time it takes tells nothing.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Answers to who names a user are held until so long after the question, and a random while more.
///
/// What takes longer than the floor is held until the next multiple of it: an answer that is slow for some users only tells
/// at most that it was slow for longer than a whole floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseTimeFloor {
    /// The shortest time. Make it longer than Cognito's slowest usual answer. Zero turns it off.
    pub minimum: Duration,
    /// The most that is added at random, evenly.
    pub max_jitter: Duration,
}

impl Default for ResponseTimeFloor {
    /// One second, and up to a quarter more.
    fn default() -> Self {
        Self { minimum: Duration::from_secs(1), max_jitter: Duration::from_millis(250) }
    }
}

impl ResponseTimeFloor {
    /// Answers go out when they are there. Who measures can then tell who has an account.
    pub const OFF: Self = Self { minimum: Duration::ZERO, max_jitter: Duration::ZERO };

    /// Waits until the answer to a question may go out.
    pub(crate) async fn hold(self, asked: Instant) {
        let until = self.target(asked.elapsed(), random());
        if !until.is_zero() {
            sleep_until(asked + until).await;
        }
    }

    /// When the answer goes out, after the question. `chance` is from 0 to 2³².
    fn target(self, taken: Duration, chance: u32) -> Duration {
        if self.minimum.is_zero() {
            return Duration::ZERO;
        }
        let floors = taken.as_nanos().div_ceil(self.minimum.as_nanos()).max(1);
        let held = self.minimum.saturating_mul(u32::try_from(floors).unwrap_or(u32::MAX));
        held.saturating_add(self.max_jitter.mul_f64(f64::from(chance) / f64::from(u32::MAX)))
    }
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    // It fails on no system that Rust's standard library runs on; without chance there is still the floor.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: ResponseTimeFloor =
        ResponseTimeFloor { minimum: Duration::from_millis(100), max_jitter: Duration::from_millis(10) };

    #[test]
    fn an_answer_goes_out_at_a_multiple_of_the_floor_and_a_chance_more() {
        let millis = Duration::from_millis;
        for (taken, chance, expected) in [
            (millis(0), 0, millis(100)),
            (millis(99), 0, millis(100)),
            (millis(100), u32::MAX, millis(110)),
            (millis(101), 0, millis(200)),
            (millis(950), u32::MAX, millis(1_010)),
        ] {
            assert_eq!(FLOOR.target(taken, chance), expected, "{taken:?}");
        }
        assert_eq!(ResponseTimeFloor::OFF.target(millis(950), u32::MAX), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_held_that_long() {
        let asked = Instant::now();
        FLOOR.hold(asked).await;
        assert!(
            (FLOOR.minimum..=FLOOR.minimum + FLOOR.max_jitter + Duration::from_millis(1)).contains(&asked.elapsed())
        );
    }
}
