//! [`Claims`] as an axum extractor.

use super::{claims::Claims, error_format::ErrorFormat};
use crate::problem_response::ProblemResponse;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use std::convert::Infallible;

impl<S: Send + Sync> FromRequestParts<S> for Claims {
    /// 401: the response of [`AuthLayer`](super::AuthLayer) to a request without a token.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let format = ErrorFormat::of(&parts.extensions).unwrap_or(ErrorFormat::Http);
        claims_of(parts).ok_or_else(|| format.response(ProblemResponse::no_token(), None).into_response())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Claims {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(claims_of(parts))
    }
}

/// Returns the claims of the request. Logs an error if no [`AuthLayer`](super::AuthLayer) has seen the request, because
/// the handler then rejects every request.
fn claims_of(parts: &Parts) -> Option<Claims> {
    if ErrorFormat::of(&parts.extensions).is_none() {
        tracing::error!(
            "a handler extracts Claims, but no AuthLayer runs before it; add the layer, or no request has claims"
        );
    }
    parts.extensions.get().cloned()
}
