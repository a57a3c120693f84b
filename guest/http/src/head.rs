//! The head of a request, for `poolgate-edge`.

use crate::bindings::wasi::http::types::{Headers, Method, Request};
use poolgate_edge::RequestHead;
use std::borrow::Cow;

pub struct WasiRequestHead {
    method: String,
    target: String,
    authority: Option<String>,
    headers: Headers,
}

impl WasiRequestHead {
    pub fn of(request: &Request) -> Self {
        let method = match request.get_method() {
            Method::Get => "GET".to_owned(),
            Method::Head => "HEAD".to_owned(),
            Method::Post => "POST".to_owned(),
            Method::Put => "PUT".to_owned(),
            Method::Delete => "DELETE".to_owned(),
            Method::Connect => "CONNECT".to_owned(),
            Method::Options => "OPTIONS".to_owned(),
            Method::Trace => "TRACE".to_owned(),
            Method::Patch => "PATCH".to_owned(),
            Method::Other(name) => name,
        };
        // A request without a path gets an empty one, which no rule matches.
        let target = request.get_path_with_query().unwrap_or_default();
        Self { method, target, authority: request.get_authority(), headers: request.get_headers() }
    }
}

impl RequestHead for WasiRequestHead {
    fn method(&self) -> &str {
        &self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let values = self.headers.get(name);
        match values.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(String::from_utf8_lossy(value).into_owned().into())),
            _ => Err(()),
        }
    }

    fn authority(&self) -> Result<Option<Cow<'_, str>>, ()> {
        // A host may also pass on the `Host` field, which must be the same.
        match (self.authority.as_deref(), self.header("host")?) {
            (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(&host) => Err(()),
            (authority, host) => Ok(authority.map(Cow::Borrowed).or(host)),
        }
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.headers.copy_all() {
            visit(name.to_ascii_lowercase().as_bytes(), &value);
        }
    }
}
