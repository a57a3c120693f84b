//! The arguments and results of the account flows. Their `Debug` output contains no password, code, session, token or personal data.

use super::{bindings::exports::poolgate::auth::accounts as wit, error::InternalReason};
use crate::Verified;
use secrecy::SecretString;
use std::{fmt, time::Duration};

pub use wit::{ChallengeName, DeliveryMedium};

/// An attribute of a user, such as `email`.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `Name`.
    pub name: String,
    /// `Value`.
    pub value: String,
}

impl Attribute {
    /// Creates an attribute.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Attribute {
    /// Omits the value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attribute").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a code is sent, as far as the caller may know.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Email, text message, or the address on file.
    pub medium: DeliveryMedium,
    /// The address or phone number that the caller typed, masked. `None` if the caller typed neither.
    pub destination: Option<String>,
}

impl fmt::Debug for Delivery {
    /// Omits the destination.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Delivery").field("medium", &self.medium.name()).finish_non_exhaustive()
    }
}

/// The result of an operation that sends a code if there is an account to send it to. The client gets the same response either way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// Where the code is sent, computed from the input alone.
    pub delivery: Delivery,
    /// Why no code was sent. `None` if Cognito accepted the operation. For logs only: **never send it to a client**.
    pub suppressed_error: Option<InternalReason>,
}

/// The result of changing one alias (an email address, a phone number or a preferred username) of a signed-in user. The client gets
/// the same response whether another account has the alias or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AliasChange {
    /// `email`, `phone_number` or `preferred_username`.
    pub name: String,
    /// Where a code is sent if the user pool sends one, computed from the input alone. `None` for a preferred username.
    pub delivery: Option<Delivery>,
    /// Why the alias was not changed. `None` if it was changed. For logs only: **never send it to a client**.
    pub suppressed_error: Option<InternalReason>,
}

/// The tokens of a signed-in user. poolgate has verified the access token and the ID token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token.
    pub access_token: SecretString,
    /// The ID token.
    pub id_token: Option<SecretString>,
    /// The refresh token. `None` if the previous refresh token stays valid.
    pub refresh_token: Option<SecretString>,
    /// The lifetime of the access token, as Cognito returned it.
    pub expires_in: Option<Duration>,
    /// The claims of the access token.
    pub verified: Verified,
}

/// A challenge: a further step that Cognito requires to sign the user in.
#[derive(Clone)]
#[non_exhaustive]
pub struct Challenge {
    /// The kind of challenge.
    pub name: ChallengeName,
    /// The session. Pass it to [`Accounts::answer_challenge`](super::Accounts::answer_challenge). It is valid for a few minutes.
    pub session: SecretString,
    /// The username that Cognito uses for the user. Pass it to [`Accounts::answer_challenge`](super::Accounts::answer_challenge).
    pub username: String,
    /// Where the code was sent.
    pub delivery: Option<Delivery>,
    /// The attributes that must be set together with the new password. For `NEW_PASSWORD_REQUIRED` only.
    pub required_attributes: Vec<String>,
}

impl fmt::Debug for Challenge {
    /// Omits the user and the session.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Challenge").field("name", &self.name.name()).finish_non_exhaustive()
    }
}

/// The result of a sign-in step.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// The user is signed in.
    Tokens(Box<Tokens>),
    /// Cognito requires a further step.
    Challenge(Challenge),
}

/// The user's response to a challenge.
#[derive(Clone, Debug)]
pub enum ChallengeAnswer {
    /// For `NEW_PASSWORD_REQUIRED`: the new password and the required attributes.
    NewPassword(SecretString, Vec<Attribute>),
    /// For `SOFTWARE_TOKEN_MFA`: the code of the authenticator app.
    SoftwareToken(SecretString),
    /// For `SMS_MFA`: the code from the text message.
    Sms(SecretString),
    /// For `EMAIL_OTP`: the code from the email.
    EmailOtp(SecretString),
    /// For `MFA_SETUP`, with the session that [`Accounts::verify_totp`](super::Accounts::verify_totp) returned.
    MfaSetup,
}

/// Who sets up an authenticator app.
#[derive(Clone, Debug)]
pub enum TotpOwner {
    /// A signed-in user, by access token.
    AccessToken(SecretString),
    /// A user who must set up an authenticator app to sign in (`MFA_SETUP`), by session.
    Session(SecretString),
}

/// The secret of an authenticator app that is being set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TotpSecret {
    /// The secret for the app, in base32 (RFC 4648 section 6).
    pub secret_code: SecretString,
    /// The session for [`Accounts::verify_totp`](super::Accounts::verify_totp). `None` for a signed-in user.
    pub session: Option<SecretString>,
}

/// A user's data in the user pool.
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
    /// Omits the username and the attributes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("User").field("mfa_settings", &self.mfa_settings).finish_non_exhaustive()
    }
}

/// The setting of one second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaSetting {
    /// Whether the factor may be used.
    pub enabled: bool,
    /// Whether the factor is requested first. At most one factor can be preferred.
    pub preferred: bool,
}

/// The second factors of a user. `None` leaves a setting unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MfaPreference {
    /// One-time passwords by email.
    pub email: Option<MfaSetting>,
    /// Text messages.
    pub sms: Option<MfaSetting>,
    /// An authenticator app.
    pub software_token: Option<MfaSetting>,
}
