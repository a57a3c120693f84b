//! The state of the keys, for operators.

use super::{fetch::FetchError, key_set_error::KeySetError};
use crate::signature::KeyError;
use alloc::{boxed::Box, string::String, vec::Vec};

/// The state of the keys of one JWKS endpoint.
#[derive(Clone, Debug, Default)]
pub struct KeyReport {
    /// The issuers that use these keys. Empty if the issuer is not checked.
    pub issuers: Vec<String>,
    /// The JWKS URL. `None` if the keys are only loaded locally.
    pub url: Option<String>,
    /// Whether the keys are fetched only when a token needs them. This is so for the second issuer URL of a user pool.
    pub is_on_demand: bool,
    /// Whether the keys can be used.
    pub state: KeyState,
    /// When the current key set was fetched or last confirmed, in seconds since the Unix epoch.
    pub fetched_at: Option<u64>,
    /// The seconds since then. A clock that is set back does not reduce it.
    pub age: Option<u64>,
    /// The seconds until the next fetch, or 0 if it is due. `None` if only a token causes a fetch.
    pub refresh_in: Option<u64>,
    /// The number of different key sets accepted so far. It changes whenever the keys change.
    pub generation: u64,
    /// The number of consecutive failed refreshes.
    pub failures: u32,
    /// The error of the last refresh, if it failed.
    pub last_error: Option<KeyRefreshError>,
    /// The key IDs that tokens can be verified with. An empty text stands for keys without a `kid`.
    pub key_ids: Vec<Box<str>>,
    /// The entries of the key set that are not used.
    pub skipped: Vec<SkippedKey>,
}

/// Whether the keys of an endpoint can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// There are no keys yet.
    #[default]
    Missing,
    /// The keys are within their soft lifetime.
    Fresh,
    /// The keys are past their soft lifetime. They are still used while they are refreshed.
    Stale,
    /// The keys are past their hard lifetime and are not used.
    Expired,
}

/// Why the last refresh of a key set failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRefreshError {
    /// The fetch failed.
    Fetch(FetchError),
    /// The fetched key set was rejected.
    KeySet(KeySetError),
}

/// An entry of a JWK Set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its index in `keys`, from 0.
    pub index: u32,
    /// Its `kid`, if it has a readable one.
    pub key_id: Option<Box<str>>,
    /// Why it is not used.
    pub error: KeyError,
    /// The member that is the cause. `None` if the whole key is.
    pub member: Option<&'static str>,
}
