//! Why an issuer's discovery document is not used.

use crate::{
    bindings::poolgate::auth::key_source::FetchError,
    key_source::{KeyUrlError, http::HttpError},
};
use std::fmt;

/// Why a discovery document (OpenID Connect Discovery 1.0 section 4) is not used.
///
/// The texts of `Display` and [`hint`](Self::hint) contain nothing from the document, so they may be shown to anyone. The fields of
/// [`IssuerMismatch`](Self::IssuerMismatch) and [`Host`](Self::Host) are for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The document could not be fetched.
    Fetch(FetchError),
    /// The status of the response is not 200. Redirects are not followed.
    Status(u16),
    /// The document is not one JSON object, or is nested too deeply.
    Malformed,
    /// Two members of an object in the document have the same name.
    DuplicateMember,
    /// This member is missing or has the wrong type.
    Member(&'static str),
    /// `issuer` of the document is not, byte for byte, the configured issuer.
    IssuerMismatch {
        /// The configured issuer.
        expected: String,
        /// The issuer that the document names. At most 512 characters.
        found: String,
    },
    /// `jwks_uri` is not a URL from which keys may be fetched.
    KeyUrl(KeyUrlError),
    /// `jwks_uri` has a fragment.
    Fragment,
    /// The host of `jwks_uri` is neither that of the issuer nor one of the named hosts.
    Host {
        /// The host of `jwks_uri`.
        found: String,
    },
}

impl DiscoveryError {
    /// Returns a stable name, for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            DiscoveryError::Fetch(error) => error.name(),
            DiscoveryError::Status(_) => FetchError::BadStatus.name(),
            DiscoveryError::Malformed => "malformed",
            DiscoveryError::DuplicateMember => "duplicate-member",
            DiscoveryError::Member(_) => "member",
            DiscoveryError::IssuerMismatch { .. } => "issuer-mismatch",
            DiscoveryError::KeyUrl(_) | DiscoveryError::Fragment => "jwks-uri",
            DiscoveryError::Host { .. } => "jwks-uri-host",
        }
    }

    /// Returns what the operator can do about it, if there is more to say than `Display` does.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            DiscoveryError::Status(300..400) => {
                "redirects are not followed: configure the URL that the server redirects to, if the issuer is right"
            }
            DiscoveryError::Status(404 | 410) => {
                "the issuer may be wrong, or publish its metadata elsewhere: state the URL of the document, or that of the keys"
            }
            DiscoveryError::IssuerMismatch { expected, found } if is_a_slash_apart(expected, found) => {
                "the two differ only by a / at the end: configure the issuer exactly as its tokens and its document spell it"
            }
            DiscoveryError::IssuerMismatch { .. } => {
                "configure the issuer exactly as its document spells it, or find out why this server answers for another issuer"
            }
            DiscoveryError::Host { .. } => {
                "if the issuer publishes its keys on this host, name it (key_hosts in Rust, --jwks-host in the command)"
            }
            _ => return None,
        })
    }

    /// Returns what the document has in place of the accepted issuer or host. It is for the operator only.
    pub fn found(&self) -> Option<&str> {
        match self {
            DiscoveryError::IssuerMismatch { found, .. } | DiscoveryError::Host { found } => Some(found),
            _ => None,
        }
    }

    /// Returns the error of the WIT contract for a key fetch that needed the document.
    pub(super) fn as_fetch_error(&self) -> FetchError {
        match self {
            DiscoveryError::Fetch(error) => *error,
            DiscoveryError::Status(_) => FetchError::BadStatus,
            _ => FetchError::Refused,
        }
    }
}

/// Returns whether two issuers differ only by a final slash.
pub(crate) fn is_a_slash_apart(one: &str, other: &str) -> bool {
    one.strip_suffix('/') == Some(other) || other.strip_suffix('/') == Some(one)
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiscoveryError::Fetch(error) => {
                write!(formatter, "the discovery document could not be fetched: {}", error.name())
            }
            DiscoveryError::Status(status) => {
                write!(formatter, "the discovery document was answered with the status {status}")
            }
            DiscoveryError::Malformed => formatter.write_str("the discovery document is not one JSON object"),
            DiscoveryError::DuplicateMember => {
                formatter.write_str("the discovery document has two members of the same name")
            }
            DiscoveryError::Member(name) => {
                write!(formatter, "the discovery document has no member {name}, or one of the wrong type")
            }
            DiscoveryError::IssuerMismatch { .. } => {
                formatter.write_str("the discovery document names another issuer than the configured one")
            }
            DiscoveryError::KeyUrl(error) => {
                write!(formatter, "jwks_uri of the discovery document is refused: {error}")
            }
            DiscoveryError::Fragment => formatter.write_str("jwks_uri of the discovery document has a fragment"),
            DiscoveryError::Host { .. } => formatter
                .write_str("jwks_uri of the discovery document is on another host than the issuer, which is not named"),
        }
    }
}

impl std::error::Error for DiscoveryError {}

impl From<HttpError> for DiscoveryError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Fetch(error) => DiscoveryError::Fetch(error),
            HttpError::Status(status) => DiscoveryError::Status(status.as_u16()),
        }
    }
}

/// Why discovery can't be used as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoveryConfigError {
    /// The pool has no issuer of its own to compare the document with, or its keys have known URLs: a user pool, an identity pool, load balancers,
    /// or any issuer.
    NoIssuer,
    /// The issuer is a template, from which no URL can be derived. State the URL of the document.
    UrlRequired,
    /// The issuer has a query or a fragment, so no URL can be derived from it. State the URL of the document.
    IssuerNotUsable,
    /// This is not a host name or an address. A host has no scheme, no port and no path.
    Host(String),
    /// Hosts of keys are named, and discovery is not used.
    HostsWithoutDiscovery,
    /// Two pools use this document and expect different issuers in it, or allow different hosts; or one of them uses the URL for its keys.
    Conflict(String),
}

impl fmt::Display for DiscoveryConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiscoveryConfigError::NoIssuer => formatter.write_str(
                "discovery needs an issuer to compare the document with: it is not for user pools, identity pools and load balancers, whose key URLs are known, \
                 and not for any issuer",
            ),
            DiscoveryConfigError::UrlRequired => formatter
                .write_str("the issuer is a template, so the URL of the discovery document must be configured (discovery_url)"),
            DiscoveryConfigError::IssuerNotUsable => formatter.write_str(
                "the issuer has a query or a fragment, so the URL of the discovery document must be configured (discovery_url)",
            ),
            DiscoveryConfigError::Host(host) => {
                write!(formatter, "{host:?} is not a host: write a name or an address without scheme, port and path")
            }
            DiscoveryConfigError::HostsWithoutDiscovery => {
                formatter.write_str("hosts of keys are named, and discovery is not used: call discover_keys, or remove them")
            }
            DiscoveryConfigError::Conflict(url) => write!(
                formatter,
                "two pools use {url} and differ in the issuer or the hosts that they expect, or in whether it is a discovery document"
            ),
        }
    }
}

impl std::error::Error for DiscoveryConfigError {}
