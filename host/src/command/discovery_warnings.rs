//! Why a discovery document is not used, on standard error.

use super::output;
use poolgate::{DiscoveryError, Verifier};

/// Prints a warning for each document that is not used. Both issuers are printed if they differ.
pub fn print(verifier: &Verifier) {
    for report in verifier.discovery_reports() {
        let Some(error) = &report.last_error else { continue };
        output::notify(&format!("warning: {}: {}: {error}", report.url, error.name()));
        match error {
            DiscoveryError::IssuerMismatch { expected, found } => {
                output::notify(&format!("warning: configured issuer {expected:?}, document's issuer {found:?}"));
            }
            DiscoveryError::Host { found } => output::notify(&format!("warning: host of jwks_uri {found:?}")),
            _ => {}
        }
        if let Some(hint) = error.hint() {
            output::notify(&format!("hint: {hint}"));
        }
    }
}
