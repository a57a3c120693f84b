//! Passwords: recovery and change.

use crate::accounts::{bindings::AccountFlows, error::AccountError, guest::Guest, handle::Accounts, types::Accepted};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::Store;

impl Accounts {
    /// Sends a code with which the user can set a new password (`ForgotPassword`).
    pub async fn forgot_password(&self, username: &str) -> Result<Accepted, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_forgot_password(store, username).await
        };
        self.delayed(self.run_accepted("forgot-password", flow)).await
    }

    /// Sets a new password with the code that was sent (`ConfirmForgotPassword`).
    pub async fn confirm_forgot_password(
        &self,
        username: &str,
        code: &SecretString,
        password: &SecretString,
    ) -> Result<(), AccountError> {
        let (code, password) = (code.expose_secret(), password.expose_secret());
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_confirm_forgot_password(store, username, code, password).await
        };
        self.delayed(self.run("confirm-forgot-password", None, flow)).await
    }

    /// Changes the password of a signed-in user (`ChangePassword`).
    pub async fn change_password(
        &self,
        access_token: &SecretString,
        previous: &SecretString,
        proposed: &SecretString,
    ) -> Result<(), AccountError> {
        let (previous, proposed) = (previous.expose_secret(), proposed.expose_secret());
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_change_password(store, token, previous, proposed).await
        };
        self.as_caller("change-password", access_token, flow).await
    }
}
