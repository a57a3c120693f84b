//! The account flows and the verification of tokens over HTTP, for teams that do not write Rust.
//!
//! A request passes these modules in order: `limits` (rate limit) → `flows` (JSON in, [`Accounts`](crate::accounts::Accounts), JSON out)
//! or `verify` (a reverse proxy asks whether a request may pass). Health checks and metrics are in `operations`, and the
//! revocations for other processes in `revocation_feed`. Metrics that reveal
//! whether an account exists are served on the operator's address only.

mod bodies;
mod check_paths;
mod claim_headers;
mod client_address;
mod cookies;
mod cors;
mod discovery_faults;
mod exchanges;
mod ext_authz;
mod extract;
mod flows;
mod forged_headers;
mod gated;
mod grpc;
mod grpc_health;
mod limits;
mod metadata;
mod once_a_minute;
mod openapi;
mod operations;
mod original;
mod preflight;
mod problem;
mod revocation_feed;
mod route_rules;
mod route_table;
mod service;
mod serving;
mod state;
mod verifiers;
mod verify;

pub use cookies::{CookieError, RefreshCookie, SameSite};
pub use cors::OriginError;
pub use limits::RateLimit;
pub use route_rules::{RouteError, RouteRules};
pub use service::Gateway;
pub use serving::Deadlines;
pub use verifiers::VerifierError;
