//! What stands in front of an application: from a request's head to a decision.
//!
//! The same configuration and the same decisions for every proxy and middleware; an adapter (`guest/proxy-wasm` and `guest/http` are two) reads headers,
//! fetches keys and carries the decision out. Sans-I/O like the core: the caller passes the time and the request's head.
//!
//! A request goes through these rooms: [`path`] (one spelling only) → routes (a path that no rule matches is denied) → tokens (in one
//! place only) → [`poolgate_core`] (signature, times, pool) → policies → [`Decision`].
#![forbid(unsafe_code)]

pub mod answer;
mod claims;
#[cfg(feature = "command")]
pub mod component;
pub mod config;
mod gate;
pub mod keys;
pub mod path;
mod policies;
mod routes;
mod tokens;

pub use answer::{Answer, Answers};
pub use config::{Config, ConfigFault};
pub use gate::{Admitted, Decision, Gate, Held, KeyServer, PoolKeys, Refusal, RequestHead};
pub use tokens::Removal;
