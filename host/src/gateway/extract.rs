//! JSON in: what is none is refused as a problem, and nothing of it is repeated.

use super::GatewayState;
use crate::refusal::Refused;
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

impl<T: DeserializeOwned> FromRequest<Arc<GatewayState>> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &Arc<GatewayState>) -> Result<Self, Refused> {
        let read = timeout(state.body_deadline, axum::Json::<Object<T>>::from_request(request, state)).await;
        let read = read.map_err(|_| Refused::request(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"))?;
        read.map(|axum::Json(Object(body))| Self(body)).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refused::request(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Refused::request(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not application/json")
            }
            _ => Refused::request(StatusCode::BAD_REQUEST, said(&rejection)),
        })
    }
}

/// An object and nothing else: serde takes an array for a struct, too.
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

/// serde's own texts repeat what they found.
fn said(rejection: &JsonRejection) -> &'static str {
    match rejection {
        JsonRejection::JsonDataError(_) => "the body lacks a member, or has one of the wrong type or an unknown one",
        JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
        _ => "the body could not be read",
    }
}
