//! The URLs from which documents and key sets may be fetched.

use crate::config::{host_of, is_loopback};

/// A URL from which a discovery document or a key set may be fetched: `https`, or `http` to a loopback address if that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUrl {
    text: String,
    is_https: bool,
    authority: String,
    path: String,
}

/// Why keys may not be fetched from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUrlError {
    /// It is not an absolute `https` or `http` URL in ASCII, or it has a user name, a password, or a fragment.
    Malformed,
    /// The scheme is `http`, and the host is not a loopback address or the URL of the discovery document is `https`.
    PlainHttp,
}

impl KeyUrl {
    /// Parses and checks a URL. Loopback addresses are `localhost`, `127.0.0.1` and `[::1]`.
    pub(super) fn parse(text: &str, allows_http_loopback: bool) -> Result<Self, KeyUrlError> {
        let url = Self::with_any_host(text).ok_or(KeyUrlError::Malformed)?;
        let is_allowed = url.is_https || allows_http_loopback && is_loopback(&url.text);
        if is_allowed { Ok(url) } else { Err(KeyUrlError::PlainHttp) }
    }

    /// Parses an `https` or `http` URL. Returns `None` if it is none, or could be read in two ways.
    fn with_any_host(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        // WHATWG's parser takes a backslash for a slash, and others take it for a part of the host.
        let is_plain = text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#' && byte != b'\\');
        if !is_plain || !is_https && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        host_of(authority)?;
        let authority = authority.to_ascii_lowercase();
        let path = if path.starts_with('/') { path.to_owned() } else { ["/", path].concat() };
        let scheme = if is_https { "https://" } else { "http://" };
        Some(Self { text: [scheme, &authority, &path].concat(), is_https, authority, path })
    }

    /// Returns the host of any `https` or `http` URL, in lower case.
    pub(super) fn host_in(text: &str) -> Option<String> {
        Self::with_any_host(text).map(|url| url.host().to_owned())
    }

    /// Returns the URL, with its scheme and host in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns the host, and the port if there is one.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the path and the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the host in lower case.
    pub fn host(&self) -> &str {
        // The authority was checked.
        host_of(&self.authority).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_a_path() {
        for (text, authority, path) in [
            ("https://keys.example/keys", "keys.example", "/keys"),
            ("HTTPS://Keys.Example:8443/Keys?x=Y", "keys.example:8443", "/Keys?x=Y"),
            ("https://keys.example", "keys.example", "/"),
            ("https://keys.example?x=/y", "keys.example", "/?x=/y"),
            ("https://[2001:DB8::1]/k", "[2001:db8::1]", "/k"),
            ("https://keys.example/a@b", "keys.example", "/a@b"),
            ("http://localhost:80/keys", "localhost:80", "/keys"),
        ] {
            let url = KeyUrl::parse(text, true).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!((url.authority(), url.path(), url.is_https()), (authority, path, !text.starts_with("http:")));
            assert_eq!(KeyUrl::parse(url.as_str(), true), Ok(url.clone()), "{text}");
        }
    }

    #[test]
    fn plain_http_is_for_allowed_loopback_addresses_only() {
        for text in ["http://localhost/keys", "http://127.0.0.1:9/keys", "http://[::1]:9", "HTTP://LOCALHOST/keys"] {
            assert!(KeyUrl::parse(text, true).is_ok(), "{text}");
            assert_eq!(KeyUrl::parse(text, false), Err(KeyUrlError::PlainHttp), "{text}");
        }
        for text in ["http://keys.example/", "http://localhost.example/", "http://10.0.0.1/", "http://0.0.0.0/"] {
            assert_eq!(KeyUrl::parse(text, true), Err(KeyUrlError::PlainHttp), "{text}");
        }
    }
}
