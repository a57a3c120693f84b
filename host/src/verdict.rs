//! The result of a verification: the claims of a valid token, or a denial.

use crate::{
    bindings::{
        exports::poolgate::auth::{jws, verifier as wit},
        poolgate::auth::key_source,
    },
    claim_rule_lists::FittingLists,
};
use std::fmt;

pub use key_source::FetchError;
pub use wit::{
    Algorithm, ErrorCode, Hint, KeyError, KeyRefreshError, KeyReport, KeySetError, KeyState, Misfit, Reason,
    SkippedKey, TokenUse,
};

/// The claims of a verified token.
///
/// The crate creates it only from a positive result of the sandbox.
// The host does not link the core, so this type also exists in guest/core/src/verifier/verdict.rs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// `sub`: the user's UUID, or the client ID in a machine-to-machine token. It is always present unless
    /// [`Pool::any_subject`](crate::Pool::any_subject) is set.
    pub subject: Option<String>,
    /// `username` of an access token, or `cognito:username` of an ID token.
    pub username: Option<String>,
    /// `token_use`. `None` if the check is disabled.
    pub token_use: Option<TokenUse>,
    /// `iss`, the issuer.
    pub issuer: Option<String>,
    /// The app client that was checked: `client_id`, or the matching entry of `aud`. `None` if `aud` was only compared
    /// with resource servers.
    pub client_id: Option<String>,
    /// `cognito:groups`. Empty if the claim is absent.
    pub groups: Vec<String>,
    /// `scope`, split at spaces. ID tokens have no scopes.
    pub scopes: Vec<String>,
    /// `iat`, in whole seconds since the Unix epoch.
    pub issued_at: Option<u64>,
    /// `exp`, in whole seconds since the Unix epoch.
    pub expires_at: u64,
    /// `auth_time`, in whole seconds since the Unix epoch.
    pub auth_time: Option<u64>,
    /// The payload as JSON text, byte for byte as it was signed. It contains all other claims.
    pub payload: String,
    /// `true` if the key set is older than its soft lifetime, because it could not be refreshed yet.
    pub keys_are_stale: bool,
    /// The lists of [`VerifierBuilder::claim_rules`](crate::VerifierBuilder::claim_rules) that the token fits.
    pub(crate) fitting: FittingLists,
}

impl fmt::Debug for Verified {
    /// Omits the payload and the claims that identify a user.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verified")
            .field("issuer", &self.issuer)
            .field("token_use", &self.token_use)
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl From<wit::Verified> for Verified {
    fn from(verified: wit::Verified) -> Self {
        Self {
            subject: verified.subject,
            username: verified.username,
            token_use: verified.token_use,
            issuer: verified.issuer,
            client_id: verified.client_id,
            groups: verified.groups,
            scopes: verified.scopes,
            issued_at: verified.issued_at,
            expires_at: verified.expires_at,
            auth_time: verified.auth_time,
            payload: verified.payload,
            keys_are_stale: verified.keys_are_stale,
            fitting: FittingLists::of(verified.requirements),
        }
    }
}

impl Verified {
    /// Returns whether the token fits the claim rules that [`VerifierBuilder::claim_rules`](crate::VerifierBuilder::claim_rules) has added with
    /// this name. It is `false` for an unknown name.
    pub fn fits_claim_rules(&self, name: &str) -> bool {
        self.fitting.contains(name)
    }
}

/// A JWS in the compact serialization whose signature has been verified.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedJws {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, if the header has one.
    pub key_id: Option<String>,
    /// The JOSE header as JSON text.
    pub header: String,
    /// The payload, which can be any bytes.
    pub payload: Vec<u8>,
}

impl fmt::Debug for VerifiedJws {
    /// Omits the header and the payload.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedJws")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl From<jws::VerifiedJws> for VerifiedJws {
    fn from(jws: jws::VerifiedJws) -> Self {
        Self { algorithm: jws.algorithm, key_id: jws.key_id, header: jws.header, payload: jws.payload }
    }
}

/// Why a token was not accepted: it was rejected, it lacks a required group or scope, or it could not be verified.
///
/// A denial contains no part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Denial {
    /// The stable reason code, for logs and metrics. Do not send it to clients.
    pub reason: Reason,
    /// The error for the client: invalid token (401), insufficient scope (403) or unavailable (503).
    pub error: ErrorCode,
    /// A hint for the operator about a probable configuration error, for logs. Do not send it to clients.
    pub hint: Option<Hint>,
    /// With the reason `claim-mismatch`: the claim rule that the token does not fit, for logs and metrics. Do not send it to clients.
    pub misfit: Option<Misfit>,
}

impl Denial {
    pub(crate) const fn new(reason: Reason, error: ErrorCode) -> Self {
        Self { reason, error, hint: None, misfit: None }
    }

    /// The denial of a token that is too long. The component returns the same; the host checks first, so that a long
    /// token is not copied into the sandbox.
    pub(crate) const TOKEN_TOO_LARGE: Self = Self::new(Reason::TokenTooLarge, ErrorCode::InvalidToken);

    /// Returns a denial by the host: the token was not verified.
    pub(crate) fn unavailable(reason: Reason) -> Self {
        Self::new(reason, ErrorCode::Unavailable)
    }
}

impl From<wit::Denial> for Denial {
    fn from(denial: wit::Denial) -> Self {
        Self { reason: denial.reason, error: denial.error, hint: denial.hint, misfit: denial.misfit }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the token is rejected: {}", self.reason.name())
    }
}

impl std::error::Error for Denial {}

impl ErrorCode {
    /// Returns the HTTP status: 401, 403 or 503.
    pub fn status(self) -> u16 {
        match self {
            ErrorCode::InvalidToken => 401,
            ErrorCode::InsufficientScope => 403,
            ErrorCode::Unavailable => 503,
        }
    }
}

impl fmt::Display for KeyRefreshError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyRefreshError::Fetch(error) => write!(formatter, "the key fetch failed: {}", error.name()),
            KeyRefreshError::KeySet(error) => write!(formatter, "the key set was rejected: {}", error.name()),
        }
    }
}

impl Algorithm {
    /// Returns the value of `alg` (RFC 7518 section 3.1, RFC 8037 section 3.1).
    pub fn jose_name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
            Algorithm::Eddsa => "EdDSA",
        }
    }
}
