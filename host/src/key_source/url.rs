//! The URLs from which a key set may be fetched.

use std::fmt;
use url::{Host, Url};

/// The URL of a JWKS endpoint: `https`, or `http` to a loopback address if that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUrl(Url);

/// Why a URL cannot be used as a JWKS endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyUrlError {
    /// The URL cannot be parsed, has no host, or contains a user name or a password.
    Malformed,
    /// The scheme is neither `https` nor `http`.
    Scheme,
    /// The scheme is `http`, and the host is not a loopback address.
    PlainHttp,
    /// The scheme is `http` and the host is a loopback address, but plain HTTP is not allowed. See
    /// [`VerifierBuilder::allow_http_loopback`](crate::VerifierBuilder::allow_http_loopback).
    LoopbackNotAllowed,
}

impl KeyUrl {
    /// Parses and checks a URL. Loopback addresses are `localhost`, 127.0.0.0/8 and ::1.
    ///
    /// # Errors
    ///
    /// Returns [`KeyUrlError`] if keys must not be fetched from this URL.
    pub fn parse(text: &str, allow_http_loopback: bool) -> Result<Self, KeyUrlError> {
        let url = Url::parse(text).map_err(|_| KeyUrlError::Malformed)?;
        let is_loopback = match url.host() {
            None => return Err(KeyUrlError::Malformed),
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(KeyUrlError::Malformed);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if !is_loopback => Err(KeyUrlError::PlainHttp),
            "http" if !allow_http_loopback => Err(KeyUrlError::LoopbackNotAllowed),
            "http" => Ok(Self(url)),
            _ => Err(KeyUrlError::Scheme),
        }
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }

    /// Returns the URL with this query.
    pub(crate) fn with_query(&self, query: &str) -> Self {
        let mut url = self.0.clone();
        url.set_query(Some(query));
        Self(url)
    }

    pub(crate) fn is_plain_http(&self) -> bool {
        self.0.scheme() == "http"
    }
}

impl fmt::Display for KeyUrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            KeyUrlError::Malformed => "the JWKS URL is malformed or contains credentials",
            KeyUrlError::Scheme => "the JWKS URL must use https",
            KeyUrlError::PlainHttp => "the JWKS URL must use https; plain http is allowed only for loopback addresses",
            KeyUrlError::LoopbackNotAllowed => {
                "the JWKS URL must use https; allow plain http to loopback addresses with --allow-http-loopback"
            }
        })
    }
}

impl std::error::Error for KeyUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_allowed_loopback_only() {
        for (text, allowed, error) in [
            ("https://cognito-idp.eu-west-1.amazonaws.com/x/.well-known/jwks.json", true, None),
            ("http://127.0.0.1:9/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
            ("http://127.9.9.9/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
            ("http://[::1]:9/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
            ("http://localhost/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
        ] {
            assert_eq!(KeyUrl::parse(text, true).is_ok(), allowed || error.is_some(), "{text}");
            assert_eq!(KeyUrl::parse(text, false).err(), error, "{text}");
        }
        for (text, error) in [
            ("http://example.com/jwks", KeyUrlError::PlainHttp),
            ("http://localhost.example.com/jwks", KeyUrlError::PlainHttp),
            ("http://127.0.0.1.example.com/jwks", KeyUrlError::PlainHttp),
            ("http://10.0.0.1/jwks", KeyUrlError::PlainHttp),
            ("http://0.0.0.0/jwks", KeyUrlError::PlainHttp),
            ("ftp://127.0.0.1/jwks", KeyUrlError::Scheme),
            ("file:///jwks", KeyUrlError::Malformed),
            ("https://user:secret@example.com/jwks", KeyUrlError::Malformed),
            ("jwks.json", KeyUrlError::Malformed),
        ] {
            assert_eq!(KeyUrl::parse(text, true).err(), Some(error), "{text}");
        }
    }
}
