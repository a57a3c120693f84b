//! The WASI component: a thin adapter from the WIT contract to `poolgate-core`. It decides nothing.
//!
//! Built for `wasm32-unknown-unknown`, so that it imports what its world names and nothing else.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod bindings;
mod configuration;
mod jws;
mod translation;
mod verifier;

/// What the component exports; each interface is implemented in the module of its name.
struct Component;
