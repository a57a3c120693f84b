//! OpenID Connect Discovery: the key URL of a configured issuer, from the issuer's metadata.

mod client;
mod document;
mod endpoint;
mod error;
mod issuers;
mod report;
mod settings;

pub use client::DiscoveryClient;
pub use document::DiscoveryDocument;
pub(crate) use endpoint::{DocumentLimits, KeyFetch, Requests};
pub use error::{DiscoveryConfigError, DiscoveryError};
pub(crate) use issuers::DiscoveredIssuers;
pub use report::DiscoveryReport;
pub use settings::Discovery;
pub(crate) use settings::derived_url;
