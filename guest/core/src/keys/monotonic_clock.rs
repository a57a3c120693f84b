//! Time that only goes forward, made from a wall clock that may not.
//!
//! A wall clock that steps back would make keys younger than they are, and stop what waits for a moment. So ages and
//! deadlines are kept on a line of their own, which advances by the clock's steps forward and ignores its steps back. A
//! clock that jumps ahead ages the keys by the jump: they are fetched anew, never trusted for longer.

/// A moment on the line, in seconds from an origin that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

/// The longest step that counts: longer than every lifetime and every wait, which are of 32 bits. A clock that showed the end of time for a
/// moment must not leave the line standing there for ever.
const LONGEST_STEP: u64 = 1 << 33;

/// Far enough from zero that every age fits before it.
const ORIGIN: u64 = 1 << 40;

#[derive(Debug)]
pub(crate) struct MonotonicClock {
    clock: Option<u64>,
    now: Instant,
}

impl MonotonicClock {
    pub(crate) fn new() -> Self {
        Self { clock: None, now: Instant(ORIGIN) }
    }

    /// Moves to what the wall clock says, in seconds since the Unix epoch.
    pub(crate) fn advance(&mut self, clock: u64) -> Instant {
        let step = self.clock.map_or(0, |last| clock.saturating_sub(last)).min(LONGEST_STEP);
        self.clock = Some(clock);
        self.now = self.now.after(step);
        self.now
    }

    /// The moment that it is.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// The moment of a time that the wall clock showed. What lies in its future is taken for now.
    pub(crate) fn instant_of(&self, time: u64) -> Instant {
        let age = self.clock.map_or(0, |clock| clock.saturating_sub(time));
        Instant(self.now.0.saturating_sub(age))
    }
}

impl Instant {
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds since an earlier moment; 0 if it is later.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_is_ignored_and_a_step_ahead_is_not() {
        let mut line = MonotonicClock::new();
        let start = line.advance(1_000);
        assert_eq!(line.advance(1_010).since(start), 10);
        assert_eq!(line.advance(400).since(start), 10, "back by ten minutes");
        assert_eq!(line.advance(405).since(start), 15, "and on from there");
    }

    #[test]
    fn after_a_moment_at_the_end_of_time_the_line_goes_on() {
        let mut line = MonotonicClock::new();
        let start = line.advance(1_000);
        let end = line.advance(u64::MAX);
        assert!(end.since(start) > u32::MAX.into(), "every lifetime is over");
        assert_eq!(line.advance(1_010), end);
        assert_eq!(line.advance(1_020).since(end), 10);
        for _ in 0..1_000 {
            line.advance(u64::MAX);
            line.advance(0);
        }
        let later = line.now();
        assert!(later < later.after(u32::MAX.into()), "and what begins then has a lifetime");
    }

    #[test]
    fn a_time_in_the_future_is_now() {
        let mut line = MonotonicClock::new();
        line.advance(1_000);
        assert_eq!(line.instant_of(u64::MAX), line.now());
        assert_eq!(line.now().since(line.instant_of(400)), 600);
    }
}
