//! The response to a rejected request (RFC 6750 section 3, RFC 9457).

use crate::{
    config::{BodyStyle, RejectionStyle},
    head::RequestHead,
    rejection::Rejection,
};
use serde_json::json;

/// The configured format of responses to rejected requests. The default is `application/problem+json` without the reason code.
#[derive(Clone, Debug, Default)]
pub struct RejectionFormat(RejectionStyle);

/// The response to a rejected request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectionResponse {
    /// The HTTP status: that of the rejection, or 302 if a browser is redirected to a login page.
    pub status: u16,
    /// The headers, without `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body, which may be empty.
    pub body: String,
    /// The value of `grpc-message`, if the response is sent in gRPC.
    pub grpc_message: String,
}

/// Returns whether a media type is that of gRPC (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Content-Type").
fn is_grpc(content_type: &str) -> bool {
    let rest = content_type.strip_prefix("application/grpc");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// Returns the gRPC status for an HTTP status: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED or UNAVAILABLE. Except for 400, it follows
/// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>.
pub fn grpc_status(http_status: u16) -> u32 {
    match http_status {
        400 => 3,
        401 => 16,
        403 => 7,
        _ => 14,
    }
}

impl RejectionResponse {
    /// Returns a redirect (RFC 9110 section 15.4.3).
    pub(crate) fn redirect(location: String) -> Self {
        let headers = vec![("cache-control", "no-store".to_owned()), ("location", location)];
        Self { status: 302, headers, body: String::new(), grpc_message: String::new() }
    }
}

impl RejectionFormat {
    /// Creates a format from its configuration.
    pub fn new(style: &RejectionStyle) -> Self {
        Self(style.clone())
    }

    /// Returns the response to a rejected request. It contains the status and, if `include_reason` is set, the reason code. It never contains
    /// anything of the token.
    pub fn response(&self, rejection: Rejection) -> RejectionResponse {
        self.response_with(rejection, &[])
    }

    /// Returns the response to a rejected request. `parameters` are added to `WWW-Authenticate`, if the response has it. Their values must not
    /// contain quotes, backslashes or control characters.
    pub(crate) fn response_with(&self, rejection: Rejection, parameters: &[(&str, &str)]) -> RejectionResponse {
        let status = rejection.status();
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            _ => "Service Unavailable",
        };
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if let Some(challenge) = self.challenge(rejection, parameters) {
            headers.push(("www-authenticate", challenge));
            if self.0.expose_challenge {
                headers.push(("access-control-allow-origin", "*".to_owned()));
                headers.push(("access-control-expose-headers", "www-authenticate".to_owned()));
            }
        }
        if status == 503 {
            headers.push(("retry-after", "1".to_owned()));
        }
        let body = match self.0.body {
            BodyStyle::Empty => String::new(),
            BodyStyle::ProblemJson => {
                headers.push(("content-type", "application/problem+json".to_owned()));
                match self.0.include_reason {
                    true => json!({"title": title, "status": status, "reason": rejection.name()}).to_string(),
                    false => json!({"title": title, "status": status}).to_string(),
                }
            }
        };
        let grpc_message = if self.0.include_reason { rejection.name() } else { title };
        RejectionResponse { status, headers, body, grpc_message: grpc_message.to_owned() }
    }

    /// Returns whether the response to this request must be a gRPC response with HTTP status 200: `grpc` is set and the request is a `POST`
    /// with the media type of gRPC. A caller that knows the HTTP version must not send it over HTTP/1, which does not support gRPC.
    pub fn is_grpc_for(&self, request: &impl RequestHead) -> bool {
        self.0.grpc
            && request.method() == "POST"
            && request.header("content-type").ok().flatten().is_some_and(|value| is_grpc(&value))
    }

    /// Returns the value of `WWW-Authenticate`, if a different token could change the result.
    fn challenge(&self, rejection: Rejection, parameters: &[(&str, &str)]) -> Option<String> {
        let error = match (rejection, rejection.status()) {
            (Rejection::NoToken, _) => None,
            (Rejection::SeveralTokens, _) => Some("invalid_request"),
            (Rejection::Token(_), 401) => Some("invalid_token"),
            (Rejection::Token(_), 403) => Some("insufficient_scope"),
            _ => return None,
        };
        let realm = self.0.realm.as_deref().map(|realm| ("realm", realm));
        let error = error.map(|error| ("error", error));
        let mut challenge = "Bearer".to_owned();
        let mut separator = " ";
        for (name, value) in realm.into_iter().chain(error).chain(parameters.iter().copied()) {
            for part in [separator, name, "=\"", value, "\""] {
                challenge.push_str(part);
            }
            separator = ", ";
        }
        Some(challenge)
    }
}
