//! Time that only goes forward, made from a wall clock that may not.
//!
//! A wall clock that steps back would make keys younger than they are, and stop what waits for a moment. So ages and
//! deadlines are kept on a line of their own, which advances by the clock's steps forward and ignores its steps back. A
//! clock that jumps ahead ages the keys by the jump: they are fetched anew, never trusted for longer.

/// A moment on the line, in seconds from an origin that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// Far enough from zero that every age fits before it.
const ORIGIN: u64 = 1 << 40;

#[derive(Debug)]
pub(crate) struct Timeline {
    clock: Option<u64>,
    now: Moment,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self { clock: None, now: Moment(ORIGIN) }
    }

    /// Moves to what the wall clock says, in seconds since the Unix epoch.
    pub(crate) fn advance(&mut self, clock: u64) -> Moment {
        let step = self.clock.map_or(0, |last| clock.saturating_sub(last));
        self.clock = Some(clock);
        self.now = self.now.after(step);
        self.now
    }

    /// The moment that it is.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// The moment of a time that the wall clock showed. What lies in its future is taken for now.
    pub(crate) fn moment_of(&self, time: u64) -> Moment {
        let age = self.clock.map_or(0, |clock| clock.saturating_sub(time));
        Moment(self.now.0.saturating_sub(age))
    }
}

impl Moment {
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
        let mut line = Timeline::new();
        let start = line.advance(1_000);
        assert_eq!(line.advance(1_010).since(start), 10);
        assert_eq!(line.advance(400).since(start), 10, "back by ten minutes");
        assert_eq!(line.advance(405).since(start), 15, "and on from there");
        assert_eq!(line.advance(u64::MAX).since(start), u64::MAX - ORIGIN, "the end of time, not a wrap");
    }

    #[test]
    fn a_time_in_the_future_is_now() {
        let mut line = Timeline::new();
        line.advance(1_000);
        assert_eq!(line.moment_of(u64::MAX), line.now());
        assert_eq!(line.now().since(line.moment_of(400)), 600);
    }
}
