//! The refresh token between the cookie, the request body and the response.

use crate::{
    accounts::SignedIn,
    gateway::{bodies::SignedInBody, cookies::RefreshCookie, state::FlowsState},
    problem_response::ProblemResponse,
};
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::SecretString;

/// The refresh token: from the cookie if the gateway stores it there, otherwise from the body.
pub(super) fn refresh_token(
    state: &FlowsState,
    in_body: Option<SecretString>,
    headers: &HeaderMap,
) -> Result<SecretString, ProblemResponse> {
    match &state.refresh_cookie {
        Some(cookie) => cookie.get(headers),
        None => in_body.ok_or_else(|| ProblemResponse::request(StatusCode::BAD_REQUEST, "refresh_token: missing")),
    }
}

pub(super) fn signed_in_response(state: &FlowsState, signed_in: SignedIn) -> Response {
    let refresh_token = match &signed_in {
        SignedIn::Tokens(tokens) => tokens.refresh_token.clone(),
        SignedIn::Challenge(_) => None,
    };
    let response = Json(SignedInBody::of(signed_in, state.refresh_cookie.is_some())).into_response();
    with_cookie(state, refresh_token.as_ref(), response)
}

pub(super) fn with_cookie(state: &FlowsState, refresh_token: Option<&SecretString>, response: Response) -> Response {
    let cookie = state.refresh_cookie.as_ref().zip(refresh_token).and_then(|(cookie, token)| cookie.set(token));
    set_cookie(cookie, response)
}

/// Adds to a response that the browser deletes the cookie.
pub(super) fn without_cookie(state: &FlowsState, response: impl IntoResponse) -> Response {
    let cookie = state.refresh_cookie.as_ref().and_then(RefreshCookie::clear);
    set_cookie(cookie, response.into_response())
}

fn set_cookie(cookie: Option<HeaderValue>, mut response: Response) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
