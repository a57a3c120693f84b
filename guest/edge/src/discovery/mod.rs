//! OpenID Connect Discovery: the key URL of a configured issuer, from the issuer's metadata. For adapters that can send a request to any
//! host, which Envoy can't.
//!
//! The core knows only the URL of the document, and asks for the key set there. [`DiscoveredKeys`] makes the requests of such a fetch through
//! [`Requests`], which the adapter implements.
//!
//! The host does not link this crate: host/src/key_source/discovery/ has the same rules. The cases that both are tested with are in
//! tests/src/discovery_documents.rs.

mod document;
mod document_rules;
mod error;
mod issuers;
mod key_url;
mod keys;
mod requests;
mod state;
#[cfg(test)]
mod tests;

pub use document::Document;
pub use error::DiscoveryError;
pub use issuers::DiscoveredIssuers;
pub use key_url::{KeyUrl, KeyUrlError};
pub use keys::{DiscoveredKeys, KeyFetch};
pub use requests::{FetchedResponse, HttpError, Requests};
