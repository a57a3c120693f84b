//! Second factors: authenticator apps and the user's preference.

use crate::accounts::{
    bindings::AccountFlows,
    error::AccountError,
    guest::Guest,
    handle::Accounts,
    types::{MfaPreference, TotpOwner, TotpSecret},
};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::Store;

impl Accounts {
    /// Starts to set up an authenticator app (`AssociateSoftwareToken`, RFC 6238).
    pub async fn associate_totp(&self, owner: &TotpOwner) -> Result<TotpSecret, AccountError> {
        self.verify_owner(owner).await?;
        let owner = owner.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_associate_totp(store, &owner).await
        };
        Ok(self.run("associate-totp", None, flow).await?.into())
    }

    /// Completes the set-up of an authenticator app with a code of the app (`VerifySoftwareToken`).
    ///
    /// If it was set up with a session, returns the session for [`Accounts::answer_challenge`].
    pub async fn verify_totp(
        &self,
        owner: &TotpOwner,
        code: &SecretString,
        device_name: Option<&str>,
    ) -> Result<Option<SecretString>, AccountError> {
        self.verify_owner(owner).await?;
        let owner = owner.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            let accounts = it.poolgate_auth_accounts();
            accounts.call_verify_totp(store, &owner, code.expose_secret(), device_name).await
        };
        Ok(self.run("verify-totp", None, flow).await?.map(Into::into))
    }

    /// Sets the second factors of a signed-in user (`SetUserMFAPreference`).
    pub async fn set_mfa_preference(
        &self,
        access_token: &SecretString,
        preference: MfaPreference,
    ) -> Result<(), AccountError> {
        let preference = preference.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_set_mfa_preference(store, token, preference).await
        };
        self.as_caller("set-mfa-preference", access_token, flow).await
    }
}
