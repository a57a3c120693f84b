//! The claims by which a token can be revoked.

use crate::{EntryKind, entry_hash};

/// The claims of a verified token by which it can be revoked. A token cannot be revoked by a claim that it lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids<'a> {
    /// `iss`. An absent issuer is the same as an empty one.
    pub issuer: Option<&'a str>,
    /// `sub`.
    pub subject: Option<&'a str>,
    /// `auth_time`, in seconds since the Unix epoch. A token without it counts as older than every sign-out.
    pub auth_time: Option<u64>,
    /// `jti`.
    pub jti: Option<&'a str>,
    /// `origin_jti`.
    pub origin_jti: Option<&'a str>,
}

/// The hashes of the claims of a token. A reader that sees the same token often can keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    pub(crate) user: Option<u64>,
    pub(crate) sign_in: Option<u64>,
    pub(crate) token: Option<u64>,
    pub(crate) auth_time: u64,
}

impl Ids<'_> {
    /// Returns the hashes of the claims that the token has.
    pub fn hashes(&self) -> Hashes {
        let hash = |kind, id: Option<&str>| id.map(|id| entry_hash(kind, self.issuer, id));
        Hashes {
            user: hash(EntryKind::User, self.subject),
            sign_in: hash(EntryKind::SignIn, self.origin_jti),
            token: hash(EntryKind::Token, self.jti),
            auth_time: self.auth_time.unwrap_or(0),
        }
    }
}
