//! The operations of the user pools API that the flows use. The implementation owns the network connection, the app client and its
//! secret.

use alloc::{string::String, vec::Vec};

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Cognito returned this exception, by its name in the service model.
    Exception(String),
    /// The call timed out.
    TimedOut,
    /// There was no connection, or no valid reply.
    Unreachable,
    /// Too many calls are in progress.
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

/// A challenge as Cognito returns it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawChallenge {
    /// `ChallengeName`.
    pub name: String,
    /// `Session`.
    pub session: Option<String>,
    /// `ChallengeParameters`.
    pub parameters: Vec<(String, String)>,
}

/// The reply to a sign-in step.
#[derive(Clone, PartialEq, Eq)]
pub enum AuthReply {
    /// The user is signed in.
    Tokens(Tokens),
    /// Cognito requires a further step.
    Challenge(RawChallenge),
}

/// A response to a challenge.
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

/// Who sets up an authenticator app.
#[derive(Clone, Copy)]
pub enum TotpOwner<'a> {
    /// A signed-in user.
    AccessToken(&'a str),
    /// A user who must set up an authenticator app to sign in.
    Session(&'a str),
}

/// The reply of `AssociateSoftwareToken`.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret {
    /// `SecretCode`, base32.
    pub secret_code: String,
    /// `Session`, if the call had a session.
    pub session: Option<String>,
}

/// The reply of `GetUser`.
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

/// The setting of one second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaSetting {
    /// `Enabled`.
    pub enabled: bool,
    /// `PreferredMfa`.
    pub preferred: bool,
}

/// The argument of `SetUserMFAPreference`. `None` leaves a setting unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaPreference {
    /// One-time passwords by email.
    pub email: Option<MfaSetting>,
    /// Text messages.
    pub sms: Option<MfaSetting>,
    /// An authenticator app.
    pub software_token: Option<MfaSetting>,
}

/// The user pools API, with one method per operation.
///
/// # Errors
/// Every method returns a [`Failure`].
#[allow(missing_docs, clippy::missing_errors_doc)]
pub trait UserPool {
    fn sign_up(&self, username: &str, password: &str, attributes: &[Attribute]) -> Result<(), Failure>;
    fn confirm_sign_up(&self, username: &str, code: &str) -> Result<(), Failure>;
    fn resend_confirmation_code(&self, username: &str) -> Result<(), Failure>;
    fn initiate_auth(&self, username: &str, password: &str) -> Result<AuthReply, Failure>;
    /// `InitiateAuth` with `USER_SRP_AUTH`. The implementation knows the password.
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
    /// Returns no delivery details, because they would reveal whether an address is taken.
    fn update_user_attributes(&self, access_token: &str, attributes: &[Attribute]) -> Result<(), Failure>;
    /// Returns no delivery details, for the same reason.
    fn get_user_attribute_verification_code(&self, access_token: &str, attribute: &str) -> Result<(), Failure>;
    fn verify_user_attribute(&self, access_token: &str, attribute: &str, code: &str) -> Result<(), Failure>;
    fn global_sign_out(&self, access_token: &str) -> Result<(), Failure>;
    fn revoke_token(&self, refresh_token: &str) -> Result<(), Failure>;
    fn delete_user(&self, access_token: &str) -> Result<(), Failure>;
    fn set_user_mfa_preference(&self, access_token: &str, preference: MfaPreference) -> Result<(), Failure>;
}
