//! Problems as RFC 9457 has them. No problem says anything of an account.

use crate::{
    Answer, Denial,
    accounts::{Problem, ProblemName},
};
use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
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
        let name = ProblemName::InvalidRequest;
        Self::new(status, name.name(), name.description(), Some(detail.into()))
    }

    /// A client that asks too often.
    pub(crate) fn too_often(after: Duration) -> Self {
        let name = ProblemName::TooManyRequests;
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, name.name(), name.description(), None);
        Self { retry_after: Some(after), ..refused }
    }

    /// No token, or not one (RFC 6750 section 3: without any, nothing is said about it).
    pub(crate) fn no_token() -> Self {
        let refused = Self::new(StatusCode::UNAUTHORIZED, "token-missing", "There is no access token.", None);
        Self { challenge: Some(HeaderValue::from_static("Bearer")), ..refused }
    }

    /// A token without a group or scope that is asked for.
    pub(crate) fn insufficient(challenge: HeaderValue) -> Self {
        let title = "The token lacks a group or scope that is asked for.";
        let refused = Self::new(StatusCode::FORBIDDEN, "insufficient-scope", title, None);
        Self { challenge: Some(challenge), ..refused }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let refused = Self::new(status, problem.name.name(), problem.name.description(), problem.detail);
        let challenge = match problem.name {
            ProblemName::TokenInvalid => Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
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
        match denial.answer {
            Answer::InvalidToken => {
                let name = ProblemName::TokenInvalid;
                let refused = Self::new(StatusCode::UNAUTHORIZED, name.name(), name.description(), None);
                Self { challenge: bearer("Bearer error=\"invalid_token\""), ..refused }
            }
            Answer::InsufficientScope => {
                Self::insufficient(HeaderValue::from_static("Bearer error=\"insufficient_scope\""))
            }
            Answer::Unavailable => {
                let name = ProblemName::Unavailable;
                let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, name.name(), name.description(), None);
                Self { retry_after: Some(Duration::from_secs(1)), ..refused }
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
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

pub(crate) async fn not_found() -> Refused {
    Refused::request(StatusCode::NOT_FOUND, "there is nothing here: see /openapi.json")
}

pub(crate) async fn method_not_allowed() -> Refused {
    Refused::request(StatusCode::METHOD_NOT_ALLOWED, "the method is not one of this path's: see /openapi.json")
}

/// No cache keeps an answer, for it may hold tokens (RFC 6749 section 5.1).
pub(crate) async fn never_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
