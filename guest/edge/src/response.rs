//! How a refusal looks to the caller: RFC 6750 section 3, RFC 9457.

use crate::{
    config::{BodyStyle, RejectionStyle},
    decision::Rejection,
    head::RequestHead,
};
use serde_json::json;

/// The style of all refusals.
#[derive(Clone, Debug, Default)]
pub struct RejectionFormat(RejectionStyle);

/// A refusal, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectionResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers, but for Content-Length.
    pub headers: Vec<(&'static str, String)>,
    /// The body; it may be empty.
    pub body: String,
    /// What a gRPC request is told.
    pub grpc_message: String,
}

/// Whether a media type is gRPC's (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Content-Type").
fn is_grpc(content_type: &str) -> bool {
    let rest = content_type.strip_prefix("application/grpc");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// The gRPC status of a refusal with this HTTP status: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED or UNAVAILABLE. As in
/// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>, but for 400.
pub fn grpc_status(http_status: u16) -> u32 {
    match http_status {
        400 => 3,
        401 => 16,
        403 => 7,
        _ => 14,
    }
}

impl RejectionFormat {
    /// In this style.
    pub fn new(style: &RejectionStyle) -> Self {
        Self(style.clone())
    }

    /// A refusal in this style. The caller is told the kind and, if the operator wishes, the reason's name; never anything of the token.
    pub fn response(&self, rejection: Rejection) -> RejectionResponse {
        let status = rejection.status();
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            _ => "Service Unavailable",
        };
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if let Some(challenge) = self.challenge(rejection) {
            headers.push(("www-authenticate", challenge));
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

    /// Whether a refusal of this request is answered in gRPC, with the HTTP status 200: only if the operator wants that, and only for a
    /// POST. An adapter that knows the version of HTTP must not do it for HTTP/1, which has no gRPC.
    pub fn is_grpc_for(&self, request: &impl RequestHead) -> bool {
        self.0.grpc
            && request.method() == "POST"
            && request.header("content-type").ok().flatten().is_some_and(|value| is_grpc(&value))
    }

    /// `WWW-Authenticate`, where a token could have helped.
    fn challenge(&self, rejection: Rejection) -> Option<String> {
        let error = match (rejection, rejection.status()) {
            (Rejection::NoToken, _) => None,
            (Rejection::SeveralTokens, _) => Some("invalid_request"),
            (Rejection::Token(_), 401) => Some("invalid_token"),
            (Rejection::Token(_), 403) => Some("insufficient_scope"),
            _ => return None,
        };
        let realm = self.0.realm.as_ref().map(|realm| format!("realm=\"{realm}\""));
        let error = error.map(|error| format!("error=\"{error}\""));
        let parameters: Vec<String> = realm.into_iter().chain(error).collect();
        Some(format!("Bearer {}", parameters.join(", ")).trim_end().to_owned())
    }
}
