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

    /// Calls `visit` with the name (in lower case) and the value of every header field, including repeated ones.
    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
}
