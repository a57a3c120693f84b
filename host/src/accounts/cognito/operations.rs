//! The operations of the user pools API, one method each, except those of signing in.

use super::{
    client::{CallResult, Cognito, repeatable},
    reply::{failure, tokens},
};
use crate::accounts::bindings::poolgate::auth::user_pool as wit;
use aws_sdk_cognitoidentityprovider::types as sdk;
use secrecy::ExposeSecret;

impl Cognito {
    pub(crate) async fn sign_up(
        &self,
        username: String,
        password: String,
        with: Vec<wit::Attribute>,
    ) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.sign_up().client_id(&self.app.id).set_secret_hash(self.app.secret_hash(&username));
        let call = call.username(username).password(password).set_user_attributes(Some(attributes(with)?));
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn confirm_sign_up(&self, username: String, code: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.confirm_sign_up().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username).confirmation_code(code);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn resend_confirmation_code(&self, username: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.resend_confirmation_code().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn associate_software_token(&self, owner: wit::TotpOwner) -> CallResult<wit::TotpSecret> {
        let _permit = self.permit()?;
        let (token, session) = split(owner);
        let call = self.client.associate_software_token().set_access_token(token).set_session(session);
        let reply = call.send().await.map_err(failure)?;
        let secret_code = reply.secret_code.ok_or(wit::Failure::Unreachable)?;
        Ok(wit::TotpSecret { secret_code, session: reply.session })
    }

    pub(crate) async fn verify_software_token(
        &self,
        owner: wit::TotpOwner,
        code: String,
        device_name: Option<String>,
    ) -> CallResult<Option<String>> {
        let _permit = self.permit()?;
        let (token, session) = split(owner);
        let call = self.client.verify_software_token().set_access_token(token).set_session(session);
        let reply = call.user_code(code).set_friendly_device_name(device_name).send().await.map_err(failure)?;
        match reply.status {
            Some(sdk::VerifySoftwareTokenResponseType::Success) => Ok(reply.session),
            _ => Err(wit::Failure::Exception("EnableSoftwareTokenMFAException".into())),
        }
    }

    pub(crate) async fn get_tokens_from_refresh_token(&self, refresh_token: String) -> CallResult<wit::Tokens> {
        let _permit = self.permit()?;
        let secret = self.app.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        let call = self.client.get_tokens_from_refresh_token().client_id(&self.app.id).set_client_secret(secret);
        let reply = call.refresh_token(refresh_token).send().await.map_err(failure)?;
        reply.authentication_result.and_then(tokens).ok_or(wit::Failure::Unreachable)
    }

    pub(crate) async fn forgot_password(&self, username: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.forgot_password().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn confirm_forgot_password(
        &self,
        username: String,
        code: String,
        password: String,
    ) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.confirm_forgot_password().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username);
        call.confirmation_code(code).password(password).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn change_password(&self, token: String, previous: String, proposed: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.change_password().access_token(token);
        call.previous_password(previous).proposed_password(proposed).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn get_user(&self, token: String) -> CallResult<wit::User> {
        let _permit = self.permit()?;
        let call = self.client.get_user().access_token(token).customize().config_override(repeatable());
        let reply = call.send().await.map_err(failure)?;
        let attribute = |it: sdk::AttributeType| wit::Attribute { name: it.name, value: it.value.unwrap_or_default() };
        Ok(wit::User {
            username: reply.username,
            attributes: reply.user_attributes.into_iter().map(attribute).collect(),
            mfa_settings: reply.user_mfa_setting_list.unwrap_or_default(),
            preferred_mfa: reply.preferred_mfa_setting,
        })
    }

    pub(crate) async fn update_user_attributes(&self, token: String, changed: Vec<wit::Attribute>) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.update_user_attributes().access_token(token);
        call.set_user_attributes(Some(attributes(changed)?)).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn get_user_attribute_verification_code(
        &self,
        token: String,
        attribute: String,
    ) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.get_user_attribute_verification_code().access_token(token).attribute_name(attribute);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn verify_user_attribute(&self, token: String, attribute: String, code: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.verify_user_attribute().access_token(token).attribute_name(attribute).code(code);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn global_sign_out(&self, token: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let call = self.client.global_sign_out().access_token(token);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn revoke_token(&self, refresh_token: String) -> CallResult<()> {
        let _permit = self.permit()?;
        let secret = self.app.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        let call = self.client.revoke_token().client_id(&self.app.id).set_client_secret(secret).token(refresh_token);
        call.customize().config_override(repeatable()).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn delete_user(&self, token: String) -> CallResult<()> {
        let _permit = self.permit()?;
        self.client.delete_user().access_token(token).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn set_user_mfa_preference(
        &self,
        token: String,
        preference: wit::MfaPreference,
    ) -> CallResult<()> {
        let _permit = self.permit()?;
        let email = preference
            .email
            .map(|it| sdk::EmailMfaSettingsType::builder().enabled(it.enabled).preferred_mfa(it.preferred).build());
        let sms = preference
            .sms
            .map(|it| sdk::SmsMfaSettingsType::builder().enabled(it.enabled).preferred_mfa(it.preferred).build());
        let app = preference.software_token.map(|it| {
            sdk::SoftwareTokenMfaSettingsType::builder().enabled(it.enabled).preferred_mfa(it.preferred).build()
        });
        let call = self.client.set_user_mfa_preference().access_token(token).set_email_mfa_settings(email);
        let call = call.set_sms_mfa_settings(sms).set_software_token_mfa_settings(app);
        call.customize().config_override(repeatable()).send().await.map(drop).map_err(failure)
    }
}

fn split(owner: wit::TotpOwner) -> (Option<String>, Option<String>) {
    match owner {
        wit::TotpOwner::AccessToken(token) => (Some(token), None),
        wit::TotpOwner::Session(session) => (None, Some(session)),
    }
}

fn attributes(attributes: Vec<wit::Attribute>) -> CallResult<Vec<sdk::AttributeType>> {
    let attribute = |it: wit::Attribute| sdk::AttributeType::builder().name(it.name).value(it.value).build();
    // Building an attribute fails only if it has no name.
    attributes
        .into_iter()
        .map(attribute)
        .collect::<Result<_, _>>()
        .map_err(|_| wit::Failure::Exception("InvalidParameterException".into()))
}
