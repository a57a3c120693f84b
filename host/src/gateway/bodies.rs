//! What goes in and out as JSON.

use crate::accounts::{
    Accepted, AliasChange, Attribute, Challenge, ChallengeAnswer, Delivery, MfaPreference, MfaSetting, SignedIn,
    Tokens, User,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Attributes by name, such as `email`.
type Attributes = BTreeMap<String, String>;

pub(crate) fn attributes(attributes: Attributes) -> Vec<Attribute> {
    attributes.into_iter().map(|(name, value)| Attribute { name, value }).collect()
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUp {
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub(crate) password: SecretString,
    /// Attributes of the user, by name
    #[serde(default)]
    pub(crate) attributes: Attributes,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmSignUp {
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    /// The code that was sent
    #[schema(value_type = String, format = Password)]
    pub(crate) code: SecretString,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Username {
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
}

/// How a user signs in
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignInMethod {
    /// `USER_PASSWORD_AUTH`
    #[default]
    Password,
    /// `USER_SRP_AUTH`: the password is not sent to Cognito
    Srp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub(crate) password: SecretString,
    #[serde(default)]
    #[schema(inline)]
    pub(crate) method: SignInMethod,
}

/// An answer to a challenge
#[derive(Deserialize, ToSchema)]
#[serde(tag = "challenge", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum AnswerBody {
    NewPasswordRequired {
        #[schema(value_type = String, format = Password, max_length = 256)]
        password: SecretString,
        /// The attributes that the challenge asks for
        #[serde(default)]
        attributes: Attributes,
    },
    SoftwareTokenMfa {
        #[schema(value_type = String, format = Password)]
        code: SecretString,
    },
    SmsMfa {
        #[schema(value_type = String, format = Password)]
        code: SecretString,
    },
    EmailOtp {
        #[schema(value_type = String, format = Password)]
        code: SecretString,
    },
    /// With the session that `/v1/totp/verify` answered
    MfaSetup {},
}

impl From<AnswerBody> for ChallengeAnswer {
    fn from(body: AnswerBody) -> Self {
        match body {
            AnswerBody::NewPasswordRequired { password, attributes: stated } => {
                Self::NewPassword(password, attributes(stated))
            }
            AnswerBody::SoftwareTokenMfa { code } => Self::SoftwareToken(code),
            AnswerBody::SmsMfa { code } => Self::Sms(code),
            AnswerBody::EmailOtp { code } => Self::EmailOtp(code),
            AnswerBody::MfaSetup {} => Self::MfaSetup,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerChallenge {
    /// The name that came with the challenge
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    /// The session that came with the challenge
    #[schema(value_type = String, format = Password)]
    pub(crate) session: SecretString,
    pub(crate) answer: AnswerBody,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssociateTotp {
    /// The session of the challenge `mfa-setup`; without it, the bearer token says who it is
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) session: Option<SecretString>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyTotp {
    /// The session that `/v1/totp/associate` answered; without it, the bearer token says who it is
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) session: Option<SecretString>,
    /// Six digits
    #[schema(value_type = String, format = Password, pattern = "^[0-9]{6}$")]
    pub(crate) code: SecretString,
    /// A name for the device
    #[schema(max_length = 128)]
    pub(crate) device_name: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// Not where it comes in a cookie
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) refresh_token: Option<SecretString>,
    /// The user's name or `sub`: needed only for `REFRESH_TOKEN_AUTH` of an app client with a secret
    pub(crate) username: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeToken {
    /// Not where it comes in a cookie
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) refresh_token: Option<SecretString>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmForgotPassword {
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    /// The code that was sent
    #[schema(value_type = String, format = Password)]
    pub(crate) code: SecretString,
    /// The new password
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub(crate) password: SecretString,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub(crate) previous: SecretString,
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub(crate) proposed: SecretString,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateAttributes {
    /// The new values, by name
    pub(crate) attributes: Attributes,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttributeName {
    #[schema(example = "email", min_length = 1, max_length = 32)]
    pub(crate) attribute: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyAttribute {
    #[schema(example = "email", min_length = 1, max_length = 32)]
    pub(crate) attribute: String,
    /// The code that was sent
    #[schema(value_type = String, format = Password)]
    pub(crate) code: SecretString,
}

/// A second factor
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Factor {
    /// Whether it may be used
    pub(crate) enabled: bool,
    /// Whether it is asked for first
    #[serde(default)]
    pub(crate) preferred: bool,
}

/// What is left out stays as it is
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MfaBody {
    pub(crate) email: Option<Factor>,
    pub(crate) sms: Option<Factor>,
    pub(crate) software_token: Option<Factor>,
}

impl From<MfaBody> for MfaPreference {
    fn from(body: MfaBody) -> Self {
        let setting = |factor: Factor| MfaSetting { enabled: factor.enabled, preferred: factor.preferred };
        Self {
            email: body.email.map(setting),
            sms: body.sms.map(setting),
            software_token: body.software_token.map(setting),
        }
    }
}

/// Where a code goes
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryBody {
    /// `email`, `sms`, or `on-file`: to the address or number that the account has
    #[schema(example = "email")]
    medium: &'static str,
    /// Masked; `null` if no address or number was typed
    #[schema(example = "a***@e***")]
    destination: Option<String>,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        Self { medium: delivery.medium.name(), destination: delivery.destination }
    }
}

/// A code is on its way, if there is an account that it can go to
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedBody {
    delivery: DeliveryBody,
}

impl From<Accepted> for AcceptedBody {
    /// Why it is not on its way is left out here, and nowhere else.
    fn from(accepted: Accepted) -> Self {
        Self { delivery: accepted.delivery.into() }
    }
}

/// Where codes go, if the user pool sends them: to the email addresses and phone numbers that were typed
#[derive(Serialize, ToSchema)]
pub(crate) struct Deliveries {
    deliveries: Vec<DeliveryBody>,
}

impl From<Vec<AliasChange>> for Deliveries {
    /// Why one is not on its way is left out.
    fn from(changes: Vec<AliasChange>) -> Self {
        let deliveries = changes.into_iter().filter_map(|change| change.delivery);
        Self { deliveries: deliveries.map(Into::into).collect() }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TokensBody {
    /// Always `Bearer` (RFC 6750)
    token_type: &'static str,
    access_token: String,
    id_token: Option<String>,
    /// Not where it goes into a cookie; `null` also if the old one stays valid
    refresh_token: Option<String>,
    /// Seconds
    expires_in: Option<u64>,
}

impl TokensBody {
    pub(crate) fn of(tokens: &Tokens, has_refresh_cookie: bool) -> Self {
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        Self {
            token_type: "Bearer",
            access_token: text(&tokens.access_token),
            id_token: tokens.id_token.as_ref().map(text),
            refresh_token: tokens.refresh_token.as_ref().filter(|_| !has_refresh_cookie).map(text),
            expires_in: tokens.expires_in.map(|time| time.as_secs()),
        }
    }
}

/// Something more to prove, with `/v1/answer-challenge`
#[derive(Serialize, ToSchema)]
pub(crate) struct ChallengeBody {
    /// `new-password-required`, `software-token-mfa`, `sms-mfa`, `email-otp` or `mfa-setup`
    #[schema(example = "software-token-mfa")]
    name: &'static str,
    /// For the answer
    session: String,
    /// For the answer
    username: String,
    /// Where the code went
    delivery: Option<DeliveryBody>,
    /// The attributes that must come with a new password
    required_attributes: Vec<String>,
}

impl From<Challenge> for ChallengeBody {
    fn from(challenge: Challenge) -> Self {
        Self {
            name: challenge.name.name(),
            session: challenge.session.expose_secret().to_owned(),
            username: challenge.username,
            delivery: challenge.delivery.map(Into::into),
            required_attributes: challenge.required_attributes,
        }
    }
}

/// The end of a step of signing in
#[derive(Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub(crate) enum SignedInBody {
    /// Done
    SignedIn { tokens: TokensBody },
    /// There is something more to prove
    Challenged { challenge: ChallengeBody },
}

impl SignedInBody {
    pub(crate) fn of(signed_in: SignedIn, has_refresh_cookie: bool) -> Self {
        match signed_in {
            SignedIn::Tokens(tokens) => Self::SignedIn { tokens: TokensBody::of(&tokens, has_refresh_cookie) },
            SignedIn::Challenge(challenge) => Self::Challenged { challenge: challenge.into() },
        }
    }
}

/// The secret of an authenticator app that is being set up
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpSecretBody {
    /// Base32 (RFC 4648)
    pub(crate) secret_code: String,
    /// For `/v1/totp/verify`
    pub(crate) session: Option<String>,
}

/// An authenticator app is set up
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpVerified {
    /// For `/v1/answer-challenge`, if it was set up with a session
    pub(crate) session: Option<String>,
}

/// What the user pool knows of the caller
#[derive(Serialize, ToSchema)]
pub(crate) struct UserBody {
    username: String,
    attributes: Attributes,
    /// The second factors that are set up
    mfa_settings: Vec<String>,
    preferred_mfa: Option<String>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            username: user.username,
            attributes: user.attributes.into_iter().map(|it| (it.name, it.value)).collect(),
            mfa_settings: user.mfa_settings,
            preferred_mfa: user.preferred_mfa,
        }
    }
}
