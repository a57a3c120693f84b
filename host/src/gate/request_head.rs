//! The head of a request.

use crate::bindings::exports::poolgate::auth::gate::{HeaderField, RequestHead as Contents};
use axum::http::{HeaderMap, Uri, header, uri::Authority};
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

/// Returns the host of a request: that of its target, or the only field `Host`. Returns `None` if there is none, or if there are several that
/// differ.
pub(crate) fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let mut fields = headers.get_all(header::HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (Some(field), None) => Some(field.to_str().ok()?),
        (Some(_), Some(_)) => return None,
        (None, _) => None,
    };
    match (uri.authority().map(Authority::as_str), field) {
        (Some(authority), Some(field)) if !authority.eq_ignore_ascii_case(field) => None,
        (authority, field) => authority.or(field),
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_host_is_unknown_if_a_request_has_two() {
        for (uri, fields, host) in [
            ("/a", &["a.example"][..], Some("a.example")),
            ("/a", &[], None),
            ("/a", &["a.example", "a.example"], None),
            ("https://a.example/b", &[], Some("a.example")),
            ("https://a.example/b", &["A.example"], Some("a.example")),
            ("https://a.example/b", &["b.example"], None),
        ] {
            let values = fields.iter().map(|field| (header::HOST, HeaderValue::from_static(field)));
            assert_eq!(host_of(&uri.parse().expect("a URI"), &values.collect()), host, "{uri} {fields:?}");
        }
    }
}
