//! Why an issuer's discovery document is not used.

use super::{key_url::KeyUrlError, requests::HttpError};
use poolgate_core::FetchError;
use std::fmt;

/// Why a discovery document (OpenID Connect Discovery 1.0 section 4) is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// `issuer` of the document is not, byte for byte, a configured issuer.
    IssuerMismatch {
        /// The configured issuer.
        expected: String,
        /// The issuer that the document names. At most 512 characters.
        found: String,
    },
    /// `jwks_uri` is not a URL from which keys may be fetched.
    KeyUrl(KeyUrlError),
    /// The host of `jwks_uri` is neither that of the issuer nor one of the named hosts.
    Host {
        /// The host of `jwks_uri`.
        found: String,
    },
}

impl DiscoveryError {
    /// Returns a stable name: that of the host's metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fetch(FetchError::Unreachable) => "unreachable",
            Self::Fetch(FetchError::TimedOut) => "timed-out",
            Self::Fetch(FetchError::TooLarge) => "too-large",
            Self::Fetch(FetchError::BadStatus) | Self::Status(_) => "bad-status",
            Self::Fetch(_) => "refused",
            Self::Malformed => "malformed",
            Self::DuplicateMember => "duplicate-member",
            Self::Member(_) => "member",
            Self::IssuerMismatch { .. } => "issuer-mismatch",
            Self::KeyUrl(_) => "jwks-uri",
            Self::Host { .. } => "jwks-uri-host",
        }
    }

    /// Returns what the operator can do about it, if there is more to say than `Display` does.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Status(300..400) => {
                "redirects are not followed: set discovery_url to where the server redirects to, if the issuer is right"
            }
            Self::Status(404 | 410) => {
                "the issuer may be wrong, or publish its metadata elsewhere: set discovery_url, or cluster and url"
            }
            Self::IssuerMismatch { expected, found } if is_a_slash_apart(expected, found) => {
                "the two differ only by a / at the end: configure the issuer exactly as its tokens and its document spell it"
            }
            Self::IssuerMismatch { .. } => {
                "configure the issuer exactly as its document spells it, or find out why this server answers for another issuer"
            }
            Self::Host { .. } => "if the issuer publishes its keys on this host, name it in key_hosts",
            _ => return None,
        })
    }

    /// Returns the error of a key fetch that needed the document.
    pub(super) fn as_fetch_error(&self) -> FetchError {
        match self {
            Self::Fetch(error) => *error,
            Self::Status(_) => FetchError::BadStatus,
            _ => FetchError::Refused,
        }
    }
}

/// Returns whether two issuers differ only by a final slash.
fn is_a_slash_apart(one: &str, other: &str) -> bool {
    one.strip_suffix('/') == Some(other) || other.strip_suffix('/') == Some(one)
}

/// The text is for the operator. What the document has is in quotation marks and escaped, so that it can't begin a line of the log.
impl fmt::Display for DiscoveryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(_) => formatter.write_str("it could not be fetched"),
            Self::Status(status) => write!(formatter, "it was answered with the status {status}"),
            Self::Malformed => formatter.write_str("it is not one JSON object"),
            Self::DuplicateMember => formatter.write_str("it has two members of the same name"),
            Self::Member(name) => write!(formatter, "it has no member {name}, or one of the wrong type"),
            Self::IssuerMismatch { expected, found } => {
                write!(formatter, "it names the issuer {found:?}, and {expected:?} is configured")
            }
            Self::KeyUrl(KeyUrlError::Malformed) => formatter.write_str(
                "its jwks_uri is not an absolute https URL, or has a user name, a fragment or characters that a URL can't have",
            ),
            Self::KeyUrl(KeyUrlError::PlainHttp) => formatter.write_str("its jwks_uri is not https"),
            Self::Host { found } => {
                write!(formatter, "its jwks_uri is on the host {found:?}, which is not that of the issuer and is not named")
            }
        }
    }
}

impl std::error::Error for DiscoveryError {}

impl From<HttpError> for DiscoveryError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Fetch(error) => Self::Fetch(error),
            HttpError::Status(status) => Self::Status(status),
        }
    }
}
