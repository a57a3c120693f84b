//! Second factors.

use crate::{
    accounts::TotpOwner,
    bearer::Bearer,
    gateway::{
        bodies::{AssociateTotp, MfaBody, TotpSecretBody, TotpVerified, VerifyTotp},
        extract::Body,
        state::{FlowsState, State},
    },
    problem_response::{ProblemBody, ProblemResponse},
};
use axum::{
    Json,
    http::{HeaderMap, StatusCode},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

type JsonResult<T> = Result<Json<T>, ProblemResponse>;

pub(super) fn router() -> OpenApiRouter<Arc<FlowsState>> {
    OpenApiRouter::new()
        .routes(routes!(associate_totp))
        .routes(routes!(verify_totp))
        .routes(routes!(set_mfa_preference))
}

route! {
    /// Start to set up an authenticator app
    post "/v1/totp/associate", 200 = TotpSecretBody, "bearer" =>
    async fn associate_totp(
        state: State<FlowsState>,
        headers: HeaderMap,
        Body(body): Body<AssociateTotp>,
    ) -> JsonResult<TotpSecretBody> {
        let secret = state.accounts.associate_totp(&totp_owner(body.session, &headers)?).await?;
        let session = secret.session.map(|session| session.expose_secret().to_owned());
        Ok(Json(TotpSecretBody { secret_code: secret.secret_code.expose_secret().to_owned(), session }))
    }
}

route! {
    /// Complete the set-up of an authenticator app
    ///
    /// With a code of the app.
    post "/v1/totp/verify", 200 = TotpVerified, "bearer" =>
    async fn verify_totp(
        state: State<FlowsState>,
        headers: HeaderMap,
        Body(body): Body<VerifyTotp>,
    ) -> JsonResult<TotpVerified> {
        let owner = totp_owner(body.session, &headers)?;
        let session = state.accounts.verify_totp(&owner, &body.code, body.device_name.as_deref()).await?;
        Ok(Json(TotpVerified { session: session.map(|session| session.expose_secret().to_owned()) }))
    }
}

route! {
    /// Set the second factors of the signed-in user
    put "/v1/mfa-preference", 204, "bearer" =>
    async fn set_mfa_preference(
        state: State<FlowsState>,
        caller: Bearer,
        Body(body): Body<MfaBody>,
    ) -> Result<StatusCode, ProblemResponse> {
        state.accounts.set_mfa_preference(&caller.0, body.into()).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

fn totp_owner(session: Option<SecretString>, headers: &HeaderMap) -> Result<TotpOwner, ProblemResponse> {
    match session {
        Some(session) => Ok(TotpOwner::Session(session)),
        None => {
            Bearer::of(headers).map(|caller| TotpOwner::AccessToken(caller.0)).ok_or_else(ProblemResponse::no_token)
        }
    }
}
