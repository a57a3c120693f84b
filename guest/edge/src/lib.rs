//! Decides whether a request is forwarded to an application: by the configured routes, policies and pools, from the head of the request.
//!
//! The configuration and the decisions are the same for every proxy and middleware. An adapter (`guest/proxy-wasm` and `guest/http`) reads the
//! head, fetches keys and applies the decision. Like the core, this crate does no I/O: the caller passes the time and the request's head.
//!
//! The steps for a request, in order. A request for the metadata of a protected resource (RFC 9728), if configured, is answered before them:
//!
//! 1. protected headers: headers with which a client could forge or suppress claims;
//! 2. routes: the rule that matches the path and the host in every reading of them, by [`poolgate_path`]. A request that no rule matches is denied;
//! 3. tokens: exactly one, in one of the configured locations;
//! 4. [`poolgate_core`]: the signature, the time claims, and the checks of the pool;
//! 5. policies: the groups, scopes and app clients that the route requires.
//!
//! The result is a [`Decision`].
#![forbid(unsafe_code)]

mod authorizer;
mod challenge_scopes;
mod claims;
#[cfg(feature = "command")]
pub mod component;
pub mod config;
mod decision;
pub mod discovery;
mod explanations;
mod head;
mod header_mutation;
mod jwks_upstreams;
pub mod keys;
mod local_jwks;
mod login;
mod names;
mod policies;
mod pool_keys;
mod protected_headers;
mod protected_resources;
mod rejection;
pub mod response;
mod routes;
mod token_location;
mod tokens;
mod verification;

pub use authorizer::RequestAuthorizer;
pub use claims::AdmittedClaims;
pub use config::{Config, ConfigError};
pub use decision::{Admitted, Decision, PausedRequest};
pub use head::RequestHead;
pub use header_mutation::HeaderMutation;
pub use jwks_upstreams::JwksUpstream;
pub use pool_keys::PoolKeys;
pub use protected_resources::StaticResponse;
pub use rejection::{Conflict, Rejection};
pub use response::{RejectionFormat, RejectionResponse};
