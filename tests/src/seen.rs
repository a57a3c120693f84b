//! What a host was seen to say of a token, and whether that is what the core says of it.

use crate::corpus::{Case, cases};
use std::{fmt, pin::Pin};

/// What a host said of one token of the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It let the token pass.
    Verified,
    /// It refused the token.
    Refused {
        /// The [`poolgate_core::Reason`]'s name, where the host tells it.
        reason: Option<String>,
        /// The HTTP status, where the host answers with one.
        status: Option<u16>,
    },
    /// The token can't be put to this host: it can't stand in a header, say.
    Unsendable,
}

impl Seen {
    /// A refusal by a host that tells both.
    pub fn refused(reason: impl Into<String>, status: u16) -> Self {
        Self::Refused { reason: Some(reason.into()), status: Some(status) }
    }

    /// Whether the core says the same of the case; `None` if the host could not be asked.
    ///
    /// Of a refusal, all that the host told counts.
    ///
    /// # Panics
    /// When a host refuses and tells neither reason nor status: then nothing would be compared.
    pub fn agrees(&self, case: &Case) -> Option<bool> {
        match (self, case.judge_natively()) {
            (Self::Unsendable, _) => None,
            (Self::Verified, verdict) => Some(verdict.is_ok()),
            (Self::Refused { .. }, Ok(_)) => Some(false),
            (Self::Refused { reason, status }, Err(expected)) => {
                assert!(reason.is_some() || status.is_some(), "{}: refused, and neither reason nor status", case.name);
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
            Self::Refused { reason, status } => {
                let reason = reason.as_deref().unwrap_or("no reason told");
                write!(to, "refused, {reason}")?;
                status.map_or(Ok(()), |status| write!(to, ", {status}"))
            }
            Self::Unsendable => to.write_str("not asked"),
        }
    }
}

/// What is seen, in the order of [`crate::corpus::cases`].
pub type Verdicts = Pin<Box<dyn Future<Output = Vec<Seen>>>>;

/// Something that runs poolgate: a column of `docs/hosts.md`.
pub struct Host {
    /// The column's title.
    pub name: &'static str,
    /// Puts the whole corpus to it.
    pub verdicts: fn() -> Verdicts,
}

/// A line for each token of which a host says something else than the core.
///
/// # Panics
/// When the host did not answer once for each token.
pub fn differences(name: &str, seen: &[Seen]) -> Vec<String> {
    assert_eq!(seen.len(), cases().len(), "{name} did not answer once for each token");
    let wrong = cases().iter().zip(seen).filter(|(case, seen)| seen.agrees(case) == Some(false));
    wrong.map(|(case, seen)| format!("{name}, {}: {seen}; the core says {:?}", case.name, case.expected)).collect()
}
