//! Fetches discovery documents and key sets outside of a verifier, for tools.

use super::{document::DiscoveryDocument, error::DiscoveryError, settings::Discovery};
use crate::{
    bindings::poolgate::auth::key_source::FetchError,
    key_source::http::{HttpKeySource, HttpSettings},
};
use std::time::Duration;

/// The maximum length of a key set, in bytes: that of [`JwsVerifier`](crate::JwsVerifier).
const KEY_SET_LIMIT: u32 = 256 * 1024;
/// The maximum nesting of a document: the default of a verifier.
const JSON_DEPTH: u32 = 16;

/// Fetches discovery documents and key sets outside of a verifier, with the rules and the HTTP client of a verifier: `https`, or `http` to a
/// loopback address if that is allowed; the certificates of the system; no redirects; at most 64 KiB for a document, and 256 KiB for a key set.
///
/// ```no_run
/// use poolgate::{Discovery, DiscoveryClient};
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = DiscoveryClient::new(Duration::from_secs(5), false);
/// let google = Discovery::of_issuer("https://accounts.google.com")?.key_hosts(["www.googleapis.com"])?;
/// println!("{}", client.document(&google).await?.jwks_uri());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DiscoveryClient {
    http: HttpKeySource,
}

impl DiscoveryClient {
    /// Creates a client. `timeout` is the maximum time of each request, including connecting and reading the response.
    pub fn new(timeout: Duration, allow_http_loopback: bool) -> Self {
        let settings = HttpSettings {
            connect_timeout: timeout,
            timeout,
            body_limit: KEY_SET_LIMIT,
            allow_http_loopback,
            roots: Vec::new(),
        };
        Self { http: HttpKeySource::new(settings) }
    }

    /// Fetches a document and checks it.
    ///
    /// # Errors
    ///
    /// Returns a [`DiscoveryError`] that says which rule the document breaks, or why it could not be fetched.
    pub async fn document(&self, discovery: &Discovery) -> Result<DiscoveryDocument, DiscoveryError> {
        discovery.fetch(&self.http, JSON_DEPTH).await
    }

    /// Fetches the key set of a document, unparsed. [`JwsVerifier::report`](crate::JwsVerifier::report) says which of its keys can be used.
    ///
    /// # Errors
    ///
    /// Returns a [`FetchError`].
    pub async fn key_set(&self, document: &DiscoveryDocument) -> Result<Vec<u8>, FetchError> {
        let response = self.http.key_set(&document.key_url, None).await;
        // Without a condition in the request, there is no reason for 304.
        response.map_err(|error| error.into_fetch_error())?.body.ok_or(FetchError::BadStatus)
    }
}
