//! What to do about a token whose key is missing.

use super::fetch::Fetch;
use crate::reason::Reason;
use alloc::string::String;

/// What to do about a token whose key is missing.
#[derive(Debug)]
pub(crate) enum MissingKeyAction {
    Reject(Reason),
    /// The keys must be fetched first.
    Fetch(Fetch),
    /// The keys are being fetched from this URL.
    Await(String),
}
