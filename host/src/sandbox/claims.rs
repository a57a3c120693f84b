//! The claims of the tokens that an instance has cached, by cache handle.
//!
//! For a cached token, the component returns only a cache handle, because copying the claims out of the sandbox takes longer than the cache
//! lookup. The host keeps the claims here. The component still decides on each call whether the token is valid.

use crate::{bindings::exports::poolgate::auth::verifier::CacheHandle, verdict::Verified};

/// The claims of each slot of the instance's cache, with the version of the entry.
#[derive(Default)]
pub(super) struct ClaimsByHandle(Vec<Option<(u64, Verified)>>);

impl ClaimsByHandle {
    /// Stores the claims of a token that the instance has just cached.
    pub(super) fn insert(&mut self, handle: CacheHandle, verified: &Verified) {
        let slot = handle.slot as usize;
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, || None);
        }
        if let Some(entry) = self.0.get_mut(slot) {
            *entry = Some((handle.version, verified.clone()));
        }
    }

    /// Returns the claims that were stored for this handle.
    pub(super) fn get(&self, handle: CacheHandle) -> Option<&Verified> {
        let (version, verified) = self.0.get(handle.slot as usize)?.as_ref()?;
        (*version == handle.version).then_some(verified)
    }
}
