//! Flows that revoke tokens: sign-out, revocation of a refresh token, deletion of a user.

use crate::{
    Verified,
    accounts::{
        bindings::AccountFlows,
        error::{AccountError, AccountErrorCode},
        guest::Guest,
        handle::Accounts,
    },
    revocation::Revocation,
};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::Store;

impl Accounts {
    /// Signs a user out everywhere (`GlobalSignOut`).
    ///
    /// After that, Cognito rejects the user's tokens. A verifier does not ask Cognito: it accepts the user's access and ID tokens until
    /// they expire, unless it has a store of revoked tokens
    /// ([`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations)). If it has one, this method revokes all tokens of the
    /// user there. If the store fails, the error is `unavailable` although Cognito has signed the user out.
    pub async fn sign_out(&self, access_token: &SecretString) -> Result<(), AccountError> {
        let (accounts, access_token) = (self.clone(), access_token.clone());
        run_to_completion(async move {
            let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
                it.poolgate_auth_accounts().call_sign_out(store, token).await
            };
            let (caller, ()) = accounts.as_known_caller("sign-out", &access_token, flow).await?;
            accounts.revoke_user(&caller).await
        })
        .await
    }

    /// Revokes a refresh token (`RevokeToken`).
    ///
    /// A refresh token is opaque: it does not identify the access and ID tokens that were issued with it, so the verifier accepts them
    /// until they expire. To revoke those as well, call [`Accounts::revoke_sign_in`].
    pub async fn revoke_token(&self, refresh_token: &SecretString) -> Result<(), AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_revoke_token(store, refresh_token.expose_secret()).await
        };
        self.run("revoke-token", None, flow).await
    }

    /// Revokes a refresh token (`RevokeToken`), and then all tokens of the sign-in session to which `access_token` belongs (by its
    /// `origin_jti`), in the verifier's store of revoked tokens.
    ///
    /// The refresh token alone authorizes its revocation. If `access_token` is expired or otherwise invalid, no session is revoked in the
    /// store: an expired token needs no entry. If the verifier has no store, `access_token` is ignored.
    ///
    /// # Errors
    ///
    /// Returns the error of `RevokeToken`. If `access_token` could not be verified now (503), returns that error after `RevokeToken`; try
    /// again.
    pub async fn revoke_sign_in(
        &self,
        refresh_token: &SecretString,
        access_token: &SecretString,
    ) -> Result<(), AccountError> {
        if !self.inner.verifier.checks_revocation() {
            return self.revoke_token(refresh_token).await;
        }
        let (accounts, refresh_token, access_token) = (self.clone(), refresh_token.clone(), access_token.clone());
        run_to_completion(async move {
            accounts.revoke_token(&refresh_token).await?;
            match accounts.verify_access_token(&access_token).await {
                Ok(caller) => accounts.revoke(Revocation::sign_in_from_claims(&caller)).await,
                Err(error) if error.status == 503 => Err(error),
                Err(_) => Ok(()),
            }
        })
        .await
    }

    /// Deletes a signed-in user (`DeleteUser`), and revokes the user's tokens as [`Accounts::sign_out`] does.
    pub async fn delete_user(&self, access_token: &SecretString) -> Result<(), AccountError> {
        let (accounts, access_token) = (self.clone(), access_token.clone());
        run_to_completion(async move {
            let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
                it.poolgate_auth_accounts().call_delete_user(store, token).await
            };
            let (caller, ()) = accounts.as_known_caller("delete-user", &access_token, flow).await?;
            accounts.revoke_user(&caller).await
        })
        .await
    }

    /// Revokes all tokens that were issued to the user until now. Called after Cognito has confirmed the operation.
    async fn revoke_user(&self, caller: &Verified) -> Result<(), AccountError> {
        // If this clock is behind Cognito's, the caller's own token is still covered.
        let signed_in = caller.auth_time.max(caller.issued_at).unwrap_or(0);
        self.revoke(Revocation::user_from_claims(caller, self.inner.verifier.now().max(signed_in))).await
    }

    /// Does nothing if the token lacks the claim by which it would be revoked. Cognito issues no such token.
    async fn revoke(&self, revocation: Option<Revocation>) -> Result<(), AccountError> {
        let verifier = &self.inner.verifier;
        match revocation {
            Some(revocation) if verifier.checks_revocation() => verifier.revoke(&revocation).await.map_err(|error| {
                let meaning = "Cognito performed the operation, but the store of revoked tokens failed";
                AccountError::new(AccountErrorCode::Unavailable, 503, error.name(), meaning)
            }),
            _ => Ok(()),
        }
    }
}

/// Runs a flow in a separate task, so that the store of revoked tokens is written even if the caller drops the future.
async fn run_to_completion(
    flow: impl Future<Output = Result<(), AccountError>> + Send + 'static,
) -> Result<(), AccountError> {
    let ended = || {
        let meaning = "the flow's task ended before the flow";
        AccountError::new(AccountErrorCode::Unavailable, 503, "ended", meaning)
    };
    match tokio::spawn(flow).await {
        Ok(result) => result,
        Err(_) => Err(ended()),
    }
}
