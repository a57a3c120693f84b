//! Middleware for everything that is a [`tower`](https://docs.rs/tower) service: axum, tonic, hyper (feature `tower`, on unless
//! default features are off).
//!
//! [`AuthLayer`] verifies the bearer token of a request before the service sees it, and puts the [`Claims`] into the request's
//! extensions. [`RequireLayer`] asks for groups or scopes, a route or a service at a time. With the feature `axum`, [`Claims`] is an
//! extractor. In front of a gRPC server, [`AuthLayer::grpc`] makes the answers to gRPC calls gRPC statuses.
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
//!     if claims.is_some() { "welcome back" } else { "hello, whoever you are" }
//! }
//!
//! fn app(verifier: Verifier) -> Router {
//!     let admins = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
//!     let open = Router::new().route("/", get(greeting)).layer(AuthLayer::new(verifier.clone()).allow_anonymous());
//!     Router::new()
//!         .route("/me", get(me))
//!         .route("/admin", get(|| async { "the office" }).layer(admins))
//!         .layer(AuthLayer::new(verifier))
//!         .merge(open)
//! }
//! ```
//!
//! | request | answer (RFC 6750 section 3.1) | with `grpc()`, to a gRPC call |
//! |---|---|---|
//! | no token, or another scheme's credentials | 401, `Bearer` | `UNAUTHENTICATED` |
//! | two `Authorization` headers | 400, `invalid_request` | `INVALID_ARGUMENT` |
//! | a token that is refused | 401, `invalid_token` | `UNAUTHENTICATED` |
//! | a group or scope is missing | 403, `insufficient_scope` | `PERMISSION_DENIED` |
//! | no keys, overload, a trap, shutdown | 503, `Retry-After` | `UNAVAILABLE` |
//!
//! Every refusal is `Cache-Control: no-store` and problem details (RFC 9457), as the [gateway](crate::gateway)'s are. **Why** a token is
//! refused is for logs alone: the [`Denial`](crate::Denial) is in the response's extensions, where layers further out find it, and
//! never in what is sent.
//!
//! The token is judged before the service is asked whether it is ready: requests that are refused, or that wait for keys, take none of the
//! room that the service has (`ConcurrencyLimit` and its like count the requests that passed).
//!
//! **Long-lived connections.** A token is judged once, when the request comes. A WebSocket, a stream of server-sent events or a gRPC stream
//! that it opened goes on after the token's `exp`, and after a revocation. To bound it, end the stream at
//! [`Claims::expires_at`](crate::Verified::expires_at), and verify the token again from time to time where revocation counts.

mod answer;
mod auth;
mod claims;
#[cfg(feature = "axum")]
mod extract;
mod require;

pub use answer::ResponseBody;
pub use auth::{Auth, AuthLayer};
pub use claims::Claims;
pub use require::{Require, RequireLayer};
