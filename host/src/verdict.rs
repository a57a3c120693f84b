//! What the host tells its caller of a token.

use crate::{
    bindings::{
        exports::poolgate::auth::{jws, verifier as wit},
        poolgate::auth::key_source,
    },
    sandbox::Failure,
};
use std::fmt;

pub use key_source::FetchError;
pub use wit::{
    Algorithm, ErrorCode, Hint, KeyError, KeyRefreshError, KeyReport, KeySetError, KeyState, Reason, SkippedKey,
    TokenUse,
};

/// What a verified token says. Only the sandbox's verdict becomes one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// `sub`: the user's UUID, or the client ID for machine-to-machine tokens.
    pub subject: Option<String>,
    /// `username` of an access token, `cognito:username` of an ID token, as `token_use` says.
    pub username: Option<String>,
    /// `token_use`, unless it is not checked.
    pub token_use: Option<TokenUse>,
    /// `iss`.
    pub issuer: Option<String>,
    /// The app client that passed the check: `client_id`, or the matching entry of `aud`. None where `aud` was compared with resource servers
    /// alone.
    pub client_id: Option<String>,
    /// `cognito:groups`.
    pub groups: Vec<String>,
    /// `scope`, split at spaces. ID tokens have none.
    pub scopes: Vec<String>,
    /// `iat`, in whole seconds since the Unix epoch.
    pub issued_at: Option<u64>,
    /// `exp`, in whole seconds since the Unix epoch.
    pub expires_at: u64,
    /// `auth_time`, in whole seconds since the Unix epoch.
    pub auth_time: Option<u64>,
    /// The payload as JSON text, byte for byte as it was signed, for everything else.
    pub payload: String,
    /// Whether the key is past its soft lifetime: refreshing it has not worked yet.
    pub keys_are_stale: bool,
}

impl fmt::Debug for Verified {
    /// Leaves out the payload and what names a person.
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
        }
    }
}

/// A compact JWS whose signature was verified.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedJws {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, if the header has one.
    pub key_id: Option<String>,
    /// The JOSE header as JSON text.
    pub header: String,
    /// The payload: any bytes.
    pub payload: Vec<u8>,
}

impl fmt::Debug for VerifiedJws {
    /// Leaves out header and payload.
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

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Denial {
    /// For logs and metrics. Never tell a caller.
    pub reason: Reason,
    /// For the caller.
    pub error: ErrorCode,
    /// What else there is to say to the operator, if anything. For logs. Never tell a caller.
    pub hint: Option<Hint>,
}

impl Denial {
    pub(crate) const fn new(reason: Reason, error: ErrorCode) -> Self {
        Self { reason, error, hint: None }
    }

    /// What the sandbox would say, too; the host says it first, so that a huge token is not copied there.
    pub(crate) const TOKEN_TOO_LARGE: Self = Self::new(Reason::TokenTooLarge, ErrorCode::InvalidToken);

    /// A refusal that the host itself pronounces: the token was not judged.
    pub(crate) fn unavailable(reason: Reason) -> Self {
        Self::new(reason, ErrorCode::Unavailable)
    }
}

impl From<wit::Denial> for Denial {
    fn from(denial: wit::Denial) -> Self {
        Self { reason: denial.reason, error: denial.error, hint: denial.hint }
    }
}

impl From<Failure> for Denial {
    fn from(failure: Failure) -> Self {
        Denial::unavailable(match failure {
            Failure::Deadline => Reason::SandboxTimeout,
            Failure::Memory | Failure::Trap => Reason::SandboxFailed,
        })
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the token is refused: {}", self.reason.name())
    }
}

impl std::error::Error for Denial {}

impl ErrorCode {
    /// The HTTP status.
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
            KeyRefreshError::Fetch(error) => write!(formatter, "the fetch failed: {}", error.name()),
            KeyRefreshError::KeySet(error) => write!(formatter, "the key set is refused: {}", error.name()),
        }
    }
}

impl Algorithm {
    /// The value of `alg` (RFC 7518 section 3.1, RFC 8037 section 3.1).
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
