//! Layers that protect [`tower`](https://docs.rs/tower) services, such as those of axum, tonic and hyper. They need the
//! feature `tower`, which is enabled by default.
//!
//! [`AuthLayer`] verifies the bearer token of each request before the service is called, and adds the [`Claims`] to the
//! request's extensions. [`RequireLayer`] requires groups or scopes for one route or service. With the feature `axum`,
//! [`Claims`] is an extractor. [`GateLayer`] decides about whole requests by one configuration instead. For gRPC servers, [`AuthLayer::grpc`] returns gRPC statuses.
//!
//! ```
//! use axum::{Router, routing::get};
//! use poolgate::{Requirement, Verifier, tower::{AuthLayer, Claims, RequireLayer}};
//!
//! async fn me(claims: Claims) -> String {
//!     claims.username.clone().unwrap_or_default()
//! }
//!
//! async fn greeting(claims: Option<Claims>) -> &'static str {
//!     if claims.is_some() { "welcome back" } else { "hello" }
//! }
//!
//! fn app(verifier: Verifier) -> Router {
//!     let admins = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
//!     let open = Router::new().route("/", get(greeting)).layer(AuthLayer::new(verifier.clone()).allow_anonymous());
//!     Router::new()
//!         .route("/me", get(me))
//!         .route("/admin", get(|| async { "administration" }).layer(admins))
//!         .layer(AuthLayer::new(verifier))
//!         .merge(open)
//! }
//! ```
//!
//! Requests that are not passed to the service get these responses:
//!
//! | request | HTTP response (RFC 6750 section 3.1) | response to a gRPC call with [`grpc`](AuthLayer::grpc) |
//! |---|---|---|
//! | no token, or credentials of another scheme | 401, `Bearer` | `UNAUTHENTICATED` |
//! | more than one `Authorization` header | 400, `invalid_request` | `INVALID_ARGUMENT` |
//! | the token is invalid | 401, `invalid_token` | `UNAUTHENTICATED` |
//! | a group or scope is missing | 403, `insufficient_scope` | `PERMISSION_DENIED` |
//! | keys unavailable, overload, sandbox failure, or shutdown | 503, `Retry-After` | `UNAVAILABLE` |
//!
//! HTTP error responses contain problem details (RFC 9457), in the same format as those of the [gateway](crate::gateway), and
//! `Cache-Control: no-store`. The reason for a rejection is never sent to the client. The layer adds the [`Denial`](crate::Denial) to the
//! extensions of the response, where outer layers can log it.
//!
//! The layers verify the token before they poll the inner service for readiness. Requests that are rejected, or that wait for keys,
//! therefore do not use the capacity of layers such as `ConcurrencyLimit`.
//!
//! **Long-lived connections.** A token is verified once, at the start of a request. A WebSocket, a stream of
//! server-sent events or a gRPC stream stays open after the token has expired or has been revoked. To limit this, close
//! the stream at [`Claims::expires_at`](crate::Verified::expires_at), and verify the token again at intervals if
//! revocation matters.

mod admitted;
mod auth;
mod claims;
mod error_format;
#[cfg(feature = "axum")]
mod extract;
mod gate;
mod require;

pub use auth::{Auth, AuthLayer};
pub use claims::Claims;
pub use error_format::ResponseBody;
pub use gate::{GateLayer, Gated};
pub use require::{Require, RequireLayer};
