//! The head of a request, for `poolgate-edge`.

use crate::bindings::exports::poolgate::auth::gate;
use poolgate_edge::RequestHead;
use std::borrow::Cow;

/// A request's head whose names are in lower case.
pub struct Head(gate::RequestHead);

impl From<gate::RequestHead> for Head {
    fn from(mut head: gate::RequestHead) -> Self {
        head.headers.iter_mut().for_each(|field| field.name.make_ascii_lowercase());
        Self(head)
    }
}

impl RequestHead for Head {
    fn method(&self) -> &str {
        &self.0.method
    }

    fn target(&self) -> &str {
        &self.0.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let mut values = self.0.headers.iter().filter(|field| field.name == name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(field), None) => Ok(Some(String::from_utf8_lossy(&field.value))),
            (Some(_), Some(_)) => Err(()),
        }
    }

    /// The host reads it from the request. A field `Host` beside it must not name another.
    fn authority(&self) -> Result<Option<Cow<'_, str>>, ()> {
        let Some(authority) = &self.0.authority else { return Ok(None) };
        match self.header("host")? {
            Some(host) if !host.eq_ignore_ascii_case(authority) => Err(()),
            _ => Ok(Some(authority.into())),
        }
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.0.headers.iter().for_each(|field| visit(field.name.as_bytes(), &field.value));
    }
}
