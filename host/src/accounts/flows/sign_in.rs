//! Sign-in with a password or SRP, challenges, and token refresh.

use crate::accounts::{
    bindings::{AccountFlows, exports::poolgate::auth::accounts as wit},
    cognito::SrpSignIn,
    error::{AccountError, AccountErrorCode},
    guest::Guest,
    handle::Accounts,
    settings::RefreshFlow,
    tokens::token_invalid,
    types::{ChallengeAnswer, SignedIn, Tokens},
};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::Store;

impl Accounts {
    /// Signs a user in with a password (`USER_PASSWORD_AUTH`). The password is sent to Cognito.
    pub async fn sign_in(&self, username: &str, password: &SecretString) -> Result<SignedIn, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_sign_in(store, username, password.expose_secret()).await
        };
        self.delayed(self.sign_in_step("sign-in", None, flow)).await
    }

    /// Signs a user in with SRP (`USER_SRP_AUTH`, RFC 5054). The password enters neither the sandbox nor the network.
    pub async fn sign_in_srp(&self, username: &str, password: &SecretString) -> Result<SignedIn, AccountError> {
        let no_randomness = || {
            let meaning = "the operating system returned no random bytes";
            AccountError::new(AccountErrorCode::Failed, 500, "no randomness", meaning)
        };
        let srp = SrpSignIn::new(username, password.clone()).ok_or_else(no_randomness)?;
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_sign_in_srp(store, username).await
        };
        self.delayed(self.sign_in_step("sign-in-srp", Some(srp), flow)).await
    }

    /// Responds to a challenge (`RespondToAuthChallenge`). `username` and `session` are those of the
    /// [`Challenge`](crate::accounts::Challenge).
    pub async fn answer_challenge(
        &self,
        username: &str,
        session: &SecretString,
        answer: &ChallengeAnswer,
    ) -> Result<SignedIn, AccountError> {
        let answer = answer.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            let accounts = it.poolgate_auth_accounts();
            accounts.call_answer_challenge(store, username, session.expose_secret(), &answer).await
        };
        self.delayed(self.sign_in_step("answer-challenge", None, flow)).await
    }

    /// Exchanges a refresh token for new tokens.
    ///
    /// `username` is the user's name or `sub`. It is required only for [`RefreshFlow::RefreshTokenAuth`] with an app client that has a
    /// secret.
    pub async fn refresh(&self, refresh_token: &SecretString, username: Option<&str>) -> Result<Tokens, AccountError> {
        let flow = match self.inner.refresh_flow {
            RefreshFlow::Rotation => wit::RefreshFlow::Rotation,
            RefreshFlow::RefreshTokenAuth => wit::RefreshFlow::RefreshTokenAuth(username.map(Into::into)),
        };
        let call = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_refresh(store, refresh_token.expose_secret(), &flow).await
        };
        let tokens = self.run("refresh", None, call).await?;
        self.verify_issued(tokens, token_invalid).await
    }
}
