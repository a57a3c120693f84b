//! The revocation check, which comes after all other checks.
//!
//! A signature shows that the issuer issued a token. It does not show whether the user has signed out since then. Only a store has this
//! information, and the core can't access the store. The core returns the claims for the query ([`RevocationClaims`]), which are verified
//! claims. The host queries the store, and the core decides about the token from the result.

use crate::{claims::Claims, reason::Reason};
use alloc::string::String;

/// What happens to a valid token whose revocation status is unavailable. There is no default, because each mode has a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationMode {
    /// The token is accepted. During an outage of the store, revoked tokens are accepted until they expire.
    FailOpen,
    /// The token is rejected with [`Reason::RevocationUnavailable`]. During an outage of the store, all tokens are rejected.
    FailClosed,
}

/// The revocation status of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationStatus {
    /// The store has no entry for the token.
    NotRevoked,
    /// The store has an entry for the token.
    Revoked,
    /// The store is unavailable, or did not respond in time.
    Unavailable,
}

/// The claims by which a valid token can be revoked. Their signature was verified.
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationClaims {
    /// `iss`. For a user pool, always the first of its two issuer URLs, `https://cognito-idp.…`, because both stand for the same users.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `auth_time`, in whole seconds since the Unix epoch: when the user signed in. A refresh does not change it.
    pub auth_time: Option<u64>,
    /// `jti`, which identifies this token.
    pub jti: Option<String>,
    /// `origin_jti`, which identifies all tokens issued from one refresh token. `RevokeToken` revokes them.
    pub origin_jti: Option<String>,
}

impl RevocationClaims {
    pub(crate) fn of(claims: &Claims, first_issuer: Option<&str>) -> Self {
        Self {
            issuer: first_issuer.or(claims.issuer.as_deref()).map(Into::into),
            subject: claims.subject.clone(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            jti: claims.jti.clone(),
            origin_jti: claims.origin_jti.clone(),
        }
    }
}

impl core::fmt::Debug for RevocationClaims {
    /// Omits what identifies a person or a token.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("RevocationClaims").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl RevocationMode {
    /// Decides about a token with this status.
    pub(crate) fn check(self, status: RevocationStatus) -> Result<(), Reason> {
        match (status, self) {
            (RevocationStatus::NotRevoked, _) | (RevocationStatus::Unavailable, Self::FailOpen) => Ok(()),
            (RevocationStatus::Revoked, _) => Err(Reason::Revoked),
            (RevocationStatus::Unavailable, Self::FailClosed) => Err(Reason::RevocationUnavailable),
        }
    }
}
