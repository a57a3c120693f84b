//! The head of a request.

use crate::bindings::exports::poolgate::auth::gate::{HeaderField, RequestHead as Contents};
use std::fmt;

/// The head of a request: its method, target, host and headers.
///
/// ```
/// use poolgate::RequestHead;
///
/// let head = RequestHead::new("GET", "/orders?page=2").authority("shop.example.com").header("accept", "text/html");
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequestHead(pub(super) Contents);

impl RequestHead {
    /// Creates a head without headers. `target` is the path and the query, exactly as the client sent them: nothing must have been decoded or
    /// normalized before.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self(Contents { method: method.into(), target: target.into(), authority: None, headers: Vec::new() })
    }

    /// Sets the host, with the port if it was sent: `:authority` of HTTP/2, or `Host` of HTTP/1. Leave it out if the request does not have exactly
    /// one.
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.0.authority = Some(authority.into());
        self
    }

    /// Adds a header field. Add every field that the application will receive, also those that occur more than once, as fields of their own.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.0.headers.push(HeaderField { name: name.into(), value: value.into() });
        self
    }

    /// The number of bytes of all parts.
    pub(super) fn length(&self) -> usize {
        let Contents { method, target, authority, headers } = &self.0;
        let headers: usize = headers.iter().map(|field| field.name.len() + field.value.len()).sum();
        method.len() + target.len() + authority.as_ref().map_or(0, String::len) + headers
    }
}

impl fmt::Debug for RequestHead {
    /// Omits the target, which may contain a token, and the values of the headers.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.headers.iter().map(|field| field.name.as_str()).collect();
        formatter
            .debug_struct("RequestHead")
            .field("method", &self.0.method)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}
