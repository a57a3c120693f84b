//! JSON in: what is none is refused as a problem, and nothing of it is repeated.

use super::problem::Refused;
use axum::{
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
};
use serde::de::DeserializeOwned;

/// A request body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|axum::Json(body)| Self(body)).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refused::request(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Refused::request(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not application/json")
            }
            _ => Refused::request(StatusCode::BAD_REQUEST, said(&rejection)),
        })
    }
}

/// serde's own texts repeat what they found.
fn said(rejection: &JsonRejection) -> &'static str {
    match rejection {
        JsonRejection::JsonDataError(_) => "the body lacks a member, or has one of the wrong type or an unknown one",
        JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
        _ => "the body could not be read",
    }
}
