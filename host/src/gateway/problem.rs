//! Responses for unknown paths and methods, and the cache control of all responses.

use crate::problem_response::ProblemResponse;
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

pub(crate) async fn not_found() -> ProblemResponse {
    ProblemResponse::request(StatusCode::NOT_FOUND, "no such path; see /openapi.json")
}

pub(crate) async fn method_not_allowed() -> ProblemResponse {
    ProblemResponse::request(StatusCode::METHOD_NOT_ALLOWED, "this path does not support the method; see /openapi.json")
}

/// Forbids caching of all responses, because they may contain tokens (RFC 6749 section 5.1).
pub(crate) async fn never_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
