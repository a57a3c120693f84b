//! The door through which keys come in: the host's HTTP client, what it may fetch, and who is told what came.

mod fetches;
mod freshness;
mod http;
mod journal;
mod url;

pub(crate) use fetches::{Fetches, Wish};
pub(crate) use http::{HttpKeySource, HttpSettings};
pub(crate) use journal::{Entry, Event, Journal, Seed};
pub use url::{KeyUrl, KeyUrlError};
