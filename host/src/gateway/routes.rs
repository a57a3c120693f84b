//! The account flows, a handler each.

use super::{
    GatewayState, State,
    bodies::{
        self, AcceptedBody, AnswerChallenge, AssociateTotp, AttributeName, ChangePassword, ConfirmForgotPassword,
        ConfirmSignUp, Deliveries, DeliveryBody, MfaBody, Refresh, RevokeToken, SignIn, SignInMethod, SignUp,
        SignedInBody, TokensBody, TotpSecretBody, TotpVerified, UpdateAttributes, UserBody, Username, VerifyAttribute,
        VerifyTotp,
    },
    cookies::RefreshCookie,
    extract::Body,
};
use crate::{
    accounts::{SignedIn, TotpOwner},
    bearer::Bearer,
    refusal::{ProblemBody, Refused},
};
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

type Answer<T> = Result<Json<T>, Refused>;

/// A flow's path, its words for the OpenAPI document, and the answers that it may give.
macro_rules! route {
    ($(#[doc = $doc:literal])+ $method:ident $path:literal, $status:literal $(= $body:ty)?, $($security:literal)? =>
        async fn $name:ident($($arguments:tt)*) -> $reply:ty $code:block) => {
        $(#[doc = $doc])+
        #[utoipa::path(
            $method,
            path = $path,
            operation_id = stringify!($name),
            $(security(($security = [])),)?
            responses(
                (status = $status, description = "Done" $(, body = $body)?),
                (status = 400, description = "An input is refused", body = ProblemBody, content_type = "application/problem+json"),
                (status = 401, description = "The credentials, the session or the token are not good", body = ProblemBody, content_type = "application/problem+json"),
                (status = 403, description = "Refused by the pool's owner, or the account is in no state for this", body = ProblemBody, content_type = "application/problem+json"),
                (status = 408, description = "The body did not come in time", body = ProblemBody, content_type = "application/problem+json"),
                (status = 409, description = "Another account has this address, or the factor is not set up", body = ProblemBody, content_type = "application/problem+json"),
                (status = 413, description = "The body is too long", body = ProblemBody, content_type = "application/problem+json"),
                (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
                (status = 429, description = "Too many requests; `Retry-After` says when", body = ProblemBody, content_type = "application/problem+json"),
                (status = 500, description = "The pool is not set up for this, or something failed", body = ProblemBody, content_type = "application/problem+json"),
                (status = 501, description = "A challenge that is not supported", body = ProblemBody, content_type = "application/problem+json"),
                (status = 503, description = "Cognito can't be reached; `Retry-After` says when to try again", body = ProblemBody, content_type = "application/problem+json"),
            ),
            tag = "accounts",
        )]
        async fn $name($($arguments)*) -> $reply $code
    };
}

pub(crate) fn router() -> OpenApiRouter<Arc<GatewayState>> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(confirm_sign_up))
        .routes(routes!(resend_code))
        .routes(routes!(sign_in))
        .routes(routes!(answer_challenge))
        .routes(routes!(associate_totp))
        .routes(routes!(verify_totp))
        .routes(routes!(refresh))
        .routes(routes!(forgot_password))
        .routes(routes!(confirm_forgot_password))
        .routes(routes!(change_password))
        .routes(routes!(get_user, update_attributes, delete_user))
        .routes(routes!(send_attribute_code))
        .routes(routes!(verify_attribute))
        .routes(routes!(sign_out))
        .routes(routes!(revoke_token))
        .routes(routes!(set_mfa_preference))
}

route! {
    /// Sign up
    ///
    /// The answer is the same if the name is taken.
    post "/v1/sign-up", 200 = AcceptedBody, =>
    async fn sign_up(state: State, Body(body): Body<SignUp>) -> Answer<AcceptedBody> {
        let attributes = bodies::attributes(body.attributes);
        Ok(Json(state.accounts.sign_up(&body.username, &body.password, &attributes).await?.into()))
    }
}

route! {
    /// Confirm a sign-up with the code
    post "/v1/confirm-sign-up", 204, =>
    async fn confirm_sign_up(state: State, Body(body): Body<ConfirmSignUp>) -> Result<StatusCode, Refused> {
        state.accounts.confirm_sign_up(&body.username, &body.code).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// Send the code of a sign-up again
    ///
    /// The answer is the same if there is no such user.
    post "/v1/resend-code", 200 = AcceptedBody, =>
    async fn resend_code(state: State, Body(body): Body<Username>) -> Answer<AcceptedBody> {
        Ok(Json(state.accounts.resend_code(&body.username).await?.into()))
    }
}

route! {
    /// Sign in
    post "/v1/sign-in", 200 = SignedInBody, =>
    async fn sign_in(state: State, Body(body): Body<SignIn>) -> Result<Response, Refused> {
        let signed_in = match body.method {
            SignInMethod::Password => state.accounts.sign_in(&body.username, &body.password).await?,
            SignInMethod::Srp => state.accounts.sign_in_srp(&body.username, &body.password).await?,
        };
        Ok(signed_in_response(&state, signed_in))
    }
}

route! {
    /// Answer a challenge
    post "/v1/answer-challenge", 200 = SignedInBody, =>
    async fn answer_challenge(state: State, Body(body): Body<AnswerChallenge>) -> Result<Response, Refused> {
        let answer = body.answer.into();
        let signed_in = state.accounts.answer_challenge(&body.username, &body.session, &answer).await?;
        Ok(signed_in_response(&state, signed_in))
    }
}

route! {
    /// Begin to set up an authenticator app
    post "/v1/totp/associate", 200 = TotpSecretBody, "bearer" =>
    async fn associate_totp(
        state: State,
        headers: HeaderMap,
        Body(body): Body<AssociateTotp>,
    ) -> Answer<TotpSecretBody> {
        let secret = state.accounts.associate_totp(&totp_owner(body.session, &headers)?).await?;
        let session = secret.session.map(|session| session.expose_secret().to_owned());
        Ok(Json(TotpSecretBody { secret_code: secret.secret_code.expose_secret().to_owned(), session }))
    }
}

route! {
    /// End it with a code of the app
    post "/v1/totp/verify", 200 = TotpVerified, "bearer" =>
    async fn verify_totp(state: State, headers: HeaderMap, Body(body): Body<VerifyTotp>) -> Answer<TotpVerified> {
        let owner = totp_owner(body.session, &headers)?;
        let session = state.accounts.verify_totp(&owner, &body.code, body.device_name.as_deref()).await?;
        Ok(Json(TotpVerified { session: session.map(|session| session.expose_secret().to_owned()) }))
    }
}

route! {
    /// Get new tokens
    post "/v1/refresh", 200 = TokensBody, =>
    async fn refresh(state: State, headers: HeaderMap, Body(body): Body<Refresh>) -> Result<Response, Refused> {
        let refresh_token = refresh_token(&state, body.refresh_token, &headers)?;
        let tokens = state.accounts.refresh(&refresh_token, body.username.as_deref()).await?;
        let answer = Json(TokensBody::of(&tokens, state.refresh_cookie.is_some())).into_response();
        Ok(with_cookie(&state, tokens.refresh_token.as_ref(), answer))
    }
}

route! {
    /// Send a code for a new password
    ///
    /// The answer is the same if there is no such user.
    post "/v1/forgot-password", 200 = AcceptedBody, =>
    async fn forgot_password(state: State, Body(body): Body<Username>) -> Answer<AcceptedBody> {
        Ok(Json(state.accounts.forgot_password(&body.username).await?.into()))
    }
}

route! {
    /// Set a new password with the code
    post "/v1/confirm-forgot-password", 204, =>
    async fn confirm_forgot_password(
        state: State,
        Body(body): Body<ConfirmForgotPassword>,
    ) -> Result<StatusCode, Refused> {
        state.accounts.confirm_forgot_password(&body.username, &body.code, &body.password).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// Change the caller's password
    post "/v1/change-password", 204, "bearer" =>
    async fn change_password(
        state: State,
        caller: Bearer,
        Body(body): Body<ChangePassword>,
    ) -> Result<StatusCode, Refused> {
        state.accounts.change_password(&caller.0, &body.previous, &body.proposed).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// What the user pool knows of the caller
    get "/v1/user", 200 = UserBody, "bearer" =>
    async fn get_user(state: State, caller: Bearer) -> Answer<UserBody> {
        Ok(Json(state.accounts.get_user(&caller.0).await?.into()))
    }
}

route! {
    /// Change the caller's attributes
    ///
    /// The answer is the same if another account has the email address, the phone number or the preferred user name. A code is on its way to
    /// each address of the answer, if the user pool verifies it and no other account has it.
    patch "/v1/user", 200 = Deliveries, "bearer" =>
    async fn update_attributes(
        state: State,
        caller: Bearer,
        Body(body): Body<UpdateAttributes>,
    ) -> Answer<Deliveries> {
        let attributes = bodies::attributes(body.attributes);
        let changes = state.accounts.update_attributes(&caller.0, &attributes).await?;
        Ok(Json(changes.into()))
    }
}

route! {
    /// Delete the caller's account
    delete "/v1/user", 204, "bearer" =>
    async fn delete_user(state: State, caller: Bearer) -> Result<StatusCode, Refused> {
        state.accounts.delete_user(&caller.0).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// Send a code that verifies an attribute of the caller
    ///
    /// The answer is the same if there is nothing to verify.
    post "/v1/send-attribute-code", 200 = DeliveryBody, "bearer" =>
    async fn send_attribute_code(
        state: State,
        caller: Bearer,
        Body(body): Body<AttributeName>,
    ) -> Answer<DeliveryBody> {
        let accepted = state.accounts.send_attribute_code(&caller.0, &body.attribute).await?;
        Ok(Json(accepted.delivery.into()))
    }
}

route! {
    /// Verify an attribute of the caller with the code
    post "/v1/verify-attribute", 204, "bearer" =>
    async fn verify_attribute(
        state: State,
        caller: Bearer,
        Body(body): Body<VerifyAttribute>,
    ) -> Result<StatusCode, Refused> {
        state.accounts.verify_attribute(&caller.0, &body.attribute, &body.code).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

route! {
    /// Sign the caller out everywhere
    ///
    /// Access and ID tokens verify until they expire, unless the gateway has a store of revoked tokens.
    post "/v1/sign-out", 204, "bearer" =>
    async fn sign_out(state: State, caller: Bearer) -> Result<Response, Refused> {
        state.accounts.sign_out(&caller.0).await?;
        Ok(without_cookie(&state))
    }
}

route! {
    /// Revoke a refresh token
    ///
    /// With an access token of the same sign-in as bearer, the gateway's store of revoked tokens, if it has one, is told of that sign-in.
    post "/v1/revoke-token", 204, =>
    async fn revoke_token(
        state: State,
        headers: HeaderMap,
        Body(body): Body<RevokeToken>,
    ) -> Result<Response, Refused> {
        let refresh_token = refresh_token(&state, body.refresh_token, &headers)?;
        match Bearer::of(&headers) {
            Some(caller) => state.accounts.revoke_sign_in(&refresh_token, &caller.0).await?,
            None => state.accounts.revoke_token(&refresh_token).await?,
        }
        Ok(without_cookie(&state))
    }
}

route! {
    /// Say which second factors the caller wants
    put "/v1/mfa-preference", 204, "bearer" =>
    async fn set_mfa_preference(
        state: State,
        caller: Bearer,
        Body(body): Body<MfaBody>,
    ) -> Result<StatusCode, Refused> {
        state.accounts.set_mfa_preference(&caller.0, body.into()).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

fn totp_owner(session: Option<SecretString>, headers: &HeaderMap) -> Result<TotpOwner, Refused> {
    match session {
        Some(session) => Ok(TotpOwner::Session(session)),
        None => Bearer::of(headers).map(|caller| TotpOwner::AccessToken(caller.0)).ok_or_else(Refused::no_token),
    }
}

/// From the cookie, if that is where it is kept; otherwise from the body.
fn refresh_token(
    state: &GatewayState,
    stated: Option<SecretString>,
    headers: &HeaderMap,
) -> Result<SecretString, Refused> {
    match &state.refresh_cookie {
        Some(cookie) => cookie.get(headers),
        None => stated.ok_or_else(|| Refused::request(StatusCode::BAD_REQUEST, "refresh_token: missing")),
    }
}

fn signed_in_response(state: &GatewayState, signed_in: SignedIn) -> Response {
    let refresh_token = match &signed_in {
        SignedIn::Tokens(tokens) => tokens.refresh_token.clone(),
        SignedIn::Challenge(_) => None,
    };
    let answer = Json(SignedInBody::of(signed_in, state.refresh_cookie.is_some())).into_response();
    with_cookie(state, refresh_token.as_ref(), answer)
}

fn with_cookie(state: &GatewayState, refresh_token: Option<&SecretString>, answer: Response) -> Response {
    let cookie = state.refresh_cookie.as_ref().zip(refresh_token).and_then(|(cookie, token)| cookie.set(token));
    setting(cookie, answer)
}

fn without_cookie(state: &GatewayState) -> Response {
    let cookie = state.refresh_cookie.as_ref().and_then(RefreshCookie::clear);
    setting(cookie, StatusCode::NO_CONTENT.into_response())
}

fn setting(cookie: Option<HeaderValue>, mut answer: Response) -> Response {
    if let Some(cookie) = cookie {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}
