//! Verification of the tokens that callers send, and of the tokens that Cognito issues.

use super::{
    bindings::{AccountFlows, exports::poolgate::auth::accounts as wit, poolgate::auth::user_pool as pool},
    cognito::SrpSignIn,
    error::{AccountError, AccountErrorCode},
    guest::Guest,
    handle::{Accounts, FlowCall},
    report::FlowResponse,
    types::{SignedIn, Tokens, TotpOwner},
};
use crate::{ErrorCode, Reason, TokenUse, Verified};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use wasmtime::Store;

impl Accounts {
    /// Runs a flow of a signed-in user. The verified access token alone determines who the user is.
    pub(super) async fn as_caller<T: FlowResponse>(
        &self,
        name: &'static str,
        access_token: &SecretString,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>, &str) -> FlowCall<T>,
    ) -> Result<T, AccountError> {
        Ok(self.as_known_caller(name, access_token, flow).await?.1)
    }

    /// Like `as_caller`, but also returns the claims of the verified access token.
    pub(super) async fn as_known_caller<T: FlowResponse>(
        &self,
        name: &'static str,
        access_token: &SecretString,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>, &str) -> FlowCall<T>,
    ) -> Result<(Verified, T), AccountError> {
        let caller = self.verify_access_token(access_token).await?;
        let flow =
            async |it: &AccountFlows, store: &mut Store<Guest>| flow(it, store, access_token.expose_secret()).await;
        Ok((caller, self.run(name, None, flow).await?))
    }

    /// Runs a sign-in step, and verifies the tokens if Cognito issues them.
    pub(super) async fn sign_in_step(
        &self,
        name: &'static str,
        srp: Option<SrpSignIn>,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> FlowCall<wit::SignedIn>,
    ) -> Result<SignedIn, AccountError> {
        match self.run(name, srp, flow).await? {
            // A token that is revoked although it was just issued: the user has signed out within the same second.
            wit::SignedIn::Tokens(tokens) => {
                Ok(SignedIn::Tokens(Box::new(self.verify_issued(tokens, unavailable).await?)))
            }
            wit::SignedIn::Challenge(challenge) => Ok(SignedIn::Challenge(challenge.into())),
        }
    }

    pub(super) async fn verify_owner(&self, owner: &TotpOwner) -> Result<(), AccountError> {
        match owner {
            TotpOwner::AccessToken(token) => self.verify_access_token(token).await.map(drop),
            TotpOwner::Session(_) => Ok(()),
        }
    }

    /// Verifies an access token and returns its claims.
    pub(super) async fn verify_access_token(&self, token: &SecretString) -> Result<Verified, AccountError> {
        let verified =
            self.inner.verifier.verify(token.expose_secret()).await.map_err(|denial| match denial.error {
                ErrorCode::Unavailable => unavailable(denial.reason.name()),
                _ => token_invalid(denial.reason.name()),
            })?;
        match verified.token_use {
            Some(TokenUse::Access) => Ok(verified),
            _ => Err(token_invalid("token-use-mismatch")),
        }
    }

    /// Verifies the tokens that Cognito has issued. If the verifier rejects one of them, the caller gets an error and no tokens. `revoked`
    /// creates the error for a token that is valid but revoked.
    pub(super) async fn verify_issued(
        &self,
        tokens: pool::Tokens,
        revoked: fn(&str) -> AccountError,
    ) -> Result<Tokens, AccountError> {
        let pool::Tokens { access_token, id_token, refresh_token, expires_in } = tokens;
        let access_token = SecretString::from(access_token);
        let id_token = id_token.map(SecretString::from);
        let rejected = |reason: &str| {
            tracing::error!(
                reason,
                "the verifier rejected tokens that Cognito issued; check that it is configured for the same user pool and app client"
            );
            let meaning = "the verifier rejected tokens that Cognito issued";
            AccountError::new(AccountErrorCode::Misconfigured, 500, reason, meaning)
        };
        let verify = async |token: &SecretString, token_use: TokenUse| {
            let verified = self.inner.verifier.verify(token.expose_secret()).await;
            let verified = verified.map_err(|denial| match denial.error {
                ErrorCode::Unavailable => unavailable(denial.reason.name()),
                _ if denial.reason == Reason::Revoked => revoked(denial.reason.name()),
                _ => rejected(denial.reason.name()),
            })?;
            let is_right = verified.token_use == Some(token_use);
            if is_right { Ok(verified) } else { Err(rejected("token-use-mismatch")) }
        };
        let verified = verify(&access_token, TokenUse::Access).await?;
        if let Some(id_token) = &id_token
            && verify(id_token, TokenUse::Id).await?.subject != verified.subject
        {
            return Err(rejected("subject-mismatch"));
        }
        Ok(Tokens {
            access_token,
            id_token,
            refresh_token: refresh_token.map(Into::into),
            expires_in: expires_in.map(|seconds| Duration::from_secs(seconds.into())),
            verified,
        })
    }
}

pub(super) fn token_invalid(reason: &str) -> AccountError {
    AccountError::new(AccountErrorCode::TokenInvalid, 401, reason, "the access token was rejected")
}

fn unavailable(reason: &str) -> AccountError {
    AccountError::new(AccountErrorCode::Unavailable, 503, reason, "a token could not be verified")
}
