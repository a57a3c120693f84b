//! poolgate as a proxy-wasm filter (ABI 0.2.1): a thin adapter from a proxy's calls to [`poolgate_edge`].
//!
//! `entry` has the doors that a proxy enters by; `root` is configured, ticks, and fetches keys; `roots` has each plugin's; `streams` knows
//! which requests may go on; `request` reads a request's head, and `outcome` carries the decision out; `waiting` holds the requests whose
//! keys are being fetched;
//! `sharing` lets one worker's fetch serve all. No work here grows without a bound: a proxy never interrupts a filter.

mod entry;
mod filter;
mod head;
mod header_map;
mod metrics;
mod outcome;
mod request;
mod root;
mod roots;
mod sharing;
mod streams;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod waiting;
