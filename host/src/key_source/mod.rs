//! The door through which keys come in: the host's HTTP client, and what it may fetch.

mod http;
mod shared;
mod url;

pub(crate) use http::HttpKeySource;
pub(crate) use shared::SharedKeySource;
pub use url::{KeyUrl, KeyUrlError};
