//! Challenges: further sign-in steps after a correct password.

use super::{
    AccountError, AccountErrorCode, Attribute, ChallengeResponse, Delivery, Medium, RawChallenge, Settings, Tokens,
    input,
};
use alloc::{format, string::String, vec, vec::Vec};

/// A challenge that poolgate supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeName {
    /// `NEW_PASSWORD_REQUIRED`.
    NewPasswordRequired,
    /// `SOFTWARE_TOKEN_MFA`.
    SoftwareTokenMfa,
    /// `SMS_MFA`.
    SmsMfa,
    /// `EMAIL_OTP`.
    EmailOtp,
    /// `MFA_SETUP`.
    MfaSetup,
}

/// A challenge: a further step that Cognito requires to sign the user in.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The kind of challenge.
    pub name: ChallengeName,
    /// The session, for the response.
    pub session: String,
    /// The username that Cognito uses for the user, for the response.
    pub username: String,
    /// Where Cognito sent the code.
    pub delivery: Option<Delivery>,
    /// The attributes that must be set together with the new password. For `NEW_PASSWORD_REQUIRED` only.
    pub required_attributes: Vec<String>,
}

/// The result of a sign-in step.
#[derive(Clone, PartialEq, Eq)]
pub enum SignedIn {
    /// The user is signed in.
    Tokens(Tokens),
    /// Cognito requires a further step.
    Challenge(Challenge),
}

/// The user's response to a challenge.
#[derive(Clone, Copy)]
pub enum ChallengeAnswer<'a> {
    /// For `NEW_PASSWORD_REQUIRED`: the new password and the required attributes.
    NewPassword(&'a str, &'a [Attribute]),
    /// For `SOFTWARE_TOKEN_MFA`: the code of the authenticator app.
    SoftwareToken(&'a str),
    /// For `SMS_MFA`: the code from the text message.
    Sms(&'a str),
    /// For `EMAIL_OTP`: the code from the email.
    EmailOtp(&'a str),
    /// For `MFA_SETUP`, with the session that `verify_totp` returned.
    MfaSetup,
}

impl ChallengeName {
    const ALL: [Self; 5] =
        [Self::NewPasswordRequired, Self::SoftwareTokenMfa, Self::SmsMfa, Self::EmailOtp, Self::MfaSetup];

    /// Returns the name in the user pools API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NewPasswordRequired => "NEW_PASSWORD_REQUIRED",
            Self::SoftwareTokenMfa => "SOFTWARE_TOKEN_MFA",
            Self::SmsMfa => "SMS_MFA",
            Self::EmailOtp => "EMAIL_OTP",
            Self::MfaSetup => "MFA_SETUP",
        }
    }
}

impl RawChallenge {
    /// A challenge parameter.
    pub(super) fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

impl Challenge {
    /// Reads Cognito's challenge. `typed` is the username that was typed. `user_id` is the username in an earlier challenge, which has
    /// precedence over all others.
    pub(super) fn read(raw: RawChallenge, typed: &str, user_id: Option<&str>) -> Result<Self, AccountError> {
        let name = ChallengeName::ALL.into_iter().find(|name| name.name() == raw.name).ok_or_else(unsupported)?;
        let parameter = |key| raw.parameter(key);
        let medium = match parameter("CODE_DELIVERY_DELIVERY_MEDIUM") {
            Some("EMAIL") => Some(Medium::Email),
            Some("SMS") => Some(Medium::Sms),
            _ => None,
        };
        let destination = parameter("CODE_DELIVERY_DESTINATION").map(Into::into);
        Ok(Self {
            name,
            username: user_id.or_else(|| parameter("USER_ID_FOR_SRP")).unwrap_or(typed).into(),
            delivery: medium.map(|medium| Delivery { medium, destination }),
            required_attributes: parameter("requiredAttributes").map(required_attributes).unwrap_or_default(),
            session: raw.session.ok_or_else(unsupported)?,
        })
    }
}

fn unsupported() -> AccountError {
    let meaning = "Cognito requires a challenge that poolgate does not support";
    AccountError::new(AccountErrorCode::ChallengeUnsupported, "challenge", meaning)
}

/// Parses a JSON array of strings, each with the prefix `userAttributes.`.
fn required_attributes(json: &str) -> Vec<String> {
    let names: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    names.into_iter().map(|name| name.strip_prefix("userAttributes.").map(Into::into).unwrap_or(name)).collect()
}

impl ChallengeAnswer<'_> {
    pub(super) fn check(&self, settings: &Settings) -> Result<(), AccountError> {
        match self {
            Self::NewPassword(password, attributes) => {
                input::new_password(password, &settings.password_policy)?;
                input::attributes(attributes)
            }
            Self::SoftwareToken(code) => input::totp_code(code),
            Self::Sms(code) | Self::EmailOtp(code) => input::code(code),
            Self::MfaSetup => Ok(()),
        }
    }

    fn challenge(&self) -> ChallengeName {
        match self {
            Self::NewPassword(..) => ChallengeName::NewPasswordRequired,
            Self::SoftwareToken(_) => ChallengeName::SoftwareTokenMfa,
            Self::Sms(_) => ChallengeName::SmsMfa,
            Self::EmailOtp(_) => ChallengeName::EmailOtp,
            Self::MfaSetup => ChallengeName::MfaSetup,
        }
    }
}

impl<'a> ChallengeAnswer<'a> {
    /// The arguments of `RespondToAuthChallenge`.
    pub(super) fn response(self, username: &'a str, session: &'a str) -> ChallengeResponse<'a> {
        let responses = match self {
            Self::NewPassword(password, attributes) => {
                let attributes = attributes
                    .iter()
                    .map(|attribute| (format!("userAttributes.{}", attribute.name), attribute.value.as_str()));
                let mut responses = vec![("NEW_PASSWORD".into(), password)];
                responses.extend(attributes);
                responses
            }
            Self::SoftwareToken(code) => vec![("SOFTWARE_TOKEN_MFA_CODE".into(), code)],
            Self::Sms(code) => vec![("SMS_MFA_CODE".into(), code)],
            Self::EmailOtp(code) => vec![("EMAIL_OTP_CODE".into(), code)],
            Self::MfaSetup => Vec::new(),
        };
        ChallengeResponse { name: self.challenge().name(), username, session, responses }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: &str, parameters: &[(&str, &str)]) -> RawChallenge {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        RawChallenge { name: name.into(), session: Some("session".into()), parameters }
    }

    #[test]
    fn a_challenge_contains_the_user_the_delivery_and_the_required_attributes() {
        let parameters = [
            ("USER_ID_FOR_SRP", "anna"),
            ("CODE_DELIVERY_DELIVERY_MEDIUM", "SMS"),
            ("CODE_DELIVERY_DESTINATION", "+*******4567"),
            ("requiredAttributes", "[\"userAttributes.name\",\"userAttributes.custom:x\"]"),
        ];
        let challenge =
            Challenge::read(raw("SMS_MFA", &parameters), "anna@example.com", None).expect("the challenge is supported");
        assert_eq!(challenge.username, "anna");
        let later =
            Challenge::read(raw("SMS_MFA", &[]), "anna@example.com", Some("anna")).expect("the challenge is supported");
        assert_eq!(later.username, "anna", "the earlier challenge contains the username");
        let destination = Some("+*******4567".into());
        assert_eq!(challenge.delivery, Some(Delivery { medium: Medium::Sms, destination }));
        assert_eq!(challenge.required_attributes, ["name", "custom:x"]);
        let plain = Challenge::read(raw("MFA_SETUP", &[]), "typed", None).expect("the challenge is supported");
        assert_eq!((plain.username.as_str(), plain.delivery), ("typed", None));
    }

    #[test]
    fn an_unknown_challenge_and_one_without_a_session_are_errors() {
        let mut without = raw("SMS_MFA", &[]);
        without.session = None;
        for raw in [raw("DEVICE_SRP_AUTH", &[]), without] {
            let error = Challenge::read(raw, "anna", None).err().expect("the challenge is not supported");
            assert_eq!(error.code, AccountErrorCode::ChallengeUnsupported);
        }
    }
}
