//! The state of an issuer's discovery document.

use super::error::DiscoveryError;

/// The state of the discovery document of one issuer. The state of its keys is in the [`KeyReport`](crate::KeyReport) with the same `url`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryReport {
    /// The URL of the document.
    pub url: String,
    /// The configured issuer.
    pub issuer: String,
    /// `jwks_uri`, from which the keys are fetched. `None` until a document has been accepted.
    pub jwks_uri: Option<String>,
    /// `jwks_uri` of a newer document, if it differs and its keys are not in use: they have not been fetched yet, can't be fetched, or the
    /// key set has no usable key.
    pub pending_jwks_uri: Option<String>,
    /// When the last valid document was fetched, in seconds since the Unix epoch.
    pub fetched_at: Option<u64>,
    /// The error of the last request for the document, if it failed. The last valid document stays in use.
    pub last_error: Option<DiscoveryError>,
}
