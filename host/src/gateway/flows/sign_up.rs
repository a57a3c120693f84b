//! Sign-up.

use crate::{
    gateway::{
        bodies::{self, AcceptedBody, ConfirmSignUp, SignUp, Username},
        extract::Body,
        state::{FlowsState, State},
    },
    problem_response::{ProblemBody, ProblemResponse},
};
use axum::{Json, http::StatusCode};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

type JsonResult<T> = Result<Json<T>, ProblemResponse>;

pub(super) fn router() -> OpenApiRouter<Arc<FlowsState>> {
    OpenApiRouter::new().routes(routes!(sign_up)).routes(routes!(confirm_sign_up)).routes(routes!(resend_code))
}

route! {
    /// Sign up
    ///
    /// The response is the same if the username is taken.
    post "/v1/sign-up", 200 = AcceptedBody, =>
    async fn sign_up(state: State<FlowsState>, Body(body): Body<SignUp>) -> JsonResult<AcceptedBody> {
        let attributes = bodies::attributes(body.attributes);
        Ok(Json(state.accounts.sign_up(&body.username, &body.password, &attributes).await?.into()))
    }
}

route! {
    /// Confirm a sign-up
    ///
    /// With the code that the user received.
    post "/v1/confirm-sign-up", 204, =>
    async fn confirm_sign_up(
        state: State<FlowsState>,
        Body(body): Body<ConfirmSignUp>,
    ) -> Result<StatusCode, ProblemResponse> {
        state.accounts.confirm_sign_up(&body.username, &body.code).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// Send the confirmation code of a sign-up again
    ///
    /// The response is the same if the user does not exist.
    post "/v1/resend-code", 200 = AcceptedBody, =>
    async fn resend_code(state: State<FlowsState>, Body(body): Body<Username>) -> JsonResult<AcceptedBody> {
        Ok(Json(state.accounts.resend_code(&body.username).await?.into()))
    }
}
