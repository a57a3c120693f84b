//! The results of an integration for the token corpus, and whether they are those of the core.

use crate::corpus::Case;
use std::{fmt, pin::Pin};

/// The result of an integration for one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The token was accepted.
    Verified,
    /// The token was rejected.
    Rejected {
        /// The name of the [`poolgate_core::Reason`], if the integration reports it.
        reason: Option<String>,
        /// The HTTP status, if there is one.
        status: Option<u16>,
    },
    /// The token cannot be passed to this integration, for example because it does not fit in a header.
    Unsendable,
}

impl Seen {
    /// Creates a rejection with a reason and a status.
    pub fn rejected(reason: impl Into<String>, status: u16) -> Self {
        Self::Rejected { reason: Some(reason.into()), status: Some(status) }
    }

    /// Returns whether the core has the same result, or `None` if the token could not be passed.
    ///
    /// For a rejection, the reason and the status must agree, as far as they are known.
    ///
    /// # Panics
    /// Panics for a rejection without a reason and a status, because nothing would be compared.
    pub fn agrees(&self, case: &Case) -> Option<bool> {
        match (self, case.verify_with_core()) {
            (Self::Unsendable, _) => None,
            (Self::Verified, verdict) => Some(verdict.is_ok()),
            (Self::Rejected { .. }, Ok(_)) => Some(false),
            (Self::Rejected { reason, status }, Err(expected)) => {
                assert!(reason.is_some() || status.is_some(), "{}: rejected without a reason and a status", case.name);
                let same_reason = reason.as_ref().is_none_or(|reason| reason == expected.name());
                Some(same_reason && status.is_none_or(|status| status == expected.error_code().status()))
            }
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => to.write_str("verified"),
            Self::Rejected { reason, status } => {
                let reason = reason.as_deref().unwrap_or("no reason");
                write!(to, "rejected, {reason}")?;
                status.map_or(Ok(()), |status| write!(to, ", {status}"))
            }
            Self::Unsendable => to.write_str("not sent"),
        }
    }
}

/// Tokens for an integration. Each is known by its place in this list.
pub type Tokens = &'static [&'static Case];

/// The results, in the order of [`Tokens`].
pub type Verdicts = Pin<Box<dyn Future<Output = Vec<Seen>>>>;

/// An integration: a column of `docs/hosts.md`.
pub struct Host {
    /// The title of the column.
    pub name: &'static str,
    /// Verifies all tokens.
    pub verdicts: fn() -> Verdicts,
}

/// Returns a line for each token with a result that differs from that of the core.
///
/// # Panics
/// Panics if the number of results is not the number of tokens.
pub fn differences(name: &str, tokens: Tokens, seen: &[Seen]) -> Vec<String> {
    assert_eq!(seen.len(), tokens.len(), "{name} has not one result for each token");
    let wrong = tokens.iter().zip(seen).filter(|(case, seen)| seen.agrees(case) == Some(false));
    wrong.map(|(case, seen)| format!("{name}, {}: {seen}; the core: {:?}", case.name, case.expected)).collect()
}
