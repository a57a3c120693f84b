//! How often the proxy calls `on_tick`.

use std::time::Duration;

/// The period while requests wait for keys or a fetch is in progress.
pub const BUSY_TICK: Duration = Duration::from_millis(5);
/// The period otherwise: a key set that another worker fetched is applied here at most this much later.
pub const IDLE_TICK: Duration = Duration::from_millis(250);
