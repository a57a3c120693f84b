//! The signed-in user's data.

use super::cookie::without_cookie;
use crate::{
    bearer::Bearer,
    gateway::{
        bodies::{self, AttributeName, Deliveries, DeliveryBody, UpdateAttributes, UserBody, VerifyAttribute},
        extract::Body,
        state::{FlowsState, State},
    },
    problem_response::{ProblemBody, ProblemResponse},
};
use axum::{Json, http::StatusCode, response::Response};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

type JsonResult<T> = Result<Json<T>, ProblemResponse>;

pub(super) fn router() -> OpenApiRouter<Arc<FlowsState>> {
    OpenApiRouter::new()
        .routes(routes!(get_user, update_attributes, delete_user))
        .routes(routes!(send_attribute_code))
        .routes(routes!(verify_attribute))
}

route! {
    /// Get the attributes and second factors of the signed-in user
    get "/v1/user", 200 = UserBody, "bearer" =>
    async fn get_user(state: State<FlowsState>, caller: Bearer) -> JsonResult<UserBody> {
        Ok(Json(state.accounts.get_user(&caller.0).await?.into()))
    }
}

route! {
    /// Change attributes of the signed-in user
    ///
    /// The response is the same if another account has the email address, the phone number or the preferred username. A code is sent to each
    /// address in the response if the user pool verifies it and no other account has it.
    patch "/v1/user", 200 = Deliveries, "bearer" =>
    async fn update_attributes(
        state: State<FlowsState>,
        caller: Bearer,
        Body(body): Body<UpdateAttributes>,
    ) -> JsonResult<Deliveries> {
        let attributes = bodies::attributes(body.attributes);
        let changes = state.accounts.update_attributes(&caller.0, &attributes).await?;
        Ok(Json(changes.into()))
    }
}

route! {
    /// Delete the signed-in user
    delete "/v1/user", 204, "bearer" =>
    async fn delete_user(state: State<FlowsState>, caller: Bearer) -> Result<Response, ProblemResponse> {
        state.accounts.delete_user(&caller.0).await?;
        Ok(without_cookie(&state, StatusCode::NO_CONTENT))
    }
}

route! {
    /// Send a code that verifies an attribute of the signed-in user
    ///
    /// The response is the same if there is nothing to verify.
    post "/v1/send-attribute-code", 200 = DeliveryBody, "bearer" =>
    async fn send_attribute_code(
        state: State<FlowsState>,
        caller: Bearer,
        Body(body): Body<AttributeName>,
    ) -> JsonResult<DeliveryBody> {
        let accepted = state.accounts.send_attribute_code(&caller.0, &body.attribute).await?;
        Ok(Json(accepted.delivery.into()))
    }
}

route! {
    /// Verify an attribute of the signed-in user with the code
    post "/v1/verify-attribute", 204, "bearer" =>
    async fn verify_attribute(
        state: State<FlowsState>,
        caller: Bearer,
        Body(body): Body<VerifyAttribute>,
    ) -> Result<StatusCode, ProblemResponse> {
        state.accounts.verify_attribute(&caller.0, &body.attribute, &body.code).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}
