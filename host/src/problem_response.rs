//! HTTP error responses: problem details (RFC 9457) and challenges (RFC 6750). They reveal neither whether an account
//! exists nor why a token was rejected.

use crate::{
    Denial, ErrorCode,
    accounts::{AccountError, AccountErrorCode},
};
use axum::{
    http::{self, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    /// The problem type, as a relative URL of its description: `/problems/` and the reason.
    #[schema(example = "/problems/invalid-code")]
    r#type: String,
    /// The stable name of the problem.
    #[schema(example = "invalid-code")]
    reason: String,
    /// A short description of the problem.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The invalid input, and what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// An error response.
pub(crate) struct ProblemResponse {
    status: StatusCode,
    body: Box<ProblemBody>,
    retry_after: Option<Duration>,
    challenge: Option<HeaderValue>,
}

impl ProblemResponse {
    fn new(status: StatusCode, reason: &str, title: &str, detail: Option<String>) -> Self {
        let body = ProblemBody {
            r#type: format!("/problems/{reason}"),
            reason: reason.into(),
            title: title.into(),
            status: status.as_u16(),
            detail,
        };
        Self { status, body: Box::new(body), retry_after: None, challenge: None }
    }

    /// The response to a request that is rejected before any call to the verifier or to Cognito.
    pub(crate) fn request(status: StatusCode, detail: &str) -> Self {
        let name = AccountErrorCode::InvalidRequest;
        Self::new(status, name.name(), name.description(), Some(detail.into()))
    }

    /// The response if the proxy, Cognito or this service is not configured correctly.
    pub(crate) fn misconfigured(detail: &str) -> Self {
        let name = AccountErrorCode::Misconfigured;
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, name.name(), name.description(), Some(detail.into()))
    }

    /// The response to a client that has exceeded its rate limit.
    pub(crate) fn too_often(after: Duration) -> Self {
        let name = AccountErrorCode::TooManyRequests;
        let response = Self::new(StatusCode::TOO_MANY_REQUESTS, name.name(), name.description(), None);
        Self { retry_after: Some(after), ..response }
    }

    /// The response while something that the request needs is unavailable.
    pub(crate) fn unavailable(retry_after: Duration) -> Self {
        let name = AccountErrorCode::Unavailable;
        let response = Self::new(StatusCode::SERVICE_UNAVAILABLE, name.name(), name.description(), None);
        Self { retry_after: Some(retry_after), ..response }
    }

    /// The response to a request without a token (RFC 6750 section 3: the challenge then has no error code).
    pub(crate) fn no_token() -> Self {
        let response = Self::new(StatusCode::UNAUTHORIZED, "token-missing", "There is no access token.", None);
        Self { challenge: Some(HeaderValue::from_static("Bearer")), ..response }
    }

    /// The response to a request with more than one `Authorization` header (RFC 6750 section 3.1: `invalid_request`).
    #[cfg(feature = "tower")]
    pub(crate) fn several_tokens() -> Self {
        let response = Self::request(StatusCode::BAD_REQUEST, "there is more than one Authorization header");
        Self { challenge: Some(HeaderValue::from_static("Bearer error=\"invalid_request\"")), ..response }
    }

    /// The response to a token without a required group or scope. `scopes` are the required scopes.
    pub(crate) fn insufficient(scopes: &[String]) -> Self {
        let title = "The token lacks a required group or scope.";
        let response = Self::new(StatusCode::FORBIDDEN, "insufficient-scope", title, None);
        let scope = scopes.join(" ");
        // The attribute `scope` is omitted if it contains characters that RFC 6750 section 3 does not allow.
        let is_plain = scope.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\');
        let challenge = match is_plain && !scope.is_empty() {
            true => HeaderValue::try_from(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")).ok(),
            false => None,
        };
        let plain = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
        Self { challenge: Some(challenge.unwrap_or(plain)), ..response }
    }

    /// Returns the HTTP status.
    #[cfg(feature = "tower")]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns a description in one line.
    #[cfg(feature = "tower")]
    pub(crate) fn message(&self) -> &str {
        self.body.detail.as_deref().unwrap_or(&self.body.title)
    }

    /// Returns the HTTP response: problem details and the headers.
    pub(crate) fn into_http(self) -> http::Response<String> {
        // A struct of strings and a number can always be serialized.
        let mut response = http::Response::new(serde_json::to_string(&self.body).unwrap_or_default());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The next request may have a valid token, so the response must not be cached.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = self.retry_after {
            // `Retry-After` has whole seconds (RFC 9110 section 10.2.3), rounded up.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        response
    }
}

impl From<AccountError> for ProblemResponse {
    fn from(problem: AccountError) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let response = Self::new(status, problem.code.name(), problem.code.description(), problem.detail);
        let challenge = match problem.code {
            AccountErrorCode::TokenInvalid => Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
            // A response with 401 must have a challenge (RFC 9110 section 15.5.2).
            _ if status == StatusCode::UNAUTHORIZED => Some(HeaderValue::from_static("Bearer")),
            _ => None,
        };
        Self { retry_after: problem.retry_after, challenge, ..response }
    }
}

impl From<Denial> for ProblemResponse {
    /// Creates the response of RFC 6750 section 3.1. It does not contain the reason.
    fn from(denial: Denial) -> Self {
        let bearer = |text| Some(HeaderValue::from_static(text));
        match denial.error {
            ErrorCode::InvalidToken => {
                let name = AccountErrorCode::TokenInvalid;
                let response = Self::new(StatusCode::UNAUTHORIZED, name.name(), name.description(), None);
                Self { challenge: bearer("Bearer error=\"invalid_token\""), ..response }
            }
            ErrorCode::InsufficientScope => Self::insufficient(&[]),
            ErrorCode::Unavailable => Self::unavailable(Duration::from_secs(1)),
        }
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        self.into_http().into_response()
    }
}
