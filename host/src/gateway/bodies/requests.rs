//! Request bodies.

use crate::accounts::{Attribute, ChallengeAnswer, MfaPreference, MfaSetting};
use secrecy::SecretString;
use serde::Deserialize;
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
    /// The code that the user received
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

/// The response to a challenge
#[derive(Deserialize, ToSchema)]
#[serde(tag = "challenge", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum AnswerBody {
    NewPasswordRequired {
        #[schema(value_type = String, format = Password, max_length = 256)]
        password: SecretString,
        /// The attributes that the challenge requires
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
    /// With the session that `/v1/totp/verify` returned
    MfaSetup {},
}

impl From<AnswerBody> for ChallengeAnswer {
    fn from(body: AnswerBody) -> Self {
        match body {
            AnswerBody::NewPasswordRequired { password, attributes: by_name } => {
                Self::NewPassword(password, attributes(by_name))
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
    /// The `username` of the challenge
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    /// The `session` of the challenge
    #[schema(value_type = String, format = Password)]
    pub(crate) session: SecretString,
    pub(crate) answer: AnswerBody,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssociateTotp {
    /// The session of the challenge `mfa-setup`. Without it, the bearer token identifies the user
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) session: Option<SecretString>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyTotp {
    /// The session that `/v1/totp/associate` returned. Without it, the bearer token identifies the user
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) session: Option<SecretString>,
    /// The code of the authenticator app, six digits
    #[schema(value_type = String, format = Password, pattern = "^[0-9]{6}$")]
    pub(crate) code: SecretString,
    /// The name of the device
    #[schema(max_length = 128)]
    pub(crate) device_name: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The refresh token. Omit it if the gateway stores it in a cookie
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) refresh_token: Option<SecretString>,
    /// The username or `sub`. Required only for `REFRESH_TOKEN_AUTH` with an app client that has a secret
    pub(crate) username: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeToken {
    /// The refresh token. Omit it if the gateway stores it in a cookie
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) refresh_token: Option<SecretString>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmForgotPassword {
    #[schema(example = "anna", min_length = 1, max_length = 128)]
    pub(crate) username: String,
    /// The code that the user received
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
    /// The code that the user received
    #[schema(value_type = String, format = Password)]
    pub(crate) code: SecretString,
}

/// A second factor
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Factor {
    /// Whether the factor may be used
    pub(crate) enabled: bool,
    /// Whether it is requested first. At most one factor can be preferred
    #[serde(default)]
    pub(crate) preferred: bool,
}

/// The second factors to change. An omitted factor stays unchanged
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
