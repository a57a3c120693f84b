//! The claims that identify a token to a revocation store.

use super::entry::{Kind, key};
use crate::bindings::exports::poolgate::auth::verifier as wit;
use poolgate_revocations::Ids;
use std::fmt;

/// The claims by which a token can be revoked. The signature of the token has been verified.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationClaims {
    /// `iss`. For a user pool, this is always the form `https://cognito-idp.…`, even if the token has the other form.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `auth_time`, in whole seconds since the Unix epoch: the time at which the user signed in. A token without it is
    /// treated as older than every revocation of its user.
    pub auth_time: Option<u64>,
    /// `jti`, which identifies this token.
    pub jti: Option<String>,
    /// `origin_jti`, which is the same in all tokens issued from one refresh token.
    pub origin_jti: Option<String>,
}

/// The store keys of the entries that revoke a token.
pub(super) struct Keys {
    pub(super) jti: Option<String>,
    pub(super) origin_jti: Option<String>,
    pub(super) subject: Option<String>,
}

impl RevocationClaims {
    /// Returns the claims in the form in which a revocation feed looks them up.
    pub(super) fn ids(&self) -> Ids<'_> {
        Ids {
            issuer: self.issuer.as_deref(),
            subject: self.subject.as_deref(),
            auth_time: self.auth_time,
            jti: self.jti.as_deref(),
            origin_jti: self.origin_jti.as_deref(),
        }
    }

    /// Returns the store keys for each claim that the token has.
    pub(super) fn keys(&self) -> Keys {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        let key = |kind, id: &Option<String>| id.as_deref().map(|id| key(issuer, kind, id));
        Keys {
            jti: key(Kind::Jti, &self.jti),
            origin_jti: key(Kind::OriginJti, &self.origin_jti),
            subject: key(Kind::Subject, &self.subject),
        }
    }
}

impl From<wit::RevocationClaims> for RevocationClaims {
    fn from(claims: wit::RevocationClaims) -> Self {
        let wit::RevocationClaims { issuer, subject, auth_time, jti, origin_jti } = claims;
        Self { issuer, subject, auth_time, jti, origin_jti }
    }
}

impl fmt::Debug for RevocationClaims {
    /// Omits the claims that identify a user or a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RevocationClaims").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
