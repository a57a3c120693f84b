//! The exports of a component: the verifier and, if the component has it, the gate.

use super::guest::Guest;
use crate::bindings::exports::poolgate::auth::{gate, jws, verifier};
use wasmtime::{Store, component::InstancePre};

/// A component that can be instantiated, with the positions of its exports.
pub(crate) struct ExportsPre {
    component: InstancePre<Guest>,
    verifier: verifier::GuestIndices,
    jws: jws::GuestIndices,
    gate: Option<gate::GuestIndices>,
}

/// The exports of an instance.
pub(crate) struct Exports {
    pub(crate) verifier: verifier::Guest,
    pub(crate) jws: jws::Guest,
    /// `None` if the component is that of the world `token-verifier`.
    pub(crate) gate: Option<gate::Guest>,
}

impl ExportsPre {
    pub(crate) fn new(component: InstancePre<Guest>) -> wasmtime::Result<Self> {
        Ok(Self {
            verifier: verifier::GuestIndices::new(&component)?,
            jws: jws::GuestIndices::new(&component)?,
            gate: gate::GuestIndices::new(&component).ok(),
            component,
        })
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Exports> {
        let instance = self.component.instantiate(&mut *store)?;
        Ok(Exports {
            verifier: self.verifier.load(&mut *store, &instance)?,
            jws: self.jws.load(&mut *store, &instance)?,
            gate: self.gate.as_ref().map(|gate| gate.load(&mut *store, &instance)).transpose()?,
        })
    }
}
