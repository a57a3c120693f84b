//! What the discovery document of a pool must say.

use super::{error::DiscoveryError, key_url::KeyUrl};
use crate::config::Pool;
use poolgate_core::{JsonError, check_json_object};
use serde_json::Value;

/// The maximum number of characters of the document's issuer in an error.
const FOUND_LIMIT: usize = 512;
/// What Microsoft writes in place of the tenant ID.
const MICROSOFT_TENANT: &str = "{tenantid}";

/// What the discovery document of one pool must say. It is always made from the configuration, never from a token (RFC 8725 section 3.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DocumentRules {
    /// What `issuer` may be. The first is the issuer's name in errors.
    issuers: Vec<String>,
    /// The hosts of `jwks_uri` that are allowed, in lower case.
    hosts: Vec<String>,
    allows_http_loopback: bool,
}

/// Returns what `issuer` in the document of a pool may be.
pub(super) fn names(pool: &Pool) -> Vec<String> {
    let mut issuers: Vec<String> = pool.issuer.iter().chain(pool.issuers.iter().flatten()).cloned().collect();
    if let Some(template) = &pool.issuer_template {
        issuers.extend([template.clone(), template.replace("{tid}", MICROSOFT_TENANT)]);
    }
    issuers
}

impl DocumentRules {
    /// Returns the rules for a pool whose configuration has been checked. `jwks_uri` may be `http` to a loopback address only if the URL of the
    /// document is.
    pub(super) fn new(pool: &Pool, document_url: &KeyUrl) -> Self {
        let issuers = names(pool);
        let of_issuers = issuers.iter().filter_map(|issuer| KeyUrl::host_in(issuer));
        let hosts = of_issuers.chain(pool.keys.key_hosts.iter().map(|host| host.to_ascii_lowercase())).collect();
        Self { issuers, hosts, allows_http_loopback: !document_url.is_https() }
    }

    /// Checks a document, nested at most `depth` levels deep, and returns its `jwks_uri` (OpenID Connect Discovery 1.0 sections 3 and 4.3).
    /// Unknown members are ignored.
    pub(super) fn check(&self, document: &[u8], depth: u32) -> Result<KeyUrl, DiscoveryError> {
        check_json_object(document, depth).map_err(|error| match error {
            JsonError::DuplicateMember => DiscoveryError::DuplicateMember,
            JsonError::Malformed | JsonError::TooDeep | JsonError::TrailingBytes => DiscoveryError::Malformed,
        })?;
        // The text is JSON, so it is UTF-8.
        let members: Value = serde_json::from_str(str::from_utf8(document).unwrap_or_default())
            .map_err(|_| DiscoveryError::Malformed)?;
        let text = |name| members.get(name).and_then(Value::as_str).ok_or(DiscoveryError::Member(name));
        let issuer = text("issuer")?;
        if !self.issuers.iter().any(|expected| expected == issuer) {
            let expected = self.issuers.first().cloned().unwrap_or_default();
            return Err(DiscoveryError::IssuerMismatch { expected, found: issuer.chars().take(FOUND_LIMIT).collect() });
        }
        let key_url = KeyUrl::parse(text("jwks_uri")?, self.allows_http_loopback).map_err(DiscoveryError::KeyUrl)?;
        match self.hosts.iter().any(|allowed| allowed == key_url.host()) {
            true => Ok(key_url),
            false => Err(DiscoveryError::Host { found: key_url.host().to_owned() }),
        }
    }
}
