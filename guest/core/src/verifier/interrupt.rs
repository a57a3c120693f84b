//! Why the verification of a token stops.

use crate::{
    claims::Claims,
    keys::{Instant, JwksEndpointId, MissingKey},
    policy::Policy,
    reason::Reason,
    revocation::RevocationClaims,
};
use alloc::boxed::Box;

/// Why the verification of a token stops before there is a [`Verified`](super::verdict::Verified).
pub(super) enum Interrupt {
    /// The token is rejected.
    Rejected(Reason),
    /// All other checks have passed, and the caller must query whether the token was revoked.
    PendingRevocation(Box<RevocationClaims>),
    /// There is no key for the token.
    KeyMissing { endpoint: JwksEndpointId, key_id: Box<str>, error: MissingKey, now: Instant },
}

impl Interrupt {
    pub(super) fn pending_revocation(policy: &Policy, claims: &Claims) -> Self {
        Interrupt::PendingRevocation(Box::new(RevocationClaims::of(claims, policy.first_issuer.as_deref())))
    }
}

impl From<Reason> for Interrupt {
    fn from(reason: Reason) -> Self {
        Interrupt::Rejected(reason)
    }
}
