//! What stands in front of an application: from a request's head to a decision.
//!
//! The same configuration and the same decisions for every proxy and middleware; an adapter (`guest/proxy-wasm` and `guest/http` are two) reads headers,
//! fetches keys and carries the decision out. Sans-I/O like the core: the caller passes the time and the request's head.
//!
//! The stages of a request, in order: hygiene (headers that would change what the application sees) → routes (the rule that all readings of
//! the path choose, by [`poolgate_path`]; a path that no rule matches is denied) → tokens (in one place only) → [`poolgate_core`] (signature,
//! times, pool) → policies → [`Decision`].
#![forbid(unsafe_code)]

pub mod answer;
mod claims;
#[cfg(feature = "command")]
pub mod component;
pub mod config;
mod decision;
mod gate;
mod head;
mod hygiene;
mod key_servers;
pub mod keys;
mod policies;
mod routes;
mod stated_keys;
mod tokens;

pub use answer::{Answer, Answers};
pub use config::{Config, ConfigFault};
pub use decision::{Admitted, Conflict, Decision, Held, Refusal};
pub use gate::{Gate, PoolKeys};
pub use head::RequestHead;
pub use key_servers::KeyServer;
pub use tokens::Removal;
