//! Sign-up and its confirmation.

use crate::accounts::{
    bindings::{AccountFlows, poolgate::auth::user_pool as pool},
    error::AccountError,
    guest::Guest,
    handle::Accounts,
    report,
    types::{Accepted, Attribute},
};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::Store;

impl Accounts {
    /// Signs a user up (`SignUp`).
    ///
    /// If the username is taken, the result is the same as for a successful sign-up, and the operator's hook is called
    /// ([`AccountsBuilder::on_username_taken`](crate::accounts::AccountsBuilder::on_username_taken)).
    pub async fn sign_up(
        &self,
        username: &str,
        password: &SecretString,
        attributes: &[Attribute],
    ) -> Result<Accepted, AccountError> {
        let with: Vec<pool::Attribute> = attributes.iter().map(Into::into).collect();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_sign_up(store, username, password.expose_secret(), &with).await
        };
        self.delayed(async {
            let accepted = self.run_accepted("sign-up", flow).await?;
            report::report_taken(&self.inner.hook, "sign-up", username, accepted.suppressed_error.as_ref());
            Ok(accepted)
        })
        .await
    }

    /// Confirms a sign-up with the code that was sent (`ConfirmSignUp`).
    pub async fn confirm_sign_up(&self, username: &str, code: &SecretString) -> Result<(), AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_confirm_sign_up(store, username, code.expose_secret()).await
        };
        self.delayed(self.run("confirm-sign-up", None, flow)).await
    }

    /// Sends the confirmation code of a sign-up again (`ResendConfirmationCode`).
    pub async fn resend_code(&self, username: &str) -> Result<Accepted, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_resend_code(store, username).await
        };
        self.delayed(self.run_accepted("resend-code", flow)).await
    }
}
