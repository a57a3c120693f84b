//! From an issuer and a key ID to a prepared key, or to the URL that must be fetched first.

mod action;
mod bucket;
mod current_key_set;
mod endpoint;
mod fetch;
mod jitter;
mod jwk;
#[cfg(feature = "ecdsa")]
mod key_directory;
mod key_set;
mod key_set_error;
mod logical_time;
mod monotonic_clock;
mod negative_cache;
#[cfg(feature = "ecdsa")]
mod pem;
mod report;
mod store;

pub use crate::{config::KeyPolicy, signature::KeyError};
pub(crate) use action::MissingKeyAction;
pub(crate) use current_key_set::{Freshness, KeyLookupError, MissingKey};
pub use fetch::{Fetch, FetchError, Response};
pub use key_set::{KeySet, NoKey, UnnamedKeys};
pub use key_set_error::KeySetError;
pub use logical_time::LogicalTime;
pub(crate) use monotonic_clock::Instant;
pub use report::{KeyRefreshError, KeyReport, KeyState, SkippedKey};
pub(crate) use store::{JwksEndpointId, KeyStore};
