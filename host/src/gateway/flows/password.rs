//! Password recovery and change.

use crate::{
    bearer::Bearer,
    gateway::{
        bodies::{AcceptedBody, ChangePassword, ConfirmForgotPassword, Username},
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
    OpenApiRouter::new()
        .routes(routes!(forgot_password))
        .routes(routes!(confirm_forgot_password))
        .routes(routes!(change_password))
}

route! {
    /// Send a recovery code
    ///
    /// The response is the same if the user does not exist.
    post "/v1/forgot-password", 200 = AcceptedBody, =>
    async fn forgot_password(state: State<FlowsState>, Body(body): Body<Username>) -> JsonResult<AcceptedBody> {
        Ok(Json(state.accounts.forgot_password(&body.username).await?.into()))
    }
}

route! {
    /// Set a new password with the recovery code
    post "/v1/confirm-forgot-password", 204, =>
    async fn confirm_forgot_password(
        state: State<FlowsState>,
        Body(body): Body<ConfirmForgotPassword>,
    ) -> Result<StatusCode, ProblemResponse> {
        state.accounts.confirm_forgot_password(&body.username, &body.code, &body.password).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// Change the password of the signed-in user
    post "/v1/change-password", 204, "bearer" =>
    async fn change_password(
        state: State<FlowsState>,
        caller: Bearer,
        Body(body): Body<ChangePassword>,
    ) -> Result<StatusCode, ProblemResponse> {
        state.accounts.change_password(&caller.0, &body.previous, &body.proposed).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}
