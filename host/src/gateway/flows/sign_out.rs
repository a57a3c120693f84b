//! Sign-out and token revocation.

use super::cookie::{refresh_token, without_cookie};
use crate::{
    bearer::Bearer,
    gateway::{
        bodies::RevokeToken,
        extract::Body,
        state::{FlowsState, State},
    },
    problem_response::{ProblemBody, ProblemResponse},
};
use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Arc<FlowsState>> {
    OpenApiRouter::new().routes(routes!(sign_out)).routes(routes!(revoke_token))
}

route! {
    /// Sign the user out everywhere
    ///
    /// `/v1/verify` accepts the access and ID tokens until they expire, unless the gateway has a store of revoked tokens.
    post "/v1/sign-out", 204, "bearer" =>
    async fn sign_out(state: State<FlowsState>, caller: Bearer) -> Result<Response, ProblemResponse> {
        state.accounts.sign_out(&caller.0).await?;
        Ok(without_cookie(&state, StatusCode::NO_CONTENT))
    }
}

route! {
    /// Revoke a refresh token
    ///
    /// If the gateway has a store of revoked tokens and the request has an access token of the same sign-in session as bearer token, all tokens
    /// of that session are revoked there. An expired or invalid access token does not prevent the revocation of the refresh token.
    ///
    /// A gateway that keeps the refresh token in a cookie deletes the cookie, also if Cognito rejects the revocation. It keeps the cookie only if
    /// the response has `Retry-After` (429, 503), so that the browser can repeat the request.
    post "/v1/revoke-token", 204, =>
    async fn revoke_token(
        state: State<FlowsState>,
        headers: HeaderMap,
        Body(body): Body<RevokeToken>,
    ) -> Result<Response, ProblemResponse> {
        let refresh_token = refresh_token(&state, body.refresh_token, &headers)?;
        let revoked = match Bearer::of(&headers) {
            Some(caller) => state.accounts.revoke_sign_in(&refresh_token, &caller.0).await,
            None => state.accounts.revoke_token(&refresh_token).await,
        };
        match revoked {
            Ok(()) => Ok(without_cookie(&state, StatusCode::NO_CONTENT)),
            // The browser needs the cookie to repeat the request.
            Err(error) if error.retry_after.is_some() => Err(error.into()),
            Err(error) => Ok(without_cookie(&state, ProblemResponse::from(error))),
        }
    }
}
