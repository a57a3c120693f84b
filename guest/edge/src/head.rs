//! The head of a request.

use std::borrow::Cow;

/// The head of a request, as read by an adapter.
pub trait RequestHead {
    /// Returns the method.
    fn method(&self) -> &str;

    /// Returns the request target: the path and the query.
    fn target(&self) -> &str;

    /// Returns the value of a header. `name` is in lower case. Bytes that are not UTF-8 are replaced by U+FFFD, which no token contains.
    ///
    /// # Errors
    /// If the header occurs more than once.
    #[expect(clippy::result_unit_err, reason = "there is only one possible error")]
    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()>;

    /// Returns the authority of the request: `:authority` (RFC 9113 section 8.3.1), or the `Host` field of HTTP/1 (RFC 9110 section 7.2).
    ///
    /// # Errors
    /// If the request has several that differ.
    #[expect(clippy::result_unit_err, reason = "there is only one possible error")]
    fn authority(&self) -> Result<Option<Cow<'_, str>>, ()> {
        match (self.header(":authority")?, self.header("host")?) {
            (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(&host) => Err(()),
            (authority, host) => Ok(authority.or(host)),
        }
    }

    /// Calls `visit` with the name (in lower case) and the value of every header field, including repeated ones.
    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
}
