//! A discovery document that has been checked.

use crate::key_source::url::KeyUrl;

/// A discovery document that has been checked. Only [`DiscoveryClient`](super::DiscoveryClient) and the verifier make one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryDocument {
    /// `issuer`, as the document spells it. It is one of the configured issuers.
    pub issuer: String,
    /// `jwks_uri`.
    pub(super) key_url: KeyUrl,
    /// `id_token_signing_alg_values_supported`, as the document has it. It says nothing about access tokens, and never widens the configured
    /// algorithms.
    pub algorithms: Vec<String>,
    /// For how many more seconds the response is fresh, if it says so.
    pub(super) max_age: Option<u64>,
}

impl DiscoveryDocument {
    /// Returns `jwks_uri`: the URL of the key set.
    pub fn jwks_uri(&self) -> &str {
        self.key_url.as_url().as_str()
    }
}
