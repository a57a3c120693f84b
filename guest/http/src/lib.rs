//! The `wasi:http` middleware (WASI 0.3): an adapter between `wasi:http/handler` and `poolgate-edge`, which makes all decisions.
//!
//! `handler` receives a request and asks `authorizer` for a decision. A request whose keys are missing waits in `waiting` while `fetching`
//! fetches them with `http_client`, and with `discovering` if their URL is in a discovery document. `forward` then passes the request to the
//! next handler, or `rejecting` responds to it. One instance handles requests concurrently, and they share its keys.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod authorizer;
mod bindings;
mod clock;
mod discovering;
mod export;
mod fetching;
mod forward;
mod handler;
mod head;
mod http_client;
mod log;
mod pending;
mod rejecting;
mod waiting;
