//! The question after the last room: whether a good token was revoked since it was issued.
//!
//! A signature says that a token was good when it was issued. Whether its user has signed out meanwhile only a store can say, which the
//! core cannot reach: it says what to ask for ([`RevocationClaims`]), and decides what the answer means. Nothing unverified is ever asked about.

use crate::{Reason, claims::Claims};
use alloc::string::String;

/// What becomes of a good token whose revocation can't be asked about now. There is no default: either is wrong for someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationMode {
    /// It is let through: the store's outage revives revoked tokens until they expire, and stops nobody else.
    FailOpen,
    /// It is refused with [`Reason::RevocationUnavailable`]: the store's outage stops everybody.
    FailClosed,
}

/// What the store says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationStatus {
    /// It has no entry for it.
    NotRevoked,
    /// It has one.
    Revoked,
    /// It can't be asked, or does not answer in time.
    Unavailable,
}

/// What a good token can be revoked by; all of it was signed.
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationClaims {
    /// `iss`. Of a user pool the first of its two forms, `https://cognito-idp.…`, whichever the token has: it is the same user.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `auth_time`, in whole seconds since the Unix epoch: when the user signed in. Refreshing does not change it.
    pub auth_time: Option<u64>,
    /// `jti`: this token alone.
    pub jti: Option<String>,
    /// `origin_jti`: all tokens that came of one refresh token, which `RevokeToken` revokes.
    pub origin_jti: Option<String>,
}

impl RevocationClaims {
    pub(crate) fn of(claims: &Claims, first_form: Option<&str>) -> Self {
        Self {
            issuer: first_form.or(claims.issuer.as_deref()).map(Into::into),
            subject: claims.subject.clone(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            jti: claims.jti.clone(),
            origin_jti: claims.origin_jti.clone(),
        }
    }
}

impl core::fmt::Debug for RevocationClaims {
    /// Leaves out what names a person or a token.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("RevocationClaims").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl RevocationMode {
    pub(crate) fn check(self, status: RevocationStatus) -> Result<(), Reason> {
        match (status, self) {
            (RevocationStatus::NotRevoked, _) | (RevocationStatus::Unavailable, Self::FailOpen) => Ok(()),
            (RevocationStatus::Revoked, _) => Err(Reason::Revoked),
            (RevocationStatus::Unavailable, Self::FailClosed) => Err(Reason::RevocationUnavailable),
        }
    }
}
