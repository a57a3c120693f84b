//! Implements the `key-source` import: the HTTP client, the allowed URLs, and the log of key events that all instances apply.

mod discovery;
mod event_log;
mod fetches;
mod freshness;
mod http;
mod url;

pub(crate) use discovery::{DiscoveredIssuers, DocumentLimits, derived_url};
pub use discovery::{
    Discovery, DiscoveryClient, DiscoveryConfigError, DiscoveryDocument, DiscoveryError, DiscoveryReport,
};
pub(crate) use event_log::{KeyEvent, KeyEventKind, KeyEventLog, LocalKeySet, is_url_of_key};
pub(crate) use fetches::{FetchRequest, Fetches};
pub(crate) use http::{HttpKeySource, HttpSettings};
pub use url::{KeyUrl, KeyUrlError};
