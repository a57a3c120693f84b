//! Tokens that were revoked before they expired: who knows of them, and how a verifier asks.
//!
//! A verifier that was given a store ([`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations)) asks it last, about tokens
//! that are good in every other way, each time: also for tokens that it remembers. The sandbox decides what the answer means; without
//! one it lets no token through.

mod breaker;
mod checker;
mod memory;
#[cfg(feature = "redis")]
mod redis;

pub(crate) use checker::RevocationChecker;
pub use memory::InMemory;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisUrlError};

use crate::{Verified, bindings::exports::poolgate::auth::verifier as wit};
use serde_json::Value;
use std::{fmt, pin::Pin, time::Duration};

pub use wit::RevocationMode;

/// The longest that an access or ID token of Amazon Cognito lives (`AccessTokenValidity` and `IdTokenValidity` of an app client): an
/// entry must live as long as the longest token that it revokes.
pub const MAX_COGNITO_TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// What knows which tokens were revoked. [`InMemory`] for one process, `Redis` (feature `redis`) for many, or your own.
///
/// `now` is the verifier's clock, in seconds since the Unix epoch. Futures may be dropped before their end: a verifier gives up after its
/// deadline.
pub trait Revocations: Send + Sync + 'static {
    /// Whether a token was revoked, by any of its keys. An error is no answer: what becomes of the token then, the mode says.
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, now: u64) -> RevocationFuture<'a, bool>;

    /// Remembers a revocation, for as long as the tokens live that it revokes. No earlier revocation may become less by it.
    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: u64) -> RevocationFuture<'a, ()>;

    /// The store's own time-out, if it has one: after so long it gives up on what it waits for, and starts afresh. It must be shorter than
    /// the verifier's deadline, after which the store's future is dropped: a verifier is not built otherwise.
    fn timeout(&self) -> Option<Duration> {
        None
    }
}

/// What a store will have answered.
pub type RevocationFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RevocationError>> + Send + 'a>>;

/// What a good token can be revoked by; all of it was signed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationClaims {
    /// `iss`. Of a user pool the first of its two forms, whichever the token has.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `auth_time`, in whole seconds since the Unix epoch: when the user signed in. A token without it counts as older than every
    /// sign-out.
    pub auth_time: Option<u64>,
    /// `jti`: this token alone.
    pub jti: Option<String>,
    /// `origin_jti`: all tokens that came of one refresh token.
    pub origin_jti: Option<String>,
}

impl RevocationClaims {
    /// The names of the entries that revoke it: for each kind that the token can be revoked by.
    fn keys(&self) -> Keys {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        let key = |kind, id: &Option<String>| id.as_deref().map(|id| key(issuer, kind, id));
        Keys {
            jti: key(Kind::Jti, &self.jti),
            origin_jti: key(Kind::OriginJti, &self.origin_jti),
            subject: key(Kind::Subject, &self.subject),
        }
    }
}

struct Keys {
    jti: Option<String>,
    origin_jti: Option<String>,
    subject: Option<String>,
}

impl From<wit::RevocationClaims> for RevocationClaims {
    fn from(revocable: wit::RevocationClaims) -> Self {
        let wit::RevocationClaims { issuer, subject, auth_time, jti, origin_jti } = revocable;
        Self { issuer, subject, auth_time, jti, origin_jti }
    }
}

impl fmt::Debug for RevocationClaims {
    /// Leaves out what names a person or a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RevocationClaims").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What is revoked, of the tokens of one issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Revocation {
    issuer: String,
    kind: Kind,
    id: String,
    /// Of a user: tokens with an `auth_time` up to here, in seconds since the Unix epoch.
    until: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jti,
    OriginJti,
    Subject,
}

impl Revocation {
    /// One token, by its `jti`.
    pub fn token(issuer: impl Into<String>, jti: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), kind: Kind::Jti, id: jti.into(), until: 0 }
    }

    /// All tokens that came of one refresh token, by their `origin_jti`: what `RevokeToken` revokes.
    pub fn sign_in(issuer: impl Into<String>, origin_jti: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), kind: Kind::OriginJti, id: origin_jti.into(), until: 0 }
    }

    /// All tokens of a user who signed in at `until` or before, in seconds since the Unix epoch: what `GlobalSignOut` and
    /// `AdminUserGlobalSignOut` revoke. Give the time after Cognito has confirmed it: who signs in again within that very second must do
    /// so once more.
    pub fn user(issuer: impl Into<String>, subject: impl Into<String>, until: u64) -> Self {
        Self { issuer: issuer.into(), kind: Kind::Subject, id: subject.into(), until }
    }

    /// The sign-in that a token came of; `None` if the token has no `origin_jti` or no `iss`.
    pub fn sign_in_from_claims(verified: &Verified) -> Option<Self> {
        let payload: Value = serde_json::from_str(&verified.payload).ok()?;
        Some(Self::sign_in(verified.issuer.clone()?, payload.get("origin_jti")?.as_str()?))
    }

    /// All tokens of a token's user who signed in at `until` or before; `None` if the token has no `sub` or no `iss`.
    pub fn user_from_claims(verified: &Verified, until: u64) -> Option<Self> {
        Some(Self::user(verified.issuer.clone()?, verified.subject.clone()?, until))
    }

    fn key(&self) -> String {
        key(&self.issuer, self.kind, &self.id)
    }
}

impl fmt::Debug for Revocation {
    /// Leaves out what names a person or a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, kind, .. } = self;
        formatter.debug_struct("Revocation").field("issuer", issuer).field("kind", kind).finish_non_exhaustive()
    }
}

/// `<issuer>:<kind>:<id>`. A user pool has two forms of issuer, and its users are the same under both.
fn key(issuer: &str, kind: Kind, id: &str) -> String {
    let (start, rest) = match issuer.strip_prefix("https://issuer-cognito-idp.") {
        Some(rest) => ("https://cognito-idp.", rest),
        None => ("", issuer),
    };
    let kind = match kind {
        Kind::Jti => "jti",
        Kind::OriginJti => "origin_jti",
        Kind::Subject => "sub",
    };
    format!("{start}{rest}:{kind}:{id}")
}

/// Why a store does not answer. It holds no address, no password and nothing of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationError {
    /// The verifier has no store.
    NoStore,
    /// No connection, or one that was lost.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// It was not asked: it has not answered several times in a row, and is tried again a moment later.
    CircuitOpen,
    /// The store said something else than an answer: a wrong password, no permission, no memory.
    Refused,
    /// There is no room: as many revocations as there may be are still needed.
    Full,
}

impl RevocationError {
    /// A stable name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            RevocationError::NoStore => "no-store",
            RevocationError::Unreachable => "unreachable",
            RevocationError::TimedOut => "timed-out",
            RevocationError::CircuitOpen => "circuit-open",
            RevocationError::Refused => "refused",
            RevocationError::Full => "full",
        }
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the store of revoked tokens does not answer: {}", self.name())
    }
}

impl std::error::Error for RevocationError {}
