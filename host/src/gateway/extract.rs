//! Reads JSON bodies. An invalid body is rejected with problem details that contain no part of the body.

use super::state::FlowsState;
use crate::problem_response::ProblemResponse;
use axum::{
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData, sync::Arc};
use tokio::time::timeout;

/// A request body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<FlowsState>> for Body<T> {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &Arc<FlowsState>) -> Result<Self, ProblemResponse> {
        let read = timeout(state.body_deadline, axum::Json::<Object<T>>::from_request(request, state)).await;
        let read = read
            .map_err(|_| ProblemResponse::request(StatusCode::REQUEST_TIMEOUT, "the body was not received in time"))?;
        read.map(|axum::Json(Object(body))| Self(body)).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                ProblemResponse::request(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemResponse::request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the Content-Type must be application/json",
            ),
            _ => ProblemResponse::request(StatusCode::BAD_REQUEST, detail(&rejection)),
        })
    }
}

/// A JSON object. serde alone would also accept an array for a struct.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Returns a fixed text for the error. The messages of serde are not used, because they contain parts of the input.
fn detail(rejection: &JsonRejection) -> &'static str {
    match rejection {
        JsonRejection::JsonDataError(_) => "a member of the body is missing, unknown, or of the wrong type",
        JsonRejection::JsonSyntaxError(_) => "the body is not valid JSON",
        _ => "the body could not be read",
    }
}
