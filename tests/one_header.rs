//! A request with one header. Each test that needs it includes this file.

use poolgate_edge::RequestHead;
use std::borrow::Cow;

/// `GET /` with this header: its name in lower case, and its value.
pub struct OneHeader(pub &'static str, pub String);

impl RequestHead for OneHeader {
    fn method(&self) -> &str {
        "GET"
    }

    fn target(&self) -> &str {
        "/"
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        Ok((name == self.0).then_some(Cow::Borrowed(&self.1)))
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        visit(self.0.as_bytes(), self.1.as_bytes());
    }
}
