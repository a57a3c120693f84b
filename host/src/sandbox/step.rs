//! What a call in the sandbox leads to.

use crate::bindings::exports::poolgate::auth::verifier::RevocationClaims;

/// What a call in the sandbox leads to.
pub(crate) enum Step<Answer> {
    /// The answer.
    Done(Answer),
    /// The keys at this URL are being fetched. Call again after the fetch.
    PendingKeys(String),
    /// All other checks have passed. Query the revocation status, and call again with it.
    PendingRevocationStatus(RevocationClaims),
}
