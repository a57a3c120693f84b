//! The head of a request, read in one call, so that a header that occurs twice is noticed.

use crate::header_map;
use poolgate_edge::RequestHead;
use proxy_wasm::types::Status;
use std::{borrow::Cow, ops::Range};

pub struct ProxyRequestHead {
    /// The header map in the proxy's format; see `header_map`.
    headers: Vec<u8>,
    method: Range<usize>,
    target: Range<usize>,
}

impl ProxyRequestHead {
    /// Reads the head of the current stream's request.
    pub fn read() -> Result<Self, Status> {
        let mut head = Self { headers: header_map::of_request()?, method: 0..0, target: 0..0 };
        // A request without a path (CONNECT) gets an empty one, which no rule matches.
        head.method = head.only(b":method").ok().flatten().unwrap_or_default();
        head.target = head.only(b":path").ok().flatten().unwrap_or_default();
        Ok(head)
    }

    /// Returns the position of the header's value. Fails if the header occurs more than once.
    fn only(&self, name: &[u8]) -> Result<Option<Range<usize>>, ()> {
        let is_it = |entry: &(Range<usize>, Range<usize>)| self.headers.get(entry.0.clone()) == Some(name);
        let mut values = header_map::entries(&self.headers).filter(is_it).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    }

    /// Text that is not UTF-8 becomes U+FFFD: no rule names such a method, and such a path is rejected.
    fn text(&self, position: Range<usize>) -> &str {
        self.headers.get(position).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or("\u{fffd}")
    }
}

impl RequestHead for ProxyRequestHead {
    fn method(&self) -> &str {
        self.text(self.method.clone())
    }

    fn target(&self) -> &str {
        self.text(self.target.clone())
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let value = self.only(name.as_bytes())?.and_then(|position| self.headers.get(position));
        // Most values are ASCII, which `from_utf8` checks word by word.
        let text = |value| str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::Borrowed);
        Ok(value.map(text))
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in header_map::entries(&self.headers) {
            if let (Some(name), Some(value)) = (self.headers.get(name), self.headers.get(value)) {
                visit(name, value);
            }
        }
    }
}
