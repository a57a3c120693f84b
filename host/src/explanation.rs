//! Why a token is accepted or rejected, for who holds the token.

use crate::{
    Reason,
    bindings::exports::poolgate::auth::verifier::{self as wit},
};
use std::fmt;

pub use wit::{CheckResult, CheckStage};

/// Why a token is accepted or rejected: the result of [`Verifier::explain`](crate::Verifier::explain).
///
/// It has the content of the token, which may not be verified. Show it only to who holds the token, and only where it was asked for. The `Debug`
/// output omits the content.
// The host does not link the core, so these types also exist in guest/core/src/explain/explanation.rs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The reason of the rejection, as if no fetch followed. `None` if the token is accepted, or if only the revocation check is left.
    pub reason: Option<Reason>,
    /// The decoded header. `None` if it is not base64url of UTF-8. It may be no JSON.
    pub header: Option<String>,
    /// The decoded payload, likewise.
    pub payload: Option<String>,
    /// Whether the signature was verified with a key of the issuer. If not, anyone may have written the header and the payload.
    pub is_signature_valid: bool,
    /// The number of the pool by whose rules the token is judged, from 0: the pool of its issuer, or the only pool. `None` if there is no such pool.
    pub pool: Option<u32>,
    /// All checks, in their order. The first that failed has the reason. The later ones show what else is wrong.
    pub checks: Vec<Check>,
}

/// One check of a token. The `Debug` output omits the content of the token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// What is checked.
    pub stage: CheckStage,
    /// The result.
    pub result: CheckResult,
    /// The member of the header, or the claim, that is checked. `None` if it is not a single one.
    pub member: Option<String>,
    /// The value that the token has, as JSON. If it has more than 1,024 bytes, it is cut off and ends with `…`. `None` if there is none, or if
    /// `member` is `None`.
    pub found: Option<String>,
    /// What is accepted: values as JSON, or words. Empty if that is not a list.
    pub accepted: Vec<String>,
    /// More about what was compared, in sentences.
    pub detail: Option<String>,
    /// What to change, if the check has failed.
    pub advice: Option<String>,
}

impl From<wit::Explanation> for Explanation {
    fn from(explanation: wit::Explanation) -> Self {
        let wit::Explanation { reason, header, payload, is_signature_valid, pool, checks } = explanation;
        Self { reason, header, payload, is_signature_valid, pool, checks: checks.into_iter().map(Into::into).collect() }
    }
}

impl From<wit::Check> for Check {
    fn from(check: wit::Check) -> Self {
        let wit::Check { stage, result, member, found, accepted, detail, advice } = check;
        Self { stage, result, member, found, accepted, detail, advice }
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Explanation")
            .field("reason", &self.reason)
            .field("is_signature_valid", &self.is_signature_valid)
            .field("pool", &self.pool)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Check")
            .field("stage", &self.stage)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}
