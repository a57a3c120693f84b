//! Conversions between the public types and those of the WIT bindings.

use super::{
    bindings::{exports::poolgate::auth::accounts as wit, poolgate::auth::user_pool as pool},
    types::{
        Accepted, AliasChange, Attribute, Challenge, ChallengeAnswer, Delivery, MfaPreference, MfaSetting, TotpOwner,
        TotpSecret, User,
    },
};
use secrecy::{ExposeSecret, SecretString};

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
