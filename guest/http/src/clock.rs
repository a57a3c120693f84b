//! The host's clocks: the system clock for the time claims of tokens, the monotonic clock for timeouts.

use crate::bindings::wasi::clocks::{monotonic_clock, system_clock};
use std::time::Duration;

/// Returns the number of seconds since the Unix epoch. Before the epoch, returns 0, so that no token is valid yet.
pub fn seconds() -> u64 {
    u64::try_from(system_clock::now().seconds).unwrap_or(0)
}

/// Returns a number that differs between instances.
pub fn seed() -> u64 {
    monotonic_clock::now() ^ u64::from(system_clock::now().nanoseconds).rotate_left(32)
}

/// Waits for a duration.
pub async fn sleep(duration: Duration) {
    monotonic_clock::wait_for(nanoseconds(duration)).await;
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
