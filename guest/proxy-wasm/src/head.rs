//! A request's head: all of it in one call, so that no header that stands there twice goes unseen.

use poolgate_edge::RequestHead;
use proxy_wasm::{
    hostcalls,
    types::{Bytes, MapType, Status},
};

pub struct Head {
    method: String,
    target: String,
    headers: Vec<(String, Bytes)>,
}

impl Head {
    /// The head of the stream whose turn it is.
    pub fn read() -> Result<Self, Status> {
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders)?;
        let mut head = Self { method: String::new(), target: String::new(), headers };
        // What has no path (CONNECT) has none that a rule could match.
        head.method = head.header(":method").ok().flatten().unwrap_or_default();
        head.target = head.header(":path").ok().flatten().unwrap_or_default();
        Ok(head)
    }

    /// Whether it is a gRPC request, whose answer must be one too.
    pub fn is_grpc(&self) -> bool {
        poolgate_edge::answer::is_grpc(self.header("content-type").ok().flatten().as_deref())
    }
}

impl RequestHead for Head {
    fn method(&self) -> &str {
        &self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<String>, ()> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(|value| text(value))),
            (_, Some(_)) => Err(()),
        }
    }
}

/// Mostly it is ASCII, which `from_utf8` looks at by words.
fn text(value: &[u8]) -> String {
    str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value).into_owned(), str::to_owned)
}
