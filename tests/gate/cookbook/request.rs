//! A request of a row, with its token.

use super::page::Row;
use poolgate_edge::RequestHead;
use std::borrow::Cow;

/// The host of a request whose row names none.
const HOST: &str = "app.example.com";

/// A request.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub host: String,
    /// The names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// Puts the token where the row has `<token>`, or in `Authorization` if it has it nowhere.
    pub fn new(row: &Row, token: Option<&str>) -> Self {
        let has_place = |text: &str| text.contains("<token>");
        let is_placed = has_place(&row.url) || row.headers.iter().any(|(_, value)| has_place(value));
        assert!(token.is_some() || !is_placed, "line {}: there is no token for <token>", row.line);
        let with_token = |text: &str| text.replace("<token>", token.unwrap_or_default());
        let (host, target) = match row.url.strip_prefix("https://") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or_else(|| panic!("line {}: no path", row.line))),
            None => (HOST, row.url.as_str()),
        };
        let mut headers: Vec<(String, String)> =
            row.headers.iter().map(|(name, value)| (name.clone(), with_token(value))).collect();
        if let (Some(token), false) = (token, is_placed) {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        Self { method: row.method.clone(), target: with_token(target), host: host.to_owned(), headers }
    }
}

impl RequestHead for Request {
    fn method(&self) -> &str {
        &self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str().into());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    }

    fn authority(&self) -> Result<Option<Cow<'_, str>>, ()> {
        Ok(Some(self.host.as_str().into()))
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.headers.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
    }
}
