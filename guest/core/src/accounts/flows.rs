//! The flows: an input is checked, the user pool is called, and what the public may not learn is hidden.

use super::{
    AccountError, AccountErrorCode, Attribute, AuthReply, Challenge, ChallengeAnswer, Delivery, Exception, Failure,
    InternalReason, MfaPreference, Operation, Outcome, Settings, SettingsError, SignedIn, Tokens, TotpOwner,
    TotpSecret, User, UserPool, input,
};
use alloc::{string::String, vec::Vec};

/// The account flows over a user pool.
#[derive(Debug)]
pub struct Accounts<P> {
    settings: Settings,
    pool: P,
}

/// A code is on its way, if there is an account that it can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Where to, computed from what was typed.
    pub delivery: Delivery,
    /// Why it is not. For logs and the operator's hook.
    pub suppressed_error: Option<InternalReason>,
}

/// What became of an alias (an email address, a phone number or a preferred user name) that a signed-in user has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasChange {
    /// The attribute's name.
    pub name: String,
    /// Where a code goes if the user pool sends one, computed from what was typed. `None` for a name.
    pub delivery: Option<Delivery>,
    /// Why it was not changed. For logs and the operator's hook.
    pub suppressed_error: Option<InternalReason>,
}

/// How tokens are refreshed.
#[derive(Clone, Copy)]
pub enum RefreshFlow<'a> {
    /// `GetTokensFromRefreshToken`.
    Rotation,
    /// `REFRESH_TOKEN_AUTH`, with the user's name or `sub` if the app client has a secret.
    RefreshTokenAuth(Option<&'a str>),
}

/// The public answer to a failure.
enum Refusal {
    /// This.
    Returned(AccountError),
    /// What a success would get.
    Suppressed(InternalReason),
}

/// # Errors
/// Every flow: a [`AccountError`], which says nothing about who has an account.
#[allow(clippy::missing_errors_doc)]
impl<P: UserPool> Accounts<P> {
    /// Checks the settings and takes them.
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

    /// Confirms a sign-up with the code.
    pub fn confirm_sign_up(&self, username: &str, code: &str) -> Result<(), AccountError> {
        input::username(username)?;
        input::code(code)?;
        self.returned(Operation::ConfirmSignUp, self.pool.confirm_sign_up(username, code))
    }

    /// Sends the code of a sign-up again.
    pub fn resend_code(&self, username: &str) -> Result<Accepted, AccountError> {
        input::username(username)?;
        let called = self.pool.resend_confirmation_code(username);
        self.accepted(Operation::ResendConfirmationCode, called, Delivery::of(username, &[]))
    }

    /// Signs in with a password.
    pub fn sign_in(&self, username: &str, password: &str) -> Result<SignedIn, AccountError> {
        input::username(username)?;
        input::password(password)?;
        let reply = self.returned(Operation::InitiateAuth, self.pool.initiate_auth(username, password))?;
        signed_in(reply, username, None)
    }

    /// Signs in with SRP (RFC 5054), for the password that the user pool's implementation holds.
    pub fn sign_in_srp(&self, username: &str) -> Result<SignedIn, AccountError> {
        input::username(username)?;
        match self.returned(Operation::InitiateAuth, self.pool.begin_srp(username))? {
            AuthReply::Challenge(challenge) if challenge.name == "PASSWORD_VERIFIER" => {
                let reply = self.returned(Operation::PasswordVerifier, self.pool.prove_srp())?;
                // What was typed may be an alias. From the first challenge on, Cognito knows the user by this name, which the
                // answers to later challenges must have, and their SECRET_HASH.
                let user_id = challenge.parameter("USER_ID_FOR_SRP");
                signed_in(reply, username, user_id)
            }
            // Before the password is proved, nothing but the proof is spoken of.
            _ => {
                let meaning = "Cognito did not ask for the proof of SRP: does the app client allow USER_SRP_AUTH?";
                Err(AccountError::of(AccountErrorCode::InvalidCredentials, "challenge", meaning))
            }
        }
    }

    /// Answers a challenge.
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

    /// Begins to set up an authenticator app (RFC 6238).
    pub fn associate_totp(&self, owner: TotpOwner<'_>) -> Result<TotpSecret, AccountError> {
        check_owner(owner)?;
        self.returned(Operation::AssociateSoftwareToken, self.pool.associate_software_token(owner))
    }

    /// Ends it with a code of the app.
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

    /// Gets new tokens for a refresh token.
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
                        let meaning = "Cognito asks for a challenge where a refresh token was given";
                        Err(AccountError::of(AccountErrorCode::ChallengeUnsupported, "challenge", meaning))
                    }
                }
            }
        }
    }

    /// Sends a code for a new password.
    pub fn forgot_password(&self, username: &str) -> Result<Accepted, AccountError> {
        input::username(username)?;
        let called = self.pool.forgot_password(username);
        self.accepted(Operation::ForgotPassword, called, Delivery::of(username, &[]))
    }

    /// Sets a new password with the code.
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

    /// What the user pool knows of a signed-in user.
    pub fn get_user(&self, access_token: &str) -> Result<User, AccountError> {
        self.returned(Operation::GetUser, self.pool.get_user(access_token))
    }

    /// Changes attributes. Each alias is changed by a call of its own, after all other attributes: if Cognito were given them
    /// together, then whether it finds fault with the others or not could tell whether it had found the alias taken before.
    pub fn update_attributes(
        &self,
        access_token: &str,
        attributes: &[Attribute],
    ) -> Result<Vec<AliasChange>, AccountError> {
        if attributes.is_empty() {
            return Err(AccountError::invalid("attributes: none"));
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

    /// Verifies an attribute with the code.
    pub fn verify_attribute(&self, access_token: &str, attribute: &str, code: &str) -> Result<(), AccountError> {
        input::attribute_name(attribute)?;
        input::code(code)?;
        self.returned(Operation::VerifyUserAttribute, self.pool.verify_user_attribute(access_token, attribute, code))
    }

    /// Signs a user out everywhere.
    pub fn sign_out(&self, access_token: &str) -> Result<(), AccountError> {
        self.returned(Operation::GlobalSignOut, self.pool.global_sign_out(access_token))
    }

    /// Revokes a refresh token, and the access tokens that came of it.
    pub fn revoke_token(&self, refresh_token: &str) -> Result<(), AccountError> {
        input::refresh_token(refresh_token)?;
        self.returned(Operation::RevokeToken, self.pool.revoke_token(refresh_token))
    }

    /// Deletes a user.
    pub fn delete_user(&self, access_token: &str) -> Result<(), AccountError> {
        self.returned(Operation::DeleteUser, self.pool.delete_user(access_token))
    }

    /// Says which second factors a user wants.
    pub fn set_mfa_preference(&self, access_token: &str, preference: MfaPreference) -> Result<(), AccountError> {
        let stated = [preference.email, preference.sms, preference.software_token];
        if stated.iter().all(Option::is_none) {
            return Err(AccountError::invalid("mfa: nothing is stated"));
        }
        if stated.iter().flatten().filter(|setting| setting.preferred).count() > 1 {
            return Err(AccountError::invalid("mfa: more than one is preferred"));
        }
        if stated.iter().flatten().any(|setting| setting.preferred && !setting.enabled) {
            return Err(AccountError::invalid("mfa: one is preferred that is not enabled"));
        }
        self.returned(Operation::SetUserMfaPreference, self.pool.set_user_mfa_preference(access_token, preference))
    }

    /// The outcome of an operation that sends a code to whoever it is.
    fn accepted(
        &self,
        operation: Operation,
        called: Result<(), Failure>,
        delivery: Delivery,
    ) -> Result<Accepted, AccountError> {
        self.suppressed_error(operation, called).map(|suppressed_error| Accepted { delivery, suppressed_error })
    }

    /// Why an operation has failed whose failure is answered as a success.
    fn suppressed_error(
        &self,
        operation: Operation,
        called: Result<(), Failure>,
    ) -> Result<Option<InternalReason>, AccountError> {
        match called.map_err(|failure| self.refusal(operation, failure)) {
            Ok(()) => Ok(None),
            Err(Refusal::Suppressed(reason)) => Ok(Some(reason)),
            Err(Refusal::Returned(error)) => Err(error),
        }
    }

    /// The outcome of an operation whose failure is told somehow.
    fn returned<T>(&self, operation: Operation, called: Result<T, Failure>) -> Result<T, AccountError> {
        called.map_err(|failure| match self.refusal(operation, failure) {
            Refusal::Returned(error) => error,
            // No row of these operations hides a failure behind a success, which would have to be made up.
            Refusal::Suppressed(internal) => {
                AccountError { code: AccountErrorCode::Failed, detail: None, retry_after: None, internal }
            }
        })
    }

    fn refusal(&self, operation: Operation, failure: Failure) -> Refusal {
        let mut unforeseen = false;
        let (outcome, name, meaning) = match failure {
            Failure::Exception(name) => {
                let exception = Exception::from_name(&name);
                let meaning = exception.map_or("an exception that nobody has foreseen", Exception::meaning);
                let outcome = operation.outcome(&name);
                unforeseen = outcome.is_none();
                (outcome.unwrap_or_else(|| operation.unforeseen()), safe_name(&name), meaning)
            }
            Failure::TimedOut => {
                (Outcome::Error(AccountErrorCode::Unavailable), "timed-out".into(), "Cognito took too long")
            }
            Failure::Unreachable => {
                (Outcome::Error(AccountErrorCode::Unavailable), "unreachable".into(), "Cognito can't be reached")
            }
            Failure::TooBusy => {
                (Outcome::Error(AccountErrorCode::Unavailable), "too-busy".into(), "too many calls are under way here")
            }
        };
        let internal = InternalReason { operation: operation.name(), failure: name, meaning, unforeseen };
        let code = match outcome {
            Outcome::SameAsSuccess => return Refusal::Suppressed(internal),
            Outcome::Error(code) => code,
            Outcome::DependsOnCheckOrder { checked_first, .. } if self.settings.credentials_checked_first => {
                checked_first
            }
            Outcome::DependsOnCheckOrder { otherwise, .. } => otherwise,
        };
        let retry_after = code.retry_helps().then_some(self.settings.retry_after);
        Refusal::Returned(AccountError { code, detail: None, retry_after, internal })
    }
}

/// An access token was verified before: nothing is left to check.
fn check_owner(owner: TotpOwner<'_>) -> Result<(), AccountError> {
    match owner {
        TotpOwner::AccessToken(_) => Ok(()),
        TotpOwner::Session(session) => input::session(session),
    }
}

/// `user_id` is the name that Cognito has stated before, if it has.
fn signed_in(reply: AuthReply, typed: &str, user_id: Option<&str>) -> Result<SignedIn, AccountError> {
    match reply {
        AuthReply::Tokens(tokens) => Ok(SignedIn::Tokens(tokens)),
        AuthReply::Challenge(raw) => Challenge::read(raw, typed, user_id).map(SignedIn::Challenge),
    }
}

/// A name for the logs, even if the server made it up.
fn safe_name(name: &str) -> String {
    let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain && !name.is_empty() { name.into() } else { "a name that is none".into() }
}
