//! An entry of the feed: the hash of what is revoked, and a time.

use sha2::{Digest, Sha256};

/// The number of bytes of an entry in a document.
pub(crate) const ENTRY_BYTES: usize = 12;
/// An entry in a document: the hash and the time, big-endian.
pub(crate) type EntryBytes = [u8; ENTRY_BYTES];

/// The first and the second form of the issuer of a Cognito user pool. The users and tokens of both are the same.
const FIRST_FORM: &str = "https://cognito-idp.";
const SECOND_FORM: &str = "https://issuer-cognito-idp.";

/// A revocation in the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The result of [`entry_hash`].
    pub hash: u64,
    /// In seconds since the Unix epoch. For [`EntryKind::User`]: tokens with an `auth_time` up to it are revoked, and tokens without one. For the
    /// other kinds: when the revocation was made.
    pub time: u32,
}

/// What an entry revokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// All tokens of a user who signed in up to a time. The ID is `sub`.
    User,
    /// All tokens that were issued from one refresh token. The ID is `origin_jti`.
    SignIn,
    /// One token. The ID is `jti`.
    Token,
}

impl EntryKind {
    fn byte(self) -> u8 {
        match self {
            Self::User => 1,
            Self::SignIn => 2,
            Self::Token => 3,
        }
    }
}

/// Returns the hash of an entry: the first 8 bytes of SHA-256 of the kind, the length of the issuer in 4 bytes, the issuer and the ID.
///
/// An absent issuer is the same as an empty one. The two forms of the issuer of a Cognito user pool have the same hash.
pub fn entry_hash(kind: EntryKind, issuer: Option<&str>, id: &str) -> u64 {
    let issuer = issuer.unwrap_or_default();
    let (start, rest) = match issuer.strip_prefix(SECOND_FORM) {
        Some(rest) => (FIRST_FORM, rest),
        None => ("", issuer),
    };
    // No issuer has 4 GiB.
    let length = u32::try_from(start.len() + rest.len()).unwrap_or(u32::MAX);
    let mut sha256 = Sha256::new();
    sha256.update([kind.byte()]);
    sha256.update(length.to_be_bytes());
    sha256.update(start);
    sha256.update(rest);
    sha256.update(id);
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(sha256.finalize());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

impl Entry {
    pub(crate) fn to_bytes(self) -> EntryBytes {
        let [a, b, c, d, e, f, g, h] = self.hash.to_be_bytes();
        let [i, j, k, l] = self.time.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    pub(crate) fn from_bytes(bytes: &EntryBytes) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        Self { hash: u64::from_be_bytes([a, b, c, d, e, f, g, h]), time: u32::from_be_bytes([i, j, k, l]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01";
    const SECOND: &str = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01";

    #[test]
    fn the_hash_is_the_documented_one() {
        // printf '\x03\x00\x00\x00\x01ab' | sha256sum
        assert_eq!(entry_hash(EntryKind::Token, Some("a"), "b"), 0x12b5_5af4_8186_75f6);
    }

    #[test]
    fn kinds_issuers_and_ids_are_distinguished_and_the_two_forms_of_a_user_pool_are_not() {
        let hash = entry_hash(EntryKind::User, Some(FIRST), "id");
        assert_eq!(hash, entry_hash(EntryKind::User, Some(SECOND), "id"));
        assert_eq!(entry_hash(EntryKind::User, None, "id"), entry_hash(EntryKind::User, Some(""), "id"));
        for other in [
            entry_hash(EntryKind::SignIn, Some(FIRST), "id"),
            entry_hash(EntryKind::Token, Some(FIRST), "id"),
            entry_hash(EntryKind::User, Some(FIRST), "ID"),
            entry_hash(EntryKind::User, Some(FIRST), ""),
            entry_hash(EntryKind::User, None, "id"),
            entry_hash(EntryKind::User, Some("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE0"), "1id"),
        ] {
            assert_ne!(hash, other);
        }
    }

    #[test]
    fn the_bytes_of_an_entry_are_big_endian() {
        let entry = Entry { hash: 0x0102_0304_0506_0708, time: 0x090a_0b0c };
        assert_eq!(entry.to_bytes(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), entry);
    }
}
