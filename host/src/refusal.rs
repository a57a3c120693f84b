//! Refusals over HTTP: problems as RFC 9457 has them, challenges as RFC 6750 has them. None says anything of an account, nor why a
//! token is refused.

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
    /// Which problem, as a reference to its description here: `/problems/` and the reason.
    #[schema(example = "/problems/invalid-code")]
    r#type: String,
    /// The stable name.
    #[schema(example = "invalid-code")]
    reason: String,
    /// What it means.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Which input is wrong, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// A problem on its way out.
pub(crate) struct Refused {
    status: StatusCode,
    body: Box<ProblemBody>,
    retry_after: Option<Duration>,
    challenge: Option<HeaderValue>,
}

impl Refused {
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

    /// A request that is refused before anyone is asked.
    pub(crate) fn request(status: StatusCode, detail: &str) -> Self {
        let name = AccountErrorCode::InvalidRequest;
        Self::new(status, name.name(), name.description(), Some(detail.into()))
    }

    /// A service in front or behind is not set up as it must be.
    pub(crate) fn misconfigured(detail: &str) -> Self {
        let name = AccountErrorCode::Misconfigured;
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, name.name(), name.description(), Some(detail.into()))
    }

    /// A client that asks too often.
    pub(crate) fn too_often(after: Duration) -> Self {
        let name = AccountErrorCode::TooManyRequests;
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, name.name(), name.description(), None);
        Self { retry_after: Some(after), ..refused }
    }

    /// No token, or not one (RFC 6750 section 3: without any, nothing is said about it).
    pub(crate) fn no_token() -> Self {
        let refused = Self::new(StatusCode::UNAUTHORIZED, "token-missing", "There is no access token.", None);
        Self { challenge: Some(HeaderValue::from_static("Bearer")), ..refused }
    }

    /// More than one `Authorization` header, which is no way to send a token (RFC 6750 section 3.1: `invalid_request`).
    #[cfg(feature = "tower")]
    pub(crate) fn several_tokens() -> Self {
        let refused = Self::request(StatusCode::BAD_REQUEST, "there is more than one Authorization header");
        Self { challenge: Some(HeaderValue::from_static("Bearer error=\"invalid_request\"")), ..refused }
    }

    /// A token without a group or scope that is asked for; `scopes` are those that would have helped.
    pub(crate) fn insufficient(scopes: &[String]) -> Self {
        let title = "The token lacks a group or scope that is asked for.";
        let refused = Self::new(StatusCode::FORBIDDEN, "insufficient-scope", title, None);
        let scope = scopes.join(" ");
        // The scope attribute has its characters from RFC 6750 section 3: what has others is left out.
        let is_plain = scope.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\');
        let challenge = match is_plain && !scope.is_empty() {
            true => HeaderValue::try_from(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")).ok(),
            false => None,
        };
        let plain = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
        Self { challenge: Some(challenge.unwrap_or(plain)), ..refused }
    }

    /// The HTTP status.
    #[cfg(feature = "tower")]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What it means, in a line.
    #[cfg(feature = "tower")]
    pub(crate) fn message(&self) -> &str {
        self.body.detail.as_deref().unwrap_or(&self.body.title)
    }

    /// Problem details, and the headers that go with them.
    pub(crate) fn into_http(self) -> http::Response<String> {
        // A struct of texts and a number is always JSON.
        let mut response = http::Response::new(serde_json::to_string(&self.body).unwrap_or_default());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The next token may be a better one.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = self.retry_after {
            // Whole seconds (RFC 9110 section 10.2.3), and never too early.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        response
    }
}

impl From<AccountError> for Refused {
    fn from(problem: AccountError) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let refused = Self::new(status, problem.code.name(), problem.code.description(), problem.detail);
        let challenge = match problem.code {
            AccountErrorCode::TokenInvalid => Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
            // A 401 has a challenge (RFC 9110 section 15.5.2).
            _ if status == StatusCode::UNAUTHORIZED => Some(HeaderValue::from_static("Bearer")),
            _ => None,
        };
        Self { retry_after: problem.retry_after, challenge, ..refused }
    }
}

impl From<Denial> for Refused {
    /// RFC 6750 section 3.1. The reason stays in the logs.
    fn from(denial: Denial) -> Self {
        let bearer = |text| Some(HeaderValue::from_static(text));
        match denial.error {
            ErrorCode::InvalidToken => {
                let name = AccountErrorCode::TokenInvalid;
                let refused = Self::new(StatusCode::UNAUTHORIZED, name.name(), name.description(), None);
                Self { challenge: bearer("Bearer error=\"invalid_token\""), ..refused }
            }
            ErrorCode::InsufficientScope => Self::insufficient(&[]),
            ErrorCode::Unavailable => {
                let name = AccountErrorCode::Unavailable;
                let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, name.name(), name.description(), None);
                Self { retry_after: Some(Duration::from_secs(1)), ..refused }
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.into_http().into_response()
    }
}
