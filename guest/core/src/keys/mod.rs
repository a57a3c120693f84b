//! The fifth room: from issuer and key ID to a prepared key, or to the URL that must be fetched first.

mod bucket;
mod endpoint;
mod jitter;
mod jwk;
mod key_set;
mod logical_time;
mod monotonic_clock;
mod policy;
mod store;
mod unknown;

pub(crate) use endpoint::{KeyLookupError, Lookup};
pub use key_set::{Found, KeySet};
pub use logical_time::LogicalTime;
pub(crate) use monotonic_clock::Instant;
pub use policy::KeyPolicy;
pub(crate) use store::{JwksEndpointId, KeyStore, MissingKeyAction};

use alloc::{boxed::Box, string::String, vec::Vec};

/// What is wrong with a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a JSON object, or a member of a wrong type.
    Malformed,
    /// An object in it has two members of the same name.
    DuplicateMember,
    /// `kid` is error or empty: no token can name it.
    NoKeyId,
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong,
    /// An earlier key of the set has the same `kid`.
    DuplicateKeyId,
    /// `kty` is error.
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
    /// A required member (`n`, `e`, `crv`, `x`, `y`) is error.
    MissingMember,
    /// A number is not canonical base64url, not minimal, or not of the curve's length.
    BadEncoding,
    /// An RSA modulus under 2,048 bits.
    ModulusTooSmall,
    /// An RSA modulus over 8,192 bits.
    ModulusTooLarge,
    /// An even RSA modulus.
    ModulusEven,
    /// An RSA public exponent that is even, under 3, or over 64 bits.
    BadExponent,
    /// The point is not on the curve, or is of small order.
    BadPoint,
}

/// An entry of a JWK Set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its endpoint in `keys`, from 0.
    pub index: u32,
    /// Its `kid`, where it has one that can be read.
    pub key_id: Option<Box<str>>,
    /// What is wrong with it.
    pub error: KeyError,
}

/// Why a JWK Set was not taken. The keys held before stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySetError {
    /// No pool has this issuer.
    UnknownIssuer,
    /// No pool's keys come from this URL.
    UnknownUrl,
    /// Older than the hard lifetime: it would verify nothing.
    TooOld,
    /// The set held now was fetched later than this one.
    OlderThanCurrent,
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
    /// The server says not modified (304), but there is no set that could be unmodified.
    NotModifiedWithoutKeys,
}

/// A fetch that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The JWK Set's URL.
    pub url: String,
    /// The `kid` that it is asked for, if keys are held and this one is not among them.
    pub key_id: Option<Box<str>>,
    /// The `ETag` of the set that is held, for `If-None-Match` (RFC 9110 section 13.1.2).
    pub etag: Option<Box<str>>,
}

/// Why a fetch brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not one that is fetched from.
    Refused,
    /// No connection, a TLS failure, or a connection lost on the way.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The status is neither 200 nor 304.
    BadStatus,
    /// The body is longer than the limit.
    TooLarge,
}

/// What a fetch brought.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The body; none if the server answered that it is not modified (304, RFC 9110 section 15.4.5).
    pub body: Option<&'a [u8]>,
    /// For how many seconds more the server calls it fresh (RFC 9111 section 5.2.2.1), if it says so.
    pub max_age: Option<u64>,
    /// The `ETag` (RFC 9110 section 8.8.3). One over 256 bytes is not kept.
    pub etag: Option<&'a str>,
}

/// Why the last fetch from a endpoint did not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRefreshError {
    /// It brought nothing.
    Fetch(FetchError),
    /// What it brought was not taken.
    KeySet(KeySetError),
}

/// Whether keys verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// There are none yet.
    #[default]
    Missing,
    /// Within their soft lifetime.
    Fresh,
    /// Past it: they still verify, and are being refreshed.
    Stale,
    /// Past their hard lifetime: they verify nothing.
    Expired,
}

/// The state of the keys from one endpoint.
#[derive(Clone, Debug, Default)]
pub struct KeyReport {
    /// The issuers that use them. Empty where the issuer is not checked.
    pub issuers: Vec<String>,
    /// Where they are fetched from.
    pub url: Option<String>,
    /// Whether they are not fetched before a token needs them: so it is with a user pool's second issuer form.
    pub is_on_demand: bool,
    /// Whether they verify.
    pub state: KeyState,
    /// When the set held now was fetched or last confirmed, in seconds since the Unix epoch.
    pub fetched_at: Option<u64>,
    /// The seconds since then. A clock that stepped back does not make it less.
    pub age: Option<u64>,
    /// Seconds until the next fetch is due, 0 if it is now; none if it is a token's to ask for one.
    pub refresh_in: Option<u64>,
    /// How many different sets were taken so far: it changes whenever the keys do.
    pub generation: u64,
    /// How many fetches in a row did not help.
    pub failures: u32,
    /// Why the last of them did not.
    pub last_error: Option<KeyRefreshError>,
    /// The key IDs that tokens are verified with.
    pub key_ids: Vec<Box<str>>,
    /// Entries of the set that are not used.
    pub skipped: Vec<SkippedKey>,
}
