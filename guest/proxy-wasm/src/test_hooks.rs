//! Only in the build for tests: request headers that make the filter fail or set its clock.

use crate::head::ProxyRequestHead;
use poolgate_edge::RequestHead;
use std::{cell::Cell, hint::black_box, time::Duration};

thread_local! {
    /// The number of seconds by which the clock was set forward (or back, if negative).
    static SHIFT: Cell<i64> = const { Cell::new(0) };
}

/// Returns the time of the shifted clock.
pub fn shifted(now: Duration) -> Duration {
    Duration::new(now.as_secs().saturating_add_signed(SHIFT.get()), now.subsec_nanos())
}

/// Applies the hooks of a request. `x-poolgate-test-fault`: `trap` or `memory`. `x-poolgate-test-now`: sets the clock, in seconds since the
/// Unix epoch.
pub fn apply(head: &ProxyRequestHead, now: Duration) -> Duration {
    let header = |name| head.header(name).ok().flatten();
    match header("x-poolgate-test-fault").as_deref() {
        Some("trap") => panic!("requested by a test"),
        Some("memory") => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1u8; 64 << 20]);
                black_box(&all);
            }
        }
        _ => (),
    }
    let Some(set) = header("x-poolgate-test-now").and_then(|now| now.parse::<u64>().ok()) else { return now };
    let shift = i128::from(set) - i128::from(now.as_secs()) + i128::from(SHIFT.get());
    SHIFT.set(i64::try_from(shift).unwrap_or_default());
    Duration::new(set, now.subsec_nanos())
}
