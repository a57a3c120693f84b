//! Why a payload is rejected.

use crate::reason::{Hint, Reason};

/// Why a payload is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClaimError {
    pub(crate) reason: Reason,
    pub(crate) hint: Option<Hint>,
}

impl From<Reason> for ClaimError {
    fn from(reason: Reason) -> Self {
        Self { reason, hint: None }
    }
}

impl From<Hint> for ClaimError {
    /// For a claim that has no specific reason code.
    fn from(hint: Hint) -> Self {
        Self { reason: Reason::ClaimInvalid, hint: Some(hint) }
    }
}
