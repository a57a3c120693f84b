//! The wall clock that the sandbox imports.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A wall clock. The verifier checks `exp`, `nbf` and `iat`, and measures the age of key sets, with this clock only.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the time since the Unix epoch (1970-01-01T00:00:00Z).
    fn now(&self) -> Duration;
}

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A system clock before 1970 reads as 1970. Tokens are then rejected as issued in the future.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// A clock that always returns the same time. Use it in tests, or to verify a token as of a given time.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(Duration);

impl FixedClock {
    /// Creates a clock that returns `seconds` since the Unix epoch.
    pub fn at(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Duration {
        self.0
    }
}
