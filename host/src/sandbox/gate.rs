//! The calls of an instance that has a gate.

use super::{instance::Instance, step::Step};
use crate::{
    bindings::exports::poolgate::auth::{
        gate::{self, AdmittedClaims, ConfigProblem, RequestHead, Settings},
        verifier::{CacheHit, NewlyVerified, RevocationStatus},
    },
    failure::Failure,
    verdict::Verified,
};
use wasmtime::Store;

/// The rules that a request must satisfy, or the reason for which none is chosen, with the line for the operator's log.
pub(crate) type ChosenRules = Result<Vec<u32>, (String, Option<String>)>;

/// The decision about a request.
pub(crate) enum GateDecision {
    /// The claims of the token, if there is one.
    Admit(Option<Box<Verified>>, gate::Admission),
    Reject(gate::Rejection),
    Respond(gate::StaticResponse),
}

impl Instance {
    /// Configures the gate. The component must have one.
    pub(crate) fn configure_gate(
        &mut self,
        json: &str,
        jitter_seed: u64,
    ) -> Result<Result<Settings, ConfigProblem>, Failure> {
        self.call_at_start(|exports, store| match &exports.gate {
            Some(gate) => gate.call_configure(store, json, jitter_seed),
            None => Err(wasmtime::format_err!("the component has no gate")),
        })
    }

    pub(crate) fn decide(&mut self, head: &RequestHead) -> Result<Step<GateDecision>, Failure> {
        let decision = self.call_gate(|gate, store| gate.call_decide(store, head))?;
        self.step(decision)
    }

    pub(crate) fn decide_after_fetch(
        &mut self,
        head: &RequestHead,
        received_at: u64,
    ) -> Result<Step<GateDecision>, Failure> {
        let decision = self.call_gate(|gate, store| gate.call_decide_after_fetch(store, head, received_at))?;
        self.step(decision)
    }

    pub(crate) fn decide_with_revocation_status(
        &mut self,
        head: &RequestHead,
        status: RevocationStatus,
    ) -> Result<Step<GateDecision>, Failure> {
        let decision = self.call_gate(|gate, store| gate.call_decide_with_revocation_status(store, head, status))?;
        self.step(decision)
    }

    pub(crate) fn decide_without_keys(&mut self, head: &RequestHead) -> Result<Step<GateDecision>, Failure> {
        let decision = self.call_gate(|gate, store| gate.call_decide_without_keys(store, head))?;
        self.step(decision)
    }

    pub(crate) fn chosen_rules(&mut self, head: &RequestHead) -> Result<ChosenRules, Failure> {
        self.call_gate(|gate, store| gate.call_chosen_rules(store, head))
    }

    fn call_gate<T>(
        &mut self,
        call: impl FnOnce(&gate::Guest, &mut Store<super::Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.call(|exports, store| match &exports.gate {
            Some(gate) => call(gate, store),
            None => Err(wasmtime::format_err!("the component has no gate")),
        })
    }

    fn step(&mut self, decision: gate::Decision) -> Result<Step<GateDecision>, Failure> {
        self.is_new = false;
        Ok(match decision {
            gate::Decision::Admit(mut admission) => {
                let claims = std::mem::replace(&mut admission.claims, AdmittedClaims::None);
                Step::Done(GateDecision::Admit(self.claims_of(claims)?.map(Box::new), admission))
            }
            gate::Decision::Reject(rejection) => Step::Done(GateDecision::Reject(rejection)),
            gate::Decision::Respond(response) => Step::Done(GateDecision::Respond(response)),
            gate::Decision::PendingKeys(url) => Step::PendingKeys(url),
            gate::Decision::PendingRevocationStatus(claims) => Step::PendingRevocationStatus(claims),
        })
    }

    /// Stores new claims, or returns the stored ones.
    fn claims_of(&mut self, claims: AdmittedClaims) -> Result<Option<Verified>, Failure> {
        match claims {
            AdmittedClaims::None => Ok(None),
            AdmittedClaims::New(NewlyVerified { verified, handle }) => {
                let verified = Verified::from(verified);
                if let Some(handle) = handle {
                    self.claims.insert(handle, &verified);
                }
                Ok(Some(verified))
            }
            AdmittedClaims::Cached(CacheHit { handle, keys_are_stale }) => match self.claims.get(handle) {
                Some(claims) => Ok(Some(Verified { keys_are_stale, ..claims.clone() })),
                // The instance has returned them before, so one of the two is broken.
                None => Err(Failure::Trap),
            },
        }
    }
}
