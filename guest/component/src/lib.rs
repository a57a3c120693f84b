//! The WebAssembly component: converts between the WIT contract and `poolgate-core`. All decisions are in the core.
//!
//! It is built for `wasm32-unknown-unknown`, so that it has no imports except those of its world.
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
mod claim_rules;
mod configuration;
mod explanation;
#[cfg(feature = "gate")]
mod gate;
mod jws;
#[cfg(feature = "gate")]
mod request_head;
mod state;
mod translation;
#[cfg(feature = "accounts")]
mod user_pool;
mod verifier;

/// Implements the exported interfaces, each in the module with its name.
struct Component;

/// Overwrites freed memory with zeros, so that no passwords, codes and tokens remain in the memory of the instance.
#[cfg(feature = "accounts")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);
