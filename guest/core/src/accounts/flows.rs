//! The flows: each checks its input, calls the user pool, and lets `disclosure` decide what the client learns about a failure.

use super::{
    AccountError, AccountErrorCode, Attribute, AuthReply, Challenge, ChallengeAnswer, Delivery, InternalReason,
    MfaPreference, Operation, Settings, SettingsError, SignedIn, Tokens, TotpOwner, TotpSecret, User, UserPool, input,
};
use alloc::{string::String, vec::Vec};

/// Runs the account flows of a user pool.
#[derive(Debug)]
pub struct Accounts<P> {
    pub(super) settings: Settings,
    pool: P,
}

/// The result of an operation that sends a code if there is an account to send it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Where the code is sent, computed from the input alone.
    pub delivery: Delivery,
    /// Why no code was sent, for logs and the operator's hook only.
    pub suppressed_error: Option<InternalReason>,
}

/// The result of changing one alias (an email address, a phone number or a preferred username) of a signed-in user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasChange {
    /// The attribute's name.
    pub name: String,
    /// Where a code is sent if the user pool sends one, computed from the input alone. `None` for a preferred username.
    pub delivery: Option<Delivery>,
    /// Why the alias was not changed, for logs and the operator's hook only.
    pub suppressed_error: Option<InternalReason>,
}

/// How tokens are refreshed.
#[derive(Clone, Copy)]
pub enum RefreshFlow<'a> {
    /// `GetTokensFromRefreshToken`.
    Rotation,
    /// `REFRESH_TOKEN_AUTH`, with the username or `sub` if the app client has a secret.
    RefreshTokenAuth(Option<&'a str>),
}

/// # Errors
/// Every flow returns an [`AccountError`], which does not reveal whether an account exists.
#[allow(clippy::missing_errors_doc)]
impl<P: UserPool> Accounts<P> {
    /// Checks the settings.
    pub fn new(settings: Settings, pool: P) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { settings, pool })
    }

    /// Signs a user up.
    pub fn sign_up(&self, username: &str, password: &str, attributes: &[Attribute]) -> Result<Accepted, AccountError> {
        input::username(username)?;
        input::new_password(password, &self.settings.password_policy)?;
        input::attributes(attributes)?;
        input::required(&self.settings.required_attributes, attributes)?;
        let called = self.pool.sign_up(username, password, attributes);
        self.accepted(Operation::SignUp, called, Delivery::of(username, attributes))
    }

    /// Confirms a sign-up with the code that was sent.
    pub fn confirm_sign_up(&self, username: &str, code: &str) -> Result<(), AccountError> {
        input::username(username)?;
        input::code(code)?;
        self.returned(Operation::ConfirmSignUp, self.pool.confirm_sign_up(username, code))
    }

    /// Sends the confirmation code of a sign-up again.
    pub fn resend_code(&self, username: &str) -> Result<Accepted, AccountError> {
        input::username(username)?;
        let called = self.pool.resend_confirmation_code(username);
        self.accepted(Operation::ResendConfirmationCode, called, Delivery::of(username, &[]))
    }

    /// Signs a user in with a password.
    pub fn sign_in(&self, username: &str, password: &str) -> Result<SignedIn, AccountError> {
        input::username(username)?;
        input::password(password)?;
        let reply = self.returned(Operation::InitiateAuth, self.pool.initiate_auth(username, password))?;
        signed_in(reply, username, None)
    }

    /// Signs a user in with SRP (RFC 5054). The implementation of [`UserPool`] knows the password.
    pub fn sign_in_srp(&self, username: &str) -> Result<SignedIn, AccountError> {
        input::username(username)?;
        match self.returned(Operation::InitiateAuth, self.pool.begin_srp(username))? {
            AuthReply::Challenge(challenge) if challenge.name == "PASSWORD_VERIFIER" => {
                let reply = self.returned(Operation::PasswordVerifier, self.pool.prove_srp())?;
                // The typed name may be an alias. From the first challenge on, Cognito uses this name for the user, and the
                // responses to later challenges and their SECRET_HASH must contain it.
                let user_id = challenge.parameter("USER_ID_FOR_SRP");
                signed_in(reply, username, user_id)
            }
            // The password has not been proved, so nothing else about the account may be returned.
            _ => {
                let meaning = "Cognito did not request the SRP proof; check that the app client allows USER_SRP_AUTH";
                Err(AccountError::new(AccountErrorCode::InvalidCredentials, "challenge", meaning))
            }
        }
    }

    /// Responds to a challenge.
    pub fn answer_challenge(
        &self,
        username: &str,
        session: &str,
        answer: ChallengeAnswer<'_>,
    ) -> Result<SignedIn, AccountError> {
        input::username(username)?;
        input::session(session)?;
        answer.check(&self.settings)?;
        let called = self.pool.respond_to_auth_challenge(answer.response(username, session));
        signed_in(self.returned(Operation::RespondToAuthChallenge, called)?, username, None)
    }

    /// Starts to set up an authenticator app (RFC 6238).
    pub fn associate_totp(&self, owner: TotpOwner<'_>) -> Result<TotpSecret, AccountError> {
        check_owner(owner)?;
        self.returned(Operation::AssociateSoftwareToken, self.pool.associate_software_token(owner))
    }

    /// Completes the set-up of an authenticator app with a code of the app.
    pub fn verify_totp(
        &self,
        owner: TotpOwner<'_>,
        code: &str,
        device_name: Option<&str>,
    ) -> Result<Option<String>, AccountError> {
        check_owner(owner)?;
        input::totp_code(code)?;
        device_name.map(input::device_name).transpose()?;
        let called = self.pool.verify_software_token(owner, code, device_name);
        self.returned(Operation::VerifySoftwareToken, called)
    }

    /// Exchanges a refresh token for new tokens.
    pub fn refresh(&self, refresh_token: &str, flow: RefreshFlow<'_>) -> Result<Tokens, AccountError> {
        input::refresh_token(refresh_token)?;
        match flow {
            RefreshFlow::Rotation => {
                let called = self.pool.get_tokens_from_refresh_token(refresh_token);
                self.returned(Operation::GetTokensFromRefreshToken, called)
            }
            RefreshFlow::RefreshTokenAuth(username) => {
                username.map(input::username).transpose()?;
                let called = self.pool.refresh_token_auth(refresh_token, username);
                match self.returned(Operation::RefreshTokenAuth, called)? {
                    AuthReply::Tokens(tokens) => Ok(tokens),
                    AuthReply::Challenge(_) => {
                        let meaning = "Cognito requires a challenge in reply to a refresh token";
                        Err(AccountError::new(AccountErrorCode::ChallengeUnsupported, "challenge", meaning))
                    }
                }
            }
        }
    }

    /// Sends a code with which the user can set a new password.
    pub fn forgot_password(&self, username: &str) -> Result<Accepted, AccountError> {
        input::username(username)?;
        let called = self.pool.forgot_password(username);
        self.accepted(Operation::ForgotPassword, called, Delivery::of(username, &[]))
    }

    /// Sets a new password with the code that was sent.
    pub fn confirm_forgot_password(&self, username: &str, code: &str, password: &str) -> Result<(), AccountError> {
        input::username(username)?;
        input::code(code)?;
        input::new_password(password, &self.settings.password_policy)?;
        let called = self.pool.confirm_forgot_password(username, code, password);
        self.returned(Operation::ConfirmForgotPassword, called)
    }

    /// Changes the password of a signed-in user.
    pub fn change_password(&self, access_token: &str, previous: &str, proposed: &str) -> Result<(), AccountError> {
        input::password(previous)?;
        input::new_password(proposed, &self.settings.password_policy)?;
        self.returned(Operation::ChangePassword, self.pool.change_password(access_token, previous, proposed))
    }

    /// Returns the user pool's data about a signed-in user.
    pub fn get_user(&self, access_token: &str) -> Result<User, AccountError> {
        self.returned(Operation::GetUser, self.pool.get_user(access_token))
    }

    /// Changes attributes. Each alias is changed in a separate call, after all other attributes. In a single call, an error about another
    /// attribute could reveal whether Cognito had already found that the alias is taken.
    pub fn update_attributes(
        &self,
        access_token: &str,
        attributes: &[Attribute],
    ) -> Result<Vec<AliasChange>, AccountError> {
        if attributes.is_empty() {
            return Err(AccountError::invalid("attributes: must not be empty"));
        }
        input::attributes(attributes)?;
        let (aliases, others): (Vec<_>, Vec<_>) = attributes.iter().cloned().partition(input::is_alias);
        if !others.is_empty() {
            let called = self.pool.update_user_attributes(access_token, &others);
            self.returned(Operation::UpdateUserAttributes, called)?;
        }
        aliases.into_iter().map(|alias| self.change_alias(access_token, alias)).collect()
    }

    fn change_alias(&self, access_token: &str, alias: Attribute) -> Result<AliasChange, AccountError> {
        let called = self.pool.update_user_attributes(access_token, core::slice::from_ref(&alias));
        let suppressed_error = self.suppressed_error(Operation::UpdateAlias, called)?;
        Ok(AliasChange { delivery: Delivery::to_changed(&alias), name: alias.name, suppressed_error })
    }

    /// Sends a code that verifies an attribute.
    pub fn send_attribute_code(&self, access_token: &str, attribute: &str) -> Result<Accepted, AccountError> {
        input::attribute_name(attribute)?;
        let called = self.pool.get_user_attribute_verification_code(access_token, attribute);
        self.accepted(Operation::GetUserAttributeVerificationCode, called, Delivery::to_attribute(attribute))
    }

    /// Verifies an attribute with the code that was sent.
    pub fn verify_attribute(&self, access_token: &str, attribute: &str, code: &str) -> Result<(), AccountError> {
        input::attribute_name(attribute)?;
        input::code(code)?;
        self.returned(Operation::VerifyUserAttribute, self.pool.verify_user_attribute(access_token, attribute, code))
    }

    /// Signs a user out everywhere.
    pub fn sign_out(&self, access_token: &str) -> Result<(), AccountError> {
        self.returned(Operation::GlobalSignOut, self.pool.global_sign_out(access_token))
    }

    /// Revokes a refresh token and the access tokens that were issued with it.
    pub fn revoke_token(&self, refresh_token: &str) -> Result<(), AccountError> {
        input::refresh_token(refresh_token)?;
        self.returned(Operation::RevokeToken, self.pool.revoke_token(refresh_token))
    }

    /// Deletes a user.
    pub fn delete_user(&self, access_token: &str) -> Result<(), AccountError> {
        self.returned(Operation::DeleteUser, self.pool.delete_user(access_token))
    }

    /// Sets the second factors of a user.
    pub fn set_mfa_preference(&self, access_token: &str, preference: MfaPreference) -> Result<(), AccountError> {
        let settings = [preference.email, preference.sms, preference.software_token];
        if settings.iter().all(Option::is_none) {
            return Err(AccountError::invalid("mfa: at least one factor must be set"));
        }
        if settings.iter().flatten().filter(|setting| setting.preferred).count() > 1 {
            return Err(AccountError::invalid("mfa: at most one factor can be preferred"));
        }
        if settings.iter().flatten().any(|setting| setting.preferred && !setting.enabled) {
            return Err(AccountError::invalid("mfa: a preferred factor must be enabled"));
        }
        self.returned(Operation::SetUserMfaPreference, self.pool.set_user_mfa_preference(access_token, preference))
    }
}

/// Checks a session. The host has already verified an access token.
fn check_owner(owner: TotpOwner<'_>) -> Result<(), AccountError> {
    match owner {
        TotpOwner::AccessToken(_) => Ok(()),
        TotpOwner::Session(session) => input::session(session),
    }
}

/// `user_id` is the username in an earlier challenge, if there was one.
fn signed_in(reply: AuthReply, typed: &str, user_id: Option<&str>) -> Result<SignedIn, AccountError> {
    match reply {
        AuthReply::Tokens(tokens) => Ok(SignedIn::Tokens(tokens)),
        AuthReply::Challenge(raw) => Challenge::read(raw, typed, user_id).map(SignedIn::Challenge),
    }
}
