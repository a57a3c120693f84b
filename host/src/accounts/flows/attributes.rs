//! A signed-in user's data: reading it, changing it, and verifying an address.

use crate::accounts::{
    bindings::{AccountFlows, poolgate::auth::user_pool as pool},
    error::AccountError,
    guest::Guest,
    handle::Accounts,
    report,
    types::{Accepted, AliasChange, Attribute, User},
};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::Store;

impl Accounts {
    /// Returns the user pool's data about a signed-in user (`GetUser`).
    pub async fn get_user(&self, access_token: &SecretString) -> Result<User, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_get_user(store, token).await
        };
        Ok(self.as_caller("get-user", access_token, flow).await?.into())
    }

    /// Changes attributes of a signed-in user (`UpdateUserAttributes`).
    ///
    /// If another account has an address or a preferred username, the result is the same as for a successful change, and the
    /// operator's hook is called ([`AccountsBuilder::on_username_taken`](crate::accounts::AccountsBuilder::on_username_taken)).
    ///
    /// Attributes that are not aliases are changed first, in one call. Each alias is then changed in a separate call. If one of these
    /// calls fails, the earlier changes stay. The same request can safely be sent again.
    ///
    /// If the user pool changes an address before it is verified, later responses reveal whether the address was taken: see
    /// `docs/accounts.md`.
    pub async fn update_attributes(
        &self,
        access_token: &SecretString,
        attributes: &[Attribute],
    ) -> Result<Vec<AliasChange>, AccountError> {
        let changed: Vec<pool::Attribute> = attributes.iter().map(Into::into).collect();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_update_attributes(store, token, &changed).await
        };
        self.delayed(async {
            let changes = self.as_caller("update-attributes", access_token, flow).await?;
            let changes: Vec<AliasChange> = changes.into_iter().map(Into::into).collect();
            for change in &changes {
                let typed = attributes.iter().find(|attribute| attribute.name == change.name);
                let typed = typed.map(|attribute| attribute.value.as_str()).unwrap_or_default();
                report::report_taken(&self.inner.hook, "update-attributes", typed, change.suppressed_error.as_ref());
            }
            Ok(changes)
        })
        .await
    }

    /// Sends a code that verifies an attribute (`GetUserAttributeVerificationCode`).
    ///
    /// If there is nothing to verify, no code is sent and the result is the same. A different result would reveal whether an earlier
    /// change of the attribute succeeded.
    pub async fn send_attribute_code(
        &self,
        access_token: &SecretString,
        attribute: &str,
    ) -> Result<Accepted, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_send_attribute_code(store, token, attribute).await
        };
        self.delayed(async { Ok(self.as_caller("send-attribute-code", access_token, flow).await?.into()) }).await
    }

    /// Verifies an attribute with the code that was sent (`VerifyUserAttribute`).
    pub async fn verify_attribute(
        &self,
        access_token: &SecretString,
        attribute: &str,
        code: &SecretString,
    ) -> Result<(), AccountError> {
        let code = code.expose_secret();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_verify_attribute(store, token, attribute, code).await
        };
        self.delayed(self.as_caller("verify-attribute", access_token, flow)).await
    }
}
