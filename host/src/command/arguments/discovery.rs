//! The options that say where the key set of an issuer is found by discovery.

use clap::Args;
use poolgate::Pool;

#[derive(Args, Debug)]
pub struct DiscoveryArguments {
    /// Read the URL of the JWK Set from the discovery document of --issuer, at <issuer>/.well-known/openid-configuration
    #[arg(long, group = "keys")]
    pub discover: bool,
    /// Read the URL of the JWK Set from the discovery document at this URL. It must name --issuer or --issuer-template
    #[arg(long, value_name = "URL", group = "keys")]
    pub discovery_url: Option<String>,
    /// Allow this host in `jwks_uri` of the discovery document, beside that of the issuer; may be repeated
    #[arg(long = "jwks-host", value_name = "HOST", value_delimiter = ',', conflicts_with = "jwks")]
    pub jwks_hosts: Vec<String>,
}

impl DiscoveryArguments {
    pub fn is_any_set(&self) -> bool {
        self.discover || self.discovery_url.is_some() || !self.jwks_hosts.is_empty()
    }

    /// Applies the options to a pool.
    pub fn apply(&self, pool: Pool) -> Pool {
        let pool = match &self.discovery_url {
            Some(url) => pool.discovery_url(url),
            None if self.discover => pool.discover_keys(),
            None => pool,
        };
        pool.key_hosts(&self.jwks_hosts)
    }
}
