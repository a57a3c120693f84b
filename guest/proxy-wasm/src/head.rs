//! A request's head: all of it in one call, so that no header that stands there twice goes unseen.

use crate::header_map;
use poolgate_edge::RequestHead;
use proxy_wasm::types::Status;
use std::{borrow::Cow, ops::Range};

pub struct ProxyRequestHead {
    /// As the proxy gave them: `header_map` reads it.
    headers: Vec<u8>,
    method: Range<usize>,
    target: Range<usize>,
}

impl ProxyRequestHead {
    /// The head of the stream whose turn it is.
    pub fn read() -> Result<Self, Status> {
        let mut head = Self { headers: header_map::of_request()?, method: 0..0, target: 0..0 };
        // What has no path (CONNECT) has none that a rule could match.
        head.method = head.only(b":method").ok().flatten().unwrap_or_default();
        head.target = head.only(b":path").ok().flatten().unwrap_or_default();
        Ok(head)
    }

    /// Where the header's value is.
    fn only(&self, name: &[u8]) -> Result<Option<Range<usize>>, ()> {
        let is_it = |place: &(Range<usize>, Range<usize>)| self.headers.get(place.0.clone()) == Some(name);
        let mut values = header_map::places(&self.headers).filter(is_it).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    }

    /// What is not UTF-8 is no method that a rule names, and no path that can be read in one way only.
    fn text(&self, place: Range<usize>) -> &str {
        self.headers.get(place).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or("\u{fffd}")
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
        let value = self.only(name.as_bytes())?.and_then(|place| self.headers.get(place));
        // Mostly it is ASCII, which `from_utf8` looks at by words.
        let text = |value| str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::Borrowed);
        Ok(value.map(text))
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in header_map::places(&self.headers) {
            if let (Some(name), Some(value)) = (self.headers.get(name), self.headers.get(value)) {
                visit(name, value);
            }
        }
    }
}
