//! What the accounts tell their caller. No `Debug` here shows a password, a code, a session, a token or a person.

use super::bindings::{exports::poolgate::auth::accounts as wit, poolgate::auth::user_pool as pool};
use crate::Verified;
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, time::Duration};

pub use wit::{AccountErrorCode, ChallengeName, DeliveryMedium};

/// An attribute of a user, such as `email`.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `Name`.
    pub name: String,
    /// `Value`.
    pub value: String,
}

impl Attribute {
    /// An attribute of this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Attribute {
    /// Leaves out the value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attribute").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why, for logs and metrics. Never tell a caller. It holds nothing that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InternalReason {
    /// The operation of the user pools API; empty if none was called.
    pub operation: String,
    /// The exception's name, or what else went wrong.
    pub failure: String,
    /// What it means.
    pub meaning: String,
    /// An exception that the table of what the public learns (`docs/account-errors.md`) does not have. Look at it: where the caller
    /// has named an account or an address, it was answered as for one that is not there.
    pub unforeseen: bool,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountError {
    /// For the caller. A public contract: names stay.
    pub code: AccountErrorCode,
    /// The HTTP status (RFC 9110 section 15).
    pub status: u16,
    /// For the caller: which input is wrong, and how. It says nothing about accounts.
    pub detail: Option<String>,
    /// After how long sending the same again may help, if it may.
    pub retry_after: Option<Duration>,
    /// For logs. In a box, so that a result that may hold a problem stays small.
    pub internal: Box<InternalReason>,
}

impl AccountError {
    /// A problem that the host itself has.
    pub(crate) fn of(code: AccountErrorCode, status: u16, failure: &str, meaning: &str) -> Self {
        let (failure, meaning) = (failure.into(), meaning.into());
        let internal = Box::new(InternalReason { operation: String::new(), failure, meaning, unforeseen: false });
        let retry_after = (status == 503).then_some(Duration::from_secs(2));
        Self { code, status, detail: None, retry_after, internal }
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(formatter, "{}: {detail}", self.code.name()),
            None => write!(formatter, "{}: {}", self.code.name(), self.code.description()),
        }
    }
}

impl std::error::Error for AccountError {}

/// Where a code goes.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// By email or by text message.
    pub medium: DeliveryMedium,
    /// Masked; `None` if no address or number was typed.
    pub destination: Option<String>,
}

impl fmt::Debug for Delivery {
    /// Leaves out the destination.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Delivery").field("medium", &self.medium.name()).finish_non_exhaustive()
    }
}

/// A code is on its way, if there is an account that it can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// Where to, computed from what was typed.
    pub delivery: Delivery,
    /// Why it is not. For logs. **Never tell a caller.**
    pub suppressed_error: Option<InternalReason>,
}

/// What became of an alias (an email address, a phone number or a preferred user name) that a signed-in user has asked for: the
/// same for the caller, whether another account has it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AliasChange {
    /// `email`, `phone_number` or `preferred_username`.
    pub name: String,
    /// Where a code goes if the user pool sends one, computed from what was typed. `None` for a name.
    pub delivery: Option<Delivery>,
    /// Why it was not changed. For logs. **Never tell a caller.**
    pub suppressed_error: Option<InternalReason>,
}

/// The tokens of a signed-in user. They have been verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token.
    pub access_token: SecretString,
    /// The ID token.
    pub id_token: Option<SecretString>,
    /// The refresh token; `None` where the old one stays valid.
    pub refresh_token: Option<SecretString>,
    /// For how long the access token is valid, as Cognito says.
    pub expires_in: Option<Duration>,
    /// What the access token says.
    pub verified: Verified,
}

/// Something more to prove.
#[derive(Clone)]
#[non_exhaustive]
pub struct Challenge {
    /// Which.
    pub name: ChallengeName,
    /// For the answer. Valid for a few minutes.
    pub session: SecretString,
    /// For the answer: the name that Cognito knows the user by.
    pub username: String,
    /// Where the code went.
    pub delivery: Option<Delivery>,
    /// Of `NEW_PASSWORD_REQUIRED`: the attributes that must come with the new password.
    pub required_attributes: Vec<String>,
}

impl fmt::Debug for Challenge {
    /// Leaves out who it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Challenge").field("name", &self.name.name()).finish_non_exhaustive()
    }
}

/// The end of a step of signing in.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// Done.
    Tokens(Box<Tokens>),
    /// There is something more to prove.
    Challenge(Challenge),
}

/// An answer to a challenge.
#[derive(Clone, Debug)]
pub enum ChallengeAnswer {
    /// To `NEW_PASSWORD_REQUIRED`: the password, and the attributes that were asked for.
    NewPassword(SecretString, Vec<Attribute>),
    /// The code of the authenticator app, to `SOFTWARE_TOKEN_MFA`.
    SoftwareToken(SecretString),
    /// The code of the text message, to `SMS_MFA`.
    Sms(SecretString),
    /// The code of the email, to `EMAIL_OTP`.
    EmailOtp(SecretString),
    /// To `MFA_SETUP`, with the session that [`Accounts::verify_totp`](super::Accounts::verify_totp) answered.
    MfaSetup,
}

/// Who sets up an authenticator app.
#[derive(Clone, Debug)]
pub enum TotpOwner {
    /// A signed-in user.
    AccessToken(SecretString),
    /// One who must set it up to sign in (`MFA_SETUP`).
    Session(SecretString),
}

/// The secret of an authenticator app that is being set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TotpSecret {
    /// Base32 (RFC 4648 section 6), for the app.
    pub secret_code: SecretString,
    /// For [`Accounts::verify_totp`](super::Accounts::verify_totp), if it was set up with one.
    pub session: Option<SecretString>,
}

/// What the user pool knows of a user.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// `Username`.
    pub username: String,
    /// `UserAttributes`.
    pub attributes: Vec<Attribute>,
    /// `UserMFASettingList`.
    pub mfa_settings: Vec<String>,
    /// `PreferredMfaSetting`.
    pub preferred_mfa: Option<String>,
}

impl fmt::Debug for User {
    /// Leaves out who it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("User").field("mfa_settings", &self.mfa_settings).finish_non_exhaustive()
    }
}

/// Of one second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaSetting {
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether it is asked for first. At most one can be.
    pub preferred: bool,
}

/// Which second factors a user wants; `None` leaves a setting as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MfaPreference {
    /// One-time passwords by email.
    pub email: Option<MfaSetting>,
    /// Text messages.
    pub sms: Option<MfaSetting>,
    /// An authenticator app.
    pub software_token: Option<MfaSetting>,
}

impl From<wit::InternalReason> for InternalReason {
    fn from(reason: wit::InternalReason) -> Self {
        let wit::InternalReason { operation, failure, meaning, unforeseen } = reason;
        Self { operation, failure, meaning, unforeseen }
    }
}

impl From<wit::AccountError> for AccountError {
    fn from(error: wit::AccountError) -> Self {
        Self {
            code: error.code,
            status: error.status,
            detail: error.detail,
            retry_after: error.retry_after.map(|seconds| Duration::from_secs(seconds.into())),
            internal: Box::new(error.internal.into()),
        }
    }
}

impl From<wit::Delivery> for Delivery {
    fn from(delivery: wit::Delivery) -> Self {
        Self { medium: delivery.medium, destination: delivery.destination }
    }
}

impl From<wit::Accepted> for Accepted {
    fn from(accepted: wit::Accepted) -> Self {
        Self { delivery: accepted.delivery.into(), suppressed_error: accepted.suppressed_error.map(Into::into) }
    }
}

impl From<wit::AliasChange> for AliasChange {
    fn from(change: wit::AliasChange) -> Self {
        let wit::AliasChange { name, delivery, suppressed_error } = change;
        Self { name, delivery: delivery.map(Into::into), suppressed_error: suppressed_error.map(Into::into) }
    }
}

impl From<wit::Challenge> for Challenge {
    fn from(challenge: wit::Challenge) -> Self {
        Self {
            name: challenge.name,
            session: challenge.session.into(),
            username: challenge.username,
            delivery: challenge.delivery.map(Into::into),
            required_attributes: challenge.required_attributes,
        }
    }
}

impl From<pool::TotpSecret> for TotpSecret {
    fn from(secret: pool::TotpSecret) -> Self {
        Self { secret_code: secret.secret_code.into(), session: secret.session.map(Into::into) }
    }
}

impl From<pool::User> for User {
    fn from(user: pool::User) -> Self {
        let attribute = |it: pool::Attribute| Attribute { name: it.name, value: it.value };
        Self {
            username: user.username,
            attributes: user.attributes.into_iter().map(attribute).collect(),
            mfa_settings: user.mfa_settings,
            preferred_mfa: user.preferred_mfa,
        }
    }
}

impl From<&Attribute> for pool::Attribute {
    fn from(attribute: &Attribute) -> Self {
        Self { name: attribute.name.clone(), value: attribute.value.clone() }
    }
}

impl From<MfaPreference> for pool::MfaPreference {
    fn from(preference: MfaPreference) -> Self {
        let setting = |it: MfaSetting| pool::MfaSetting { enabled: it.enabled, preferred: it.preferred };
        Self {
            email: preference.email.map(setting),
            sms: preference.sms.map(setting),
            software_token: preference.software_token.map(setting),
        }
    }
}

impl From<&TotpOwner> for pool::TotpOwner {
    fn from(owner: &TotpOwner) -> Self {
        match owner {
            TotpOwner::AccessToken(token) => Self::AccessToken(token.expose_secret().to_owned()),
            TotpOwner::Session(session) => Self::Session(session.expose_secret().to_owned()),
        }
    }
}

impl From<&ChallengeAnswer> for wit::ChallengeAnswer {
    fn from(answer: &ChallengeAnswer) -> Self {
        let exposed = |secret: &SecretString| secret.expose_secret().to_owned();
        match answer {
            ChallengeAnswer::NewPassword(password, attributes) => Self::NewPassword(wit::NewPassword {
                password: exposed(password),
                attributes: attributes.iter().map(Into::into).collect(),
            }),
            ChallengeAnswer::SoftwareToken(code) => Self::SoftwareToken(exposed(code)),
            ChallengeAnswer::Sms(code) => Self::Sms(exposed(code)),
            ChallengeAnswer::EmailOtp(code) => Self::EmailOtp(exposed(code)),
            ChallengeAnswer::MfaSetup => Self::MfaSetup,
        }
    }
}
