//! All issuers of a configuration whose key URL is in their discovery document.

use super::{key_url::KeyUrl, keys::DiscoveredKeys};
use crate::config::{Config, ConfigError};
use std::{collections::HashMap, rc::Rc};

/// The issuers whose keys are discovered, by the URL of the document, which the core asks for.
#[derive(Debug, Default)]
pub struct DiscoveredIssuers(HashMap<String, Rc<DiscoveredKeys>>);

impl DiscoveredIssuers {
    /// Collects the documents of all pools.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if a document would be fetched without TLS from another host than a loopback address.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut issuers = HashMap::new();
        for (number, pool) in config.pools.iter().enumerate() {
            let Some(url) = pool.discovery_url() else { continue };
            let document_url = KeyUrl::parse(&url, true).map_err(|_| {
                let message = "the discovery document must be at an https URL, or at a loopback address";
                ConfigError::new(format!("pools[{number}].keys"), message)
            })?;
            issuers.insert(url, Rc::new(DiscoveredKeys::new(config, pool, document_url)));
        }
        Ok(Self(issuers))
    }

    /// Returns the keys of the issuer whose document is at this URL.
    pub fn get(&self, url: &str) -> Option<Rc<DiscoveredKeys>> {
        self.0.get(url).cloned()
    }
}
