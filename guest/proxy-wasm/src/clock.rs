//! The proxy's clock.

#[cfg(feature = "test-hooks")]
use crate::test_hooks;
use poolgate_core::LogicalTime;
use proxy_wasm::{hostcalls, types::Status};
use std::time::{Duration, UNIX_EPOCH};

/// Returns the time since the Unix epoch.
pub fn now() -> Result<Duration, Status> {
    let now = hostcalls::get_current_time()?.duration_since(UNIX_EPOCH).map_err(|_| Status::InternalFailure)?;
    #[cfg(feature = "test-hooks")]
    let now = test_hooks::shifted(now);
    Ok(now)
}

/// Converts a time to the logical time that orders requests and fetches, also those of other workers: nanoseconds of the proxy's clock.
pub fn logical_time(now: Duration) -> LogicalTime {
    LogicalTime(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
