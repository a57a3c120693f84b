//! [`Claims`] as an argument of axum's handlers.

use super::{answer::AnswerStyle, claims::Claims};
use crate::refusal::Refused;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use std::convert::Infallible;

impl<S: Send + Sync> FromRequestParts<S> for Claims {
    /// 401, as [`AuthLayer`](super::AuthLayer) answers a request without a token.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let style = AnswerStyle::of(&parts.extensions).unwrap_or(AnswerStyle::Http);
        found(parts).ok_or_else(|| style.answer(Refused::no_token(), None).into_response())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Claims {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(found(parts))
    }
}

fn found(parts: &Parts) -> Option<Claims> {
    if AnswerStyle::of(&parts.extensions).is_none() {
        tracing::error!("a handler asks for Claims, and no AuthLayer stands before it: nobody is let in");
    }
    parts.extensions.get().cloned()
}
