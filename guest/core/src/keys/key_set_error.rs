//! Why a JWK Set is rejected.

/// Why a JWK Set is rejected. The current key set stays in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySetError {
    /// No pool has this issuer.
    UnknownIssuer,
    /// No pool uses this JWKS URL.
    UnknownUrl,
    /// The set is older than the hard lifetime, so no token could be verified with it.
    TooOld,
    /// The current key set was fetched later than this one.
    OlderThanCurrent,
    /// The set is longer than the limit.
    TooLarge,
    /// The set is not JSON, is nested too deeply, or is not an object with an array `keys`.
    Malformed,
    /// Two members have the same name, outside the keys.
    DuplicateMember,
    /// The set has more keys than the limit.
    TooManyKeys,
    /// The set has no keys; or it has no usable key, while the current key set has one.
    NoUsableKey,
    /// The response is 304 (Not Modified), but there is no current key set.
    NotModifiedWithoutKeys,
}
