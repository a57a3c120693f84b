//! What stands in front of an application: from a request's head to a decision.
//!
//! The same configuration and the same decisions for every proxy and middleware; an adapter (`guest/proxy-wasm` and `guest/http` are two) reads headers,
//! fetches keys and carries the decision out. Sans-I/O like the core: the caller passes the time and the request's head.
//!
//! The stages of a request, in order: protected_headers (headers that would change what the application sees) → routes (the rule that all readings of
//! the path choose, by [`poolgate_path`]; a path that no rule matches is denied) → tokens (in one place only) → [`poolgate_core`] (signature,
//! times, pool) → policies → [`Decision`].
#![forbid(unsafe_code)]

mod authorizer;
mod claims;
#[cfg(feature = "command")]
pub mod component;
pub mod config;
mod decision;
mod head;
mod jwks_upstreams;
pub mod keys;
mod local_jwks;
mod policies;
mod protected_headers;
pub mod response;
mod routes;
mod tokens;

pub use authorizer::{PoolKeys, RequestAuthorizer};
pub use config::{Config, ConfigFault};
pub use decision::{Admitted, Conflict, Decision, PausedRequest, Rejection};
pub use head::RequestHead;
pub use jwks_upstreams::JwksUpstream;
pub use response::{RejectionFormat, RejectionResponse};
pub use tokens::HeaderMutation;
