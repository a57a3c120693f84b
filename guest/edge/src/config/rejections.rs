//! The format of the responses to rejected requests.

use super::{login::Login, not_null::not_null};
use serde::Deserialize;

/// The format of the responses to rejected requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RejectionStyle {
    /// The body.
    #[serde(default)]
    pub body: BodyStyle,
    /// Whether the response contains the reason code. The default is `false`, because a reason code also helps an attacker.
    #[serde(default)]
    pub include_reason: bool,
    /// The `realm` of `WWW-Authenticate` (RFC 9110 section 11.5). By default there is none.
    pub realm: Option<String>,
    /// Whether the response to a rejected gRPC call (a `POST` whose `Content-Type` is `application/grpc`) is a gRPC response: HTTP status 200 with
    /// `grpc-status` and `grpc-message`. Enable it only if no component in front of the filter treats HTTP status 200 as success. By
    /// default the response has an HTTP error status, which every gRPC client understands; Envoy converts it to gRPC itself.
    #[serde(default)]
    pub grpc: bool,
    /// The login page that browsers are redirected to instead of getting 401. By default there is none.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Login"))]
    pub login: Option<Login>,
    /// Whether scripts of any origin may read `WWW-Authenticate` (Fetch standard, "CORS protocol"). It adds `access-control-allow-origin: *` and
    /// `access-control-expose-headers: www-authenticate` to the responses that have it. Enable it for clients in browsers.
    #[serde(default)]
    pub expose_challenge: bool,
}

/// The body of the response to a rejected request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BodyStyle {
    /// `application/problem+json` (RFC 9457).
    #[default]
    ProblemJson,
    /// No body.
    Empty,
}
