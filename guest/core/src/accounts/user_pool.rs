//! The user pools API as the flows need it. Who implements it owns the network, the app client and its secret.

use alloc::{string::String, vec::Vec};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Cognito answered with this exception, by its name in the service model.
    Exception(String),
    /// It took too long.
    TimedOut,
    /// No connection, or an answer that is none.
    Unreachable,
    /// Too many calls are under way.
    TooBusy,
}

/// An attribute of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `Name`.
    pub name: String,
    /// `Value`.
    pub value: String,
}

/// `AuthenticationResult`.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// `AccessToken`.
    pub access_token: String,
    /// `IdToken`.
    pub id_token: Option<String>,
    /// `RefreshToken`.
    pub refresh_token: Option<String>,
    /// `ExpiresIn`, in seconds.
    pub expires_in: Option<u32>,
}

/// A challenge, as Cognito states it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawChallenge {
    /// `ChallengeName`.
    pub name: String,
    /// `Session`.
    pub session: Option<String>,
    /// `ChallengeParameters`.
    pub parameters: Vec<(String, String)>,
}

/// The end of a step of signing in.
#[derive(Clone, PartialEq, Eq)]
pub enum AuthReply {
    /// The user is signed in.
    Tokens(Tokens),
    /// There is something more to prove.
    Challenge(RawChallenge),
}

/// An answer to a challenge.
pub struct ChallengeResponse<'a> {
    /// `ChallengeName`.
    pub name: &'static str,
    /// `USERNAME`.
    pub username: &'a str,
    /// `Session`.
    pub session: &'a str,
    /// The other `ChallengeResponses`.
    pub responses: Vec<(String, &'a str)>,
}

/// Who sets up a software token.
#[derive(Clone, Copy)]
pub enum TotpOwner<'a> {
    /// A signed-in user.
    AccessToken(&'a str),
    /// One who must set it up to sign in.
    Session(&'a str),
}

/// What `AssociateSoftwareToken` answers.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret {
    /// `SecretCode`, base32.
    pub secret_code: String,
    /// `Session`, if it was set up with one.
    pub session: Option<String>,
}

/// What `GetUser` answers.
#[derive(Clone, PartialEq, Eq)]
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

/// Of one second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaSetting {
    /// `Enabled`.
    pub enabled: bool,
    /// `PreferredMfa`.
    pub preferred: bool,
}

/// What `SetUserMFAPreference` takes; `None` leaves a setting as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaPreference {
    /// One-time passwords by email.
    pub email: Option<MfaSetting>,
    /// Text messages.
    pub sms: Option<MfaSetting>,
    /// An authenticator app.
    pub software_token: Option<MfaSetting>,
}

/// The user pools API: a method an operation.
///
/// # Errors
/// Every method: a [`Failure`].
#[allow(missing_docs, clippy::missing_errors_doc)]
pub trait UserPool {
    fn sign_up(&self, username: &str, password: &str, attributes: &[Attribute]) -> Result<(), Failure>;
    fn confirm_sign_up(&self, username: &str, code: &str) -> Result<(), Failure>;
    fn resend_confirmation_code(&self, username: &str) -> Result<(), Failure>;
    fn initiate_auth(&self, username: &str, password: &str) -> Result<AuthReply, Failure>;
    /// `InitiateAuth` with `USER_SRP_AUTH`, for the password that the implementation holds.
    fn begin_srp(&self, username: &str) -> Result<AuthReply, Failure>;
    /// `RespondToAuthChallenge` with `PASSWORD_VERIFIER`.
    fn prove_srp(&self) -> Result<AuthReply, Failure>;
    fn respond_to_auth_challenge(&self, response: ChallengeResponse<'_>) -> Result<AuthReply, Failure>;
    fn associate_software_token(&self, owner: TotpOwner<'_>) -> Result<TotpSecret, Failure>;
    fn verify_software_token(
        &self,
        owner: TotpOwner<'_>,
        code: &str,
        device_name: Option<&str>,
    ) -> Result<Option<String>, Failure>;
    fn refresh_token_auth(&self, refresh_token: &str, username: Option<&str>) -> Result<AuthReply, Failure>;
    fn get_tokens_from_refresh_token(&self, refresh_token: &str) -> Result<Tokens, Failure>;
    fn forgot_password(&self, username: &str) -> Result<(), Failure>;
    fn confirm_forgot_password(&self, username: &str, code: &str, password: &str) -> Result<(), Failure>;
    fn change_password(&self, access_token: &str, previous: &str, proposed: &str) -> Result<(), Failure>;
    fn get_user(&self, access_token: &str) -> Result<User, Failure>;
    /// Where a code goes is left out: it would tell whether an address was taken.
    fn update_user_attributes(&self, access_token: &str, attributes: &[Attribute]) -> Result<(), Failure>;
    /// The same.
    fn get_user_attribute_verification_code(&self, access_token: &str, attribute: &str) -> Result<(), Failure>;
    fn verify_user_attribute(&self, access_token: &str, attribute: &str, code: &str) -> Result<(), Failure>;
    fn global_sign_out(&self, access_token: &str) -> Result<(), Failure>;
    fn revoke_token(&self, refresh_token: &str) -> Result<(), Failure>;
    fn delete_user(&self, access_token: &str) -> Result<(), Failure>;
    fn set_user_mfa_preference(&self, access_token: &str, preference: MfaPreference) -> Result<(), Failure>;
}
