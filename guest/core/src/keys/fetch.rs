//! A fetch of a JWK Set, which the caller performs.

use alloc::{boxed::Box, string::String};

/// A request to fetch a JWK Set. Report its result to [`Verifier::fetched`](crate::Verifier::fetched).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The URL of the JWK Set.
    pub url: String,
    /// The `kid` for which the set is fetched, if there is a current key set that does not contain it.
    pub key_id: Option<Box<str>>,
    /// The `ETag` of the current key set, for `If-None-Match` (RFC 9110 section 13.1.2).
    pub etag: Option<Box<str>>,
}

/// Why a fetch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchError {
    /// The caller does not fetch from this URL.
    Refused,
    /// There was no connection, TLS failed, or the connection was lost.
    Unreachable,
    /// The time limit has passed.
    TimedOut,
    /// The status is neither 200 nor 304.
    BadStatus,
    /// The body is longer than the limit.
    TooLarge,
}

/// The response of a JWKS endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The body, or `None` for the status 304 (Not Modified, RFC 9110 section 15.4.5).
    pub body: Option<&'a [u8]>,
    /// The remaining freshness lifetime of the response, in seconds (RFC 9111 section 4.2), if the response has one.
    pub max_age: Option<u64>,
    /// The `ETag` (RFC 9110 section 8.8.3). One that is longer than 256 bytes is ignored.
    pub etag: Option<&'a str>,
}
