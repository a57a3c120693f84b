//! A monotonic clock, derived from a wall clock that may be set back.
//!
//! If the wall clock were used directly, setting it back would make keys younger than they are and postpone deadlines. So ages and deadlines
//! use this clock, which advances with the wall clock and ignores steps back. If the wall clock jumps ahead, the keys age by the jump: they
//! are fetched again, and never used for longer.

/// A point in time of this clock, in seconds since an arbitrary origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

/// The maximum step, in seconds. It is longer than every lifetime and wait, which have 32 bits. Without it, a wall clock that once showed the
/// largest number would stop this clock for good.
const MAX_STEP: u64 = 1 << 33;

/// The start. It is far enough from zero that every age can be subtracted from it.
const ORIGIN: u64 = 1 << 40;

#[derive(Debug)]
pub(crate) struct MonotonicClock {
    wall_clock: Option<u64>,
    now: Instant,
}

impl MonotonicClock {
    pub(crate) fn new() -> Self {
        Self { wall_clock: None, now: Instant(ORIGIN) }
    }

    /// Advances to the time of the wall clock, in seconds since the Unix epoch.
    pub(crate) fn advance(&mut self, wall_clock: u64) -> Instant {
        let step = self.wall_clock.map_or(0, |last| wall_clock.saturating_sub(last)).min(MAX_STEP);
        self.wall_clock = Some(wall_clock);
        self.now = self.now.after(step);
        self.now
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Converts a time of the wall clock. A time in the future becomes now.
    pub(crate) fn instant_of(&self, time: u64) -> Instant {
        let age = self.wall_clock.map_or(0, |now| now.saturating_sub(time));
        Instant(self.now.0.saturating_sub(age))
    }
}

impl Instant {
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns the seconds since an earlier time, or 0 if `earlier` is later.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_is_ignored_and_a_step_ahead_is_not() {
        let mut clock = MonotonicClock::new();
        let start = clock.advance(1_000);
        assert_eq!(clock.advance(1_010).since(start), 10);
        assert_eq!(clock.advance(400).since(start), 10, "back by ten minutes");
        assert_eq!(clock.advance(405).since(start), 15, "and on from there");
    }

    #[test]
    fn after_the_largest_time_the_clock_goes_on() {
        let mut clock = MonotonicClock::new();
        let start = clock.advance(1_000);
        let end = clock.advance(u64::MAX);
        assert!(end.since(start) > u32::MAX.into(), "every lifetime is over");
        assert_eq!(clock.advance(1_010), end);
        assert_eq!(clock.advance(1_020).since(end), 10);
        for _ in 0..1_000 {
            clock.advance(u64::MAX);
            clock.advance(0);
        }
        let later = clock.now();
        assert!(later < later.after(u32::MAX.into()), "and a lifetime that begins then has an end");
    }

    #[test]
    fn a_time_in_the_future_is_now() {
        let mut clock = MonotonicClock::new();
        clock.advance(1_000);
        assert_eq!(clock.instant_of(u64::MAX), clock.now());
        assert_eq!(clock.now().since(clock.instant_of(400)), 600);
    }
}
