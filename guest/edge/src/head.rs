//! What an adapter tells of a request.

use std::borrow::Cow;

/// The head of a request, as an adapter reads it.
pub trait RequestHead {
    /// The method.
    fn method(&self) -> &str;

    /// The request target: path and query.
    fn target(&self) -> &str;

    /// A header's value; its name is in lower case. What is not UTF-8 counts as a value that no token has.
    ///
    /// # Errors
    /// If the header stands there more than once.
    #[expect(clippy::result_unit_err, reason = "there is nothing more to say")]
    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()>;

    /// Calls `visit` with the name, in lower case, and the value of every header, also of those that stand there more than once.
    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
}
