//! The poolgate filter for Envoy and other proxies (proxy-wasm ABI 0.2.1): an adapter between the proxy's callbacks and [`poolgate_edge`].
//!
//! - `entry`: the exported callbacks. `root`: configuration, ticks and key fetches of one plugin. `roots`: the table of all plugins in this VM.
//! - `request`: reads a request's head and decides. `outcome`: applies the decision to the stream. `resume`: decides about paused requests.
//! - `filter`: the state that one plugin's requests share. `waiting`: requests that wait for keys. `sharing`: key sets shared between workers.
//! - `streams`: which requests may continue to the application.
//!
//! All work is bounded, because a proxy cannot interrupt a filter.

mod clock;
mod entry;
mod filter;
mod head;
mod header_map;
mod metrics;
mod outcome;
mod request;
mod resume;
mod root;
mod roots;
mod sharing;
mod streams;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod tick_period;
mod waiting;
