//! The requests of a key fetch, which the adapter makes.

use super::key_url::KeyUrl;
use poolgate_core::FetchError;
use std::future::Future;

/// Makes requests. An adapter implements it with its HTTP client.
pub trait Requests {
    /// Makes a GET request, with `If-None-Match` if there is an ETag. It ends within the timeout of the pool; redirects are not followed; a
    /// body of more than `limit` bytes is an error.
    fn get(
        &self,
        url: &KeyUrl,
        etag: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<FetchedResponse, HttpError>>;

    /// Returns the time, in seconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Writes a line to the operator's log.
    fn log(&self, line: String);
}

/// A response of status 200 or 304.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchedResponse {
    /// The body, or `None` if the status is 304.
    pub body: Option<Vec<u8>>,
    /// For how many seconds the response stays fresh; see [`freshness`](crate::keys::freshness).
    pub max_age: Option<u64>,
    /// The `ETag`.
    pub etag: Option<String>,
}

/// Why a request has no usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// There is no complete response.
    Fetch(FetchError),
    /// The status is neither 200 nor 304.
    Status(u16),
}

impl HttpError {
    /// Returns the error for the core, which does not have the status.
    pub fn as_fetch_error(self) -> FetchError {
        match self {
            Self::Fetch(error) => error,
            Self::Status(_) => FetchError::BadStatus,
        }
    }

    /// Returns whether nothing is at the URL, for a time or for ever (RFC 9110 sections 15.5.5 and 15.5.11).
    pub(super) fn is_not_found(self) -> bool {
        matches!(self, Self::Status(404 | 410))
    }
}

impl From<FetchError> for HttpError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}
