//! The one clock that the sandbox sees.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A wall clock. Expiry is decided with it and nothing else.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A clock set before 1970 reads as 1970: tokens are then "issued in the future", never valid by accident.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// A clock that stands still: to judge a token as of some moment.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(Duration);

impl FixedClock {
    /// Stands at so many seconds since the Unix epoch.
    pub fn at(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Duration {
        self.0
    }
}
