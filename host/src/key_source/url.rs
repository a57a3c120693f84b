//! The URLs that keys may be fetched from.

use std::fmt;
use url::{Host, Url};

/// A URL that keys may be fetched from: https, or http to a loopback address where that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUrl(Url);

/// Why a URL is not one that keys are fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyUrlError {
    /// It can't be parsed, has no host, or carries a user name or a password.
    Malformed,
    /// Its scheme is neither https nor http.
    Scheme,
    /// It is plain http, and not to a loopback address.
    PlainHttp,
    /// It is plain http to a loopback address, which was not allowed.
    LoopbackNotAllowed,
}

impl KeyUrl {
    /// Checks a URL. Loopback means `localhost`, 127.0.0.0/8 and ::1.
    ///
    /// # Errors
    /// See [`KeyUrlError`].
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

    pub(crate) fn is_plain_http(&self) -> bool {
        self.0.scheme() == "http"
    }
}

impl fmt::Display for KeyUrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            KeyUrlError::Malformed => "the URL of the keys is malformed, or carries credentials",
            KeyUrlError::Scheme => "keys are fetched over https",
            KeyUrlError::PlainHttp => "keys are fetched over https; plain http is for loopback addresses only",
            KeyUrlError::LoopbackNotAllowed => {
                "keys are fetched over https; plain http to a loopback address has to be allowed (--allow-http-loopback)"
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
        for (text, allowed, refused) in [
            ("https://cognito-idp.eu-west-1.amazonaws.com/x/.well-known/jwks.json", true, None),
            ("http://127.0.0.1:9/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
            ("http://127.9.9.9/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
            ("http://[::1]:9/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
            ("http://localhost/jwks", false, Some(KeyUrlError::LoopbackNotAllowed)),
        ] {
            assert_eq!(KeyUrl::parse(text, true).is_ok(), allowed || refused.is_some(), "{text}");
            assert_eq!(KeyUrl::parse(text, false).err(), refused, "{text}");
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
