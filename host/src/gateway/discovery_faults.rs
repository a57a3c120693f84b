//! What the operator's readiness check says about discovery.

use crate::{DiscoveryReport, KeyReport};

/// Says for each issuer with a discovery document whether the document or the key set has failed, with a line for each fault. The issuer that
/// a document names is only in the log.
pub(crate) fn discovery_faults(documents: &[DiscoveryReport], key_sets: &[KeyReport]) -> String {
    let mut text = String::new();
    for DiscoveryReport { url, jwks_uri, pending_jwks_uri, last_error, .. } in documents {
        if let Some(error) = last_error {
            let hint = error.hint().map_or(String::new(), |hint| format!("; hint: {hint}"));
            text += &format!("discovery document {url}: {}: {error}{hint}\n", error.name());
        }
        if let Some(pending) = pending_jwks_uri {
            text += &format!("key set {pending}: not in use, although the discovery document names it\n");
        }
        let report = key_sets.iter().find(|report| report.url.as_ref() == Some(url));
        // Without a key URL, it is the document that has failed.
        if let (Some(error), Some(jwks_uri)) = (report.and_then(|report| report.last_error.as_ref()), jwks_uri) {
            text += &format!("key set {jwks_uri}: {error}\n");
        }
    }
    text
}
