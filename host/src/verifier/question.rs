//! Questions to the sandbox that may have to wait for keys, or for the revocation status.

use crate::{
    bindings::exports::poolgate::auth::verifier::{self as wit, RevocationStatus},
    failure::Failure,
    sandbox::{Instance, Step},
    verdict::{Denial, Verified},
};

/// A question to the sandbox.
pub(crate) trait Question {
    type Answer;

    /// Asks for the first time.
    fn ask(&self, instance: &mut Instance) -> Result<Step<Self::Answer>, Failure>;

    /// Asks again, after a fetch of the keys. `received_at` is a logical time before the first call.
    fn ask_after_fetch(&self, instance: &mut Instance, received_at: u64) -> Result<Step<Self::Answer>, Failure>;

    /// Asks again, with the revocation status.
    fn ask_with_status(&self, instance: &mut Instance, status: RevocationStatus)
    -> Result<Step<Self::Answer>, Failure>;

    /// Returns whether a token was accepted.
    fn accepts(answer: &Self::Answer) -> bool;
}

/// Is this token valid?
pub(super) struct IsValid<'t>(pub(super) &'t str);

impl Question for IsValid<'_> {
    type Answer = Result<Verified, Denial>;

    fn ask(&self, instance: &mut Instance) -> Result<Step<Self::Answer>, Failure> {
        Ok(step(instance.verify(self.0)?))
    }

    fn ask_after_fetch(&self, instance: &mut Instance, received_at: u64) -> Result<Step<Self::Answer>, Failure> {
        Ok(step(instance.verify_after_fetch(self.0, received_at)?))
    }

    fn ask_with_status(
        &self,
        instance: &mut Instance,
        status: RevocationStatus,
    ) -> Result<Step<Self::Answer>, Failure> {
        Ok(step(instance.verify_with_revocation_status(self.0, status)?))
    }

    fn accepts(answer: &Self::Answer) -> bool {
        answer.is_ok()
    }
}

fn step(verdict: Result<Verified, wit::Denial>) -> Step<Result<Verified, Denial>> {
    match verdict {
        Err(wit::Denial { pending_key_url: Some(url), .. }) => Step::PendingKeys(url),
        Err(wit::Denial { pending_revocation: Some(claims), .. }) => Step::PendingRevocationStatus(claims),
        verdict => Step::Done(verdict.map_err(Into::into)),
    }
}
