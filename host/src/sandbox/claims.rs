//! What an instance has said of the tokens that it remembers, so that it need not say it again: lifting a record out of the sandbox costs
//! more than judging a token that is remembered.
//!
//! The sandbox alone says whether a token is good, each time. Here is only what a good one says.

use crate::{bindings::exports::poolgate::auth::verifier::CacheHandle, verdict::Verified};

/// By slot: as many as the instance remembers.
#[derive(Default)]
pub(super) struct ClaimsByHandle(Vec<Option<(u64, Verified)>>);

impl ClaimsByHandle {
    pub(super) fn insert(&mut self, handle: CacheHandle, verified: &Verified) {
        let slot = handle.slot as usize;
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.0.get_mut(slot) {
            *place = Some((handle.version, verified.clone()));
        }
    }

    /// What was said when this handle was given.
    pub(super) fn get(&self, handle: CacheHandle) -> Option<&Verified> {
        let (version, verified) = self.0.get(handle.slot as usize)?.as_ref()?;
        (*version == handle.version).then_some(verified)
    }
}
