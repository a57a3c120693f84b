//! The door through which keys come in: the host's HTTP client, what it may fetch, and who is told what came.

mod event_log;
mod fetches;
mod freshness;
mod http;
mod url;

pub(crate) use event_log::{KeyEvent, KeyEventKind, KeyEventLog, LocalKeySet};
pub(crate) use fetches::{FetchRequest, Fetches};
pub(crate) use http::{HttpKeySource, HttpSettings};
pub use url::{KeyUrl, KeyUrlError};
