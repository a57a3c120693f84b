//! All issuers of a verifier whose key URL is in their discovery document.

use super::{
    endpoint::{DiscoveredKeys, DocumentLimits},
    error::DiscoveryConfigError,
    report::DiscoveryReport,
    settings::Discovery,
};
use std::collections::BTreeMap;

/// The issuers, by the URL of the document.
#[derive(Debug, Default)]
pub(crate) struct DiscoveredIssuers(BTreeMap<String, DiscoveredKeys>);

impl DiscoveredIssuers {
    /// Collects the documents of all pools. `key_urls` are the URLs of the key sets of the other pools.
    pub(crate) fn new(
        documents: impl IntoIterator<Item = Discovery>,
        key_urls: &[String],
        limits: DocumentLimits,
    ) -> Result<Self, DiscoveryConfigError> {
        let mut issuers: BTreeMap<String, DiscoveredKeys> = BTreeMap::new();
        for discovery in documents {
            let url = discovery.url().to_owned();
            // The component fetches once for all pools with the same URL.
            let differs = issuers.get(&url).is_some_and(|other| !other.is_of(&discovery));
            if differs || key_urls.contains(&url) {
                return Err(DiscoveryConfigError::Conflict(url));
            }
            issuers.entry(url).or_insert_with(|| DiscoveredKeys::new(discovery, limits));
        }
        Ok(Self(issuers))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, url: &str) -> Option<&DiscoveredKeys> {
        self.0.get(url)
    }

    /// Returns the state of the documents, sorted by URL.
    pub(crate) fn reports(&self) -> Vec<DiscoveryReport> {
        self.0.values().map(DiscoveredKeys::report).collect()
    }
}
