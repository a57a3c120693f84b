//! Where a discovery document is, and what it must say, for a host that makes the requests itself.

use super::document_rules::names;
use crate::config::{Config, Pool};

/// The discovery document of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its URL, for which the core asks.
    pub url: String,
    /// What `issuer` may be.
    pub issuers: Vec<String>,
    /// The hosts on which `jwks_uri` may be, beside those of the issuers.
    pub key_hosts: Vec<String>,
}

impl Document {
    /// Returns the documents of all pools that have one.
    pub fn all(config: &Config) -> Vec<Self> {
        let document = |pool: &Pool| {
            let url = pool.discovery_url()?;
            Some(Self { url, issuers: names(pool), key_hosts: pool.keys.key_hosts.clone() })
        };
        config.pools.iter().filter_map(document).collect()
    }
}
