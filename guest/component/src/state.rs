//! The state of the instance: a verifier, or a gate that has one.

use poolgate_core::{Fetch, RevocationMode, Verifier};
#[cfg(feature = "gate")]
use poolgate_edge::RequestAuthorizer;
use std::cell::{Cell, RefCell};

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
    static REVOCATION: Cell<Option<RevocationMode>> = const { Cell::new(None) };
}

/// What the instance was configured as.
#[cfg_attr(feature = "gate", expect(clippy::large_enum_variant, reason = "there is one for each instance"))]
pub enum State {
    Verifier(Verifier),
    #[cfg(feature = "gate")]
    Gate(RequestAuthorizer),
}

impl State {
    fn verifier(&mut self) -> &mut Verifier {
        match self {
            State::Verifier(verifier) => verifier,
            #[cfg(feature = "gate")]
            State::Gate(authorizer) => authorizer.verifier(),
        }
    }
}

/// Returns whether the instance was configured.
pub fn is_configured() -> bool {
    STATE.with_borrow(Option::is_some)
}

/// Sets the state, with the revocation mode if one was set before.
pub fn set(mut state: State) {
    if let Some(mode) = REVOCATION.get() {
        state.verifier().enable_revocation_check(mode);
    }
    STATE.set(Some(state));
}

/// Sets the revocation mode. Returns `false` if it was set before.
pub fn set_revocation_mode(mode: RevocationMode) -> bool {
    REVOCATION.replace(Some(mode)).is_none()
}

/// Calls `work` with the verifier. Returns `None` if the instance was not configured.
pub fn with<T>(work: impl FnOnce(&mut Verifier) -> T) -> Option<T> {
    STATE.with_borrow_mut(|state| state.as_mut().map(|state| work(state.verifier())))
}

/// Calls `work` with the gate. Returns `None` if the instance was not configured as one.
#[cfg(feature = "gate")]
pub fn with_gate<T>(work: impl FnOnce(&mut RequestAuthorizer) -> T) -> Option<T> {
    STATE.with_borrow_mut(|state| match state {
        Some(State::Gate(authorizer)) => Some(work(authorizer)),
        _ => None,
    })
}

/// Returns the fetches that are due.
pub fn maintain(now: u64) -> Vec<Fetch> {
    STATE.with_borrow_mut(|state| match state {
        Some(State::Verifier(verifier)) => verifier.maintain(now),
        #[cfg(feature = "gate")]
        Some(State::Gate(authorizer)) => authorizer.maintain(now),
        None => Vec::new(),
    })
}
