//! Sign-in, challenges and token refresh.

use super::cookie::{refresh_token, signed_in_response, with_cookie};
use crate::{
    gateway::{
        bodies::{AnswerChallenge, Refresh, SignIn, SignInMethod, SignedInBody, TokensBody},
        extract::Body,
        state::{FlowsState, State},
    },
    problem_response::{ProblemBody, ProblemResponse},
};
use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<Arc<FlowsState>> {
    OpenApiRouter::new().routes(routes!(sign_in)).routes(routes!(answer_challenge)).routes(routes!(refresh))
}

route! {
    /// Sign in
    post "/v1/sign-in", 200 = SignedInBody, =>
    async fn sign_in(state: State<FlowsState>, Body(body): Body<SignIn>) -> Result<Response, ProblemResponse> {
        let signed_in = match body.method {
            SignInMethod::Password => state.accounts.sign_in(&body.username, &body.password).await?,
            SignInMethod::Srp => state.accounts.sign_in_srp(&body.username, &body.password).await?,
        };
        Ok(signed_in_response(&state, signed_in))
    }
}

route! {
    /// Respond to a challenge
    post "/v1/answer-challenge", 200 = SignedInBody, =>
    async fn answer_challenge(
        state: State<FlowsState>,
        Body(body): Body<AnswerChallenge>,
    ) -> Result<Response, ProblemResponse> {
        let answer = body.answer.into();
        let signed_in = state.accounts.answer_challenge(&body.username, &body.session, &answer).await?;
        Ok(signed_in_response(&state, signed_in))
    }
}

route! {
    /// Exchange a refresh token for new tokens
    post "/v1/refresh", 200 = TokensBody, =>
    async fn refresh(
        state: State<FlowsState>,
        headers: HeaderMap,
        Body(body): Body<Refresh>,
    ) -> Result<Response, ProblemResponse> {
        let refresh_token = refresh_token(&state, body.refresh_token, &headers)?;
        let tokens = state.accounts.refresh(&refresh_token, body.username.as_deref()).await?;
        let response = Json(TokensBody::of(&tokens, state.refresh_cookie.is_some())).into_response();
        Ok(with_cookie(&state, tokens.refresh_token.as_ref(), response))
    }
}
