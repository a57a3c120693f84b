//! Response bodies.

use crate::accounts::{Accepted, AliasChange, Challenge, Delivery, SignedIn, Tokens, User};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where a code is sent
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryBody {
    /// `email`, `sms`, or `on-file` (the address or number of the account)
    #[schema(example = "email")]
    medium: &'static str,
    /// The address or number in the request, masked. `null` if the request has none
    #[schema(example = "a***@e***")]
    destination: Option<String>,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        Self { medium: delivery.medium.name(), destination: delivery.destination }
    }
}

/// A code is sent if there is an account to send it to
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedBody {
    delivery: DeliveryBody,
}

impl From<Accepted> for AcceptedBody {
    /// Drops `suppressed_error`, which must not reach a client.
    fn from(accepted: Accepted) -> Self {
        Self { delivery: accepted.delivery.into() }
    }
}

/// Where codes are sent if the user pool sends them: the email addresses and phone numbers in the request
#[derive(Serialize, ToSchema)]
pub(crate) struct Deliveries {
    deliveries: Vec<DeliveryBody>,
}

impl From<Vec<AliasChange>> for Deliveries {
    /// Drops `suppressed_error`, which must not reach a client.
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
    /// `null` if the gateway stores it in a cookie, or if the previous refresh token stays valid
    refresh_token: Option<String>,
    /// The lifetime of the access token, in seconds
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

/// A further step that Cognito requires. Respond with `/v1/answer-challenge`
#[derive(Serialize, ToSchema)]
pub(crate) struct ChallengeBody {
    /// `new-password-required`, `software-token-mfa`, `sms-mfa`, `email-otp` or `mfa-setup`
    #[schema(example = "software-token-mfa")]
    name: &'static str,
    /// Send it with the response. Valid for a few minutes
    session: String,
    /// Send it with the response
    username: String,
    /// Where the code was sent
    delivery: Option<DeliveryBody>,
    /// The attributes that must be set together with a new password
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

/// The result of a sign-in step
#[derive(Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub(crate) enum SignedInBody {
    /// The user is signed in
    SignedIn { tokens: TokensBody },
    /// Cognito requires a further step
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
    /// The secret for the app, in base32 (RFC 4648)
    pub(crate) secret_code: String,
    /// Send it to `/v1/totp/verify`. `null` for a signed-in user
    pub(crate) session: Option<String>,
}

/// The authenticator app is set up
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpVerified {
    /// Send it to `/v1/answer-challenge`. `null` for a signed-in user
    pub(crate) session: Option<String>,
}

/// The user pool's data about the signed-in user
#[derive(Serialize, ToSchema)]
pub(crate) struct UserBody {
    username: String,
    /// Attributes of the user, by name
    attributes: BTreeMap<String, String>,
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
