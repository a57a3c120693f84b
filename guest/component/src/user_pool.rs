//! Implements the core's `UserPool` with the `user-pool` import.

use crate::bindings::poolgate::auth::user_pool as wit;
use poolgate_core::accounts as core;

/// The imported user pool.
pub struct ImportedUserPool;

fn failure(failure: wit::Failure) -> core::Failure {
    match failure {
        wit::Failure::Exception(name) => core::Failure::Exception(name),
        wit::Failure::TimedOut => core::Failure::TimedOut,
        wit::Failure::Unreachable => core::Failure::Unreachable,
        wit::Failure::TooBusy => core::Failure::TooBusy,
    }
}

fn tokens(tokens: wit::Tokens) -> core::Tokens {
    let wit::Tokens { access_token, id_token, refresh_token, expires_in } = tokens;
    core::Tokens { access_token, id_token, refresh_token, expires_in }
}

fn auth_reply(reply: wit::AuthReply) -> core::AuthReply {
    match reply {
        wit::AuthReply::Tokens(reply) => core::AuthReply::Tokens(tokens(reply)),
        wit::AuthReply::Challenge(wit::RawChallenge { name, session, parameters }) => {
            core::AuthReply::Challenge(core::RawChallenge { name, session, parameters })
        }
    }
}

fn attributes(attributes: &[core::Attribute]) -> Vec<wit::Attribute> {
    let attribute = |it: &core::Attribute| wit::Attribute { name: it.name.clone(), value: it.value.clone() };
    attributes.iter().map(attribute).collect()
}

fn owner(owner: core::TotpOwner<'_>) -> wit::TotpOwner {
    match owner {
        core::TotpOwner::AccessToken(token) => wit::TotpOwner::AccessToken(token.into()),
        core::TotpOwner::Session(session) => wit::TotpOwner::Session(session.into()),
    }
}

fn setting(setting: core::MfaSetting) -> wit::MfaSetting {
    wit::MfaSetting { enabled: setting.enabled, preferred: setting.preferred }
}

type Called<T> = Result<T, core::Failure>;

impl core::UserPool for ImportedUserPool {
    fn sign_up(&self, username: &str, password: &str, with: &[core::Attribute]) -> Called<()> {
        wit::sign_up(username, password, &attributes(with)).map_err(failure)
    }

    fn confirm_sign_up(&self, username: &str, code: &str) -> Called<()> {
        wit::confirm_sign_up(username, code).map_err(failure)
    }

    fn resend_confirmation_code(&self, username: &str) -> Called<()> {
        wit::resend_confirmation_code(username).map_err(failure)
    }

    fn initiate_auth(&self, username: &str, password: &str) -> Called<core::AuthReply> {
        wit::initiate_auth(username, password).map(auth_reply).map_err(failure)
    }

    fn begin_srp(&self, username: &str) -> Called<core::AuthReply> {
        wit::begin_srp(username).map(auth_reply).map_err(failure)
    }

    fn prove_srp(&self) -> Called<core::AuthReply> {
        wit::prove_srp().map(auth_reply).map_err(failure)
    }

    fn respond_to_auth_challenge(&self, response: core::ChallengeResponse<'_>) -> Called<core::AuthReply> {
        let core::ChallengeResponse { name, username, session, responses } = response;
        let response = wit::ChallengeResponse {
            name: name.into(),
            username: username.into(),
            session: session.into(),
            responses: responses.into_iter().map(|(name, value)| (name, value.into())).collect(),
        };
        wit::respond_to_auth_challenge(&response).map(auth_reply).map_err(failure)
    }

    fn associate_software_token(&self, of: core::TotpOwner<'_>) -> Called<core::TotpSecret> {
        let secret = wit::associate_software_token(&owner(of)).map_err(failure)?;
        Ok(core::TotpSecret { secret_code: secret.secret_code, session: secret.session })
    }

    fn verify_software_token(
        &self,
        of: core::TotpOwner<'_>,
        code: &str,
        device_name: Option<&str>,
    ) -> Called<Option<String>> {
        wit::verify_software_token(&owner(of), code, device_name).map_err(failure)
    }

    fn refresh_token_auth(&self, refresh_token: &str, username: Option<&str>) -> Called<core::AuthReply> {
        wit::refresh_token_auth(refresh_token, username).map(auth_reply).map_err(failure)
    }

    fn get_tokens_from_refresh_token(&self, refresh_token: &str) -> Called<core::Tokens> {
        wit::get_tokens_from_refresh_token(refresh_token).map(tokens).map_err(failure)
    }

    fn forgot_password(&self, username: &str) -> Called<()> {
        wit::forgot_password(username).map_err(failure)
    }

    fn confirm_forgot_password(&self, username: &str, code: &str, password: &str) -> Called<()> {
        wit::confirm_forgot_password(username, code, password).map_err(failure)
    }

    fn change_password(&self, access_token: &str, previous: &str, proposed: &str) -> Called<()> {
        wit::change_password(access_token, previous, proposed).map_err(failure)
    }

    fn get_user(&self, access_token: &str) -> Called<core::User> {
        let wit::User { username, attributes, mfa_settings, preferred_mfa } =
            wit::get_user(access_token).map_err(failure)?;
        let attribute = |it: wit::Attribute| core::Attribute { name: it.name, value: it.value };
        let attributes = attributes.into_iter().map(attribute).collect();
        Ok(core::User { username, attributes, mfa_settings, preferred_mfa })
    }

    fn update_user_attributes(&self, access_token: &str, changed: &[core::Attribute]) -> Called<()> {
        wit::update_user_attributes(access_token, &attributes(changed)).map_err(failure)
    }

    fn get_user_attribute_verification_code(&self, access_token: &str, attribute: &str) -> Called<()> {
        wit::get_user_attribute_verification_code(access_token, attribute).map_err(failure)
    }

    fn verify_user_attribute(&self, access_token: &str, attribute: &str, code: &str) -> Called<()> {
        wit::verify_user_attribute(access_token, attribute, code).map_err(failure)
    }

    fn global_sign_out(&self, access_token: &str) -> Called<()> {
        wit::global_sign_out(access_token).map_err(failure)
    }

    fn revoke_token(&self, refresh_token: &str) -> Called<()> {
        wit::revoke_token(refresh_token).map_err(failure)
    }

    fn delete_user(&self, access_token: &str) -> Called<()> {
        wit::delete_user(access_token).map_err(failure)
    }

    fn set_user_mfa_preference(&self, access_token: &str, preference: core::MfaPreference) -> Called<()> {
        let core::MfaPreference { email, sms, software_token } = preference;
        let preference = wit::MfaPreference {
            email: email.map(setting),
            sms: sms.map(setting),
            software_token: software_token.map(setting),
        };
        wit::set_user_mfa_preference(access_token, preference).map_err(failure)
    }
}
