//! A revocation: which tokens of an issuer are revoked, and the key of its entry in a store.

use crate::Verified;
use poolgate_revocations::{EntryKind, entry_hash};
use serde_json::Value;
use std::fmt;

/// A revocation of one token, of all tokens of a sign-in, or of all tokens of a user.
///
/// It always concerns the tokens of one issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Revocation {
    issuer: String,
    pub(super) kind: Kind,
    id: String,
    /// For a user: revokes tokens with an `auth_time` up to this time, in seconds since the Unix epoch.
    pub(super) until: u64,
}

/// The claim that a revocation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jti,
    OriginJti,
    Subject,
}

impl Kind {
    pub(super) fn in_feed(self) -> EntryKind {
        match self {
            Self::Jti => EntryKind::Token,
            Self::OriginJti => EntryKind::SignIn,
            Self::Subject => EntryKind::User,
        }
    }
}

impl Revocation {
    /// Revokes one token, identified by its `jti`.
    pub fn token(issuer: impl Into<String>, jti: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), kind: Kind::Jti, id: jti.into(), until: 0 }
    }

    /// Revokes all tokens issued from one refresh token, identified by their `origin_jti`.
    ///
    /// Cognito's `RevokeToken` revokes the same tokens.
    pub fn sign_in(issuer: impl Into<String>, origin_jti: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), kind: Kind::OriginJti, id: origin_jti.into(), until: 0 }
    }

    /// Revokes all tokens of a user who signed in at or before `until`, in seconds since the Unix epoch.
    ///
    /// Cognito's `GlobalSignOut` and `AdminUserGlobalSignOut` revoke the same tokens. Pass the time after Cognito has confirmed the
    /// operation. A user who signs in again within the same second must sign in once more.
    pub fn user(issuer: impl Into<String>, subject: impl Into<String>, until: u64) -> Self {
        Self { issuer: issuer.into(), kind: Kind::Subject, id: subject.into(), until }
    }

    /// Like [`sign_in`](Self::sign_in), for the sign-in that a verified token belongs to.
    ///
    /// Returns `None` if the token has no `origin_jti` or no `iss`.
    pub fn sign_in_from_claims(verified: &Verified) -> Option<Self> {
        let payload: Value = serde_json::from_str(&verified.payload).ok()?;
        Some(Self::sign_in(verified.issuer.clone()?, payload.get("origin_jti")?.as_str()?))
    }

    /// Like [`user`](Self::user), for the user of a verified token.
    ///
    /// Returns `None` if the token has no `sub` or no `iss`.
    pub fn user_from_claims(verified: &Verified, until: u64) -> Option<Self> {
        Some(Self::user(verified.issuer.clone()?, verified.subject.clone()?, until))
    }

    /// Returns the key of this entry in a store.
    pub(super) fn key(&self) -> String {
        key(&self.issuer, self.kind, &self.id)
    }

    /// Returns the hash of this entry in a revocation feed.
    pub(super) fn hash(&self) -> u64 {
        entry_hash(self.kind.in_feed(), Some(&self.issuer), &self.id)
    }

    /// Returns the time of this entry in a revocation feed. `now` is when it is stored.
    pub(super) fn time(&self, now: u64) -> u64 {
        match self.kind {
            Kind::Subject => self.until,
            Kind::Jti | Kind::OriginJti => now,
        }
    }

    /// Returns the issuer and the ID.
    #[cfg(feature = "redis")]
    pub(super) fn names(&self) -> (&str, &str) {
        (&self.issuer, &self.id)
    }
}

impl fmt::Debug for Revocation {
    /// Omits the ID, which identifies a user or a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, kind, .. } = self;
        formatter.debug_struct("Revocation").field("issuer", issuer).field("kind", kind).finish_non_exhaustive()
    }
}

/// Returns the key of an entry, `<issuer>:<kind>:<id>`. The two issuer forms of a user pool have the same users, so
/// both result in the same key.
pub(super) fn key(issuer: &str, kind: Kind, id: &str) -> String {
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
