//! The host's clocks: one for what tokens say, one for waiting.

use crate::bindings::wasi::clocks::{monotonic_clock, system_clock};
use std::time::Duration;

/// Whole seconds since the Unix epoch; 0 before it, when every token is from the future.
pub fn seconds() -> u64 {
    u64::try_from(system_clock::now().seconds).unwrap_or(0)
}

/// Something that no two instances have alike.
pub fn seed() -> u64 {
    monotonic_clock::now() ^ u64::from(system_clock::now().nanoseconds).rotate_left(32)
}

pub async fn sleep(duration: Duration) {
    monotonic_clock::wait_for(nanoseconds(duration)).await;
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
