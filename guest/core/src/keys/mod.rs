//! The fifth room: from issuer and key ID to a prepared key, or to the URL that must be fetched first.

mod jwk;
mod key_set;
mod store;

pub use key_set::{Found, KeySet};
pub(crate) use store::{KeyStore, Lookup, PlaceId};

use alloc::{boxed::Box, string::String, vec::Vec};

/// What is wrong with a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFault {
    /// Not a JSON object, or a member of a wrong type.
    Malformed,
    /// An object in it has two members of the same name.
    DuplicateMember,
    /// `kid` is missing or empty: no token can name it.
    NoKeyId,
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong,
    /// An earlier key of the set has the same `kid`.
    DuplicateKeyId,
    /// `kty` is missing.
    NoKeyType,
    /// `kty` (or `crv`) is one that this build does not verify with.
    UnsupportedKeyType,
    /// A symmetric key (`kty` "oct"): it must never be in a published set.
    Symmetric,
    /// A private member: whoever reads the set can sign.
    PrivateMember,
    /// `use` is not "sig", or `key_ops` lacks "verify".
    NotForSignatures,
    /// `alg` is not a signature algorithm of the key's type.
    AlgorithmMismatch,
    /// A required member (`n`, `e`, `crv`, `x`, `y`) is missing.
    MissingMember,
    /// A number is not canonical base64url, not minimal, or not of the curve's length.
    BadEncoding,
    /// An RSA modulus under 2,048 bits.
    ModulusTooSmall,
    /// An RSA modulus over 8,192 bits.
    ModulusTooLarge,
    /// An even RSA modulus.
    ModulusEven,
    /// An RSA public exponent that is even, under 3, or not below the modulus.
    BadExponent,
    /// The point is not on the curve, or is of small order.
    BadPoint,
}

/// An entry of a JWK Set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`, from 0.
    pub index: u32,
    /// Its `kid`, where it has one that can be read.
    pub key_id: Option<Box<str>>,
    /// What is wrong with it.
    pub fault: KeyFault,
}

/// Why a JWK Set was not taken. The keys held before stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySetFault {
    /// No pool has this issuer.
    UnknownIssuer,
    /// The set held now was fetched later than this one.
    OlderThanHeld,
    /// Longer than the limit.
    TooLarge,
    /// Not JSON, nested too deep, or not an object with an array `keys`.
    Malformed,
    /// Two members of the same name, outside the keys.
    DuplicateMember,
    /// More keys than the limit.
    TooManyKeys,
    /// There is no key in it; or none can be used, and the set held now has one that can.
    NoUsableKey,
}

/// Why a fetch brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchFault {
    /// The host brings the keys by itself, with a seed.
    Later,
    /// Anything else.
    Failed,
}

/// The state of the keys from one place.
#[derive(Clone, Debug, Default)]
pub struct KeyReport {
    /// The issuers that use them. Empty where the issuer is not checked.
    pub issuers: Vec<String>,
    /// Where they are fetched from.
    pub url: Option<String>,
    /// When the set held now was fetched, in seconds since the Unix epoch.
    pub fetched_at: Option<u64>,
    /// The key IDs that tokens are verified with.
    pub key_ids: Vec<Box<str>>,
    /// Entries of the set that are not used.
    pub skipped: Vec<SkippedKey>,
}
