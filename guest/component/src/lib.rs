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

#[cfg(feature = "accounts")]
mod accounts;
mod bindings;
mod configuration;
mod jws;
mod translation;
#[cfg(feature = "accounts")]
mod user_pool;
mod verifier;

/// What the component exports; each interface is implemented in the module of its name.
struct Component;

/// Passwords, codes and tokens leave nothing behind in the instance's memory, whoever freed them.
#[cfg(feature = "accounts")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);
