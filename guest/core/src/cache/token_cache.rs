//! The cache: finding, inserting and evicting tokens within the limits.

use super::{
    bytes::{fingerprint, is_same},
    entry::CacheEntry,
    s3_fifo::S3Fifo,
};
use crate::{config::CacheLimits, keys::JwksEndpointId};
use alloc::{boxed::Box, vec::Vec};
use hashbrown::HashMap;

/// The estimated memory of an entry without its strings, in bytes: the slot, the queues, the map, and the allocator's overhead.
const OVERHEAD: usize = 512;

/// Identifies a cached token. A handle is never used for another token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheHandle {
    /// The index of the slot, less than the maximum number of tokens.
    pub slot: u32,
    /// Increases with each token that is stored in the slot.
    pub version: u64,
}

pub(crate) struct TokenCache {
    limits: CacheLimits,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_fingerprint: HashMap<u64, u32>,
    queues: S3Fifo,
    bytes: usize,
}

struct Slot {
    version: u64,
    token: Option<CachedToken>,
}

struct CachedToken {
    token: Box<str>,
    fingerprint: u64,
    bytes: usize,
    entry: CacheEntry,
}

impl core::fmt::Debug for TokenCache {
    /// Omits the tokens.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("TokenCache")
            .field("limits", &self.limits)
            .field("entries", &self.by_fingerprint.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl TokenCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            slots: Vec::new(),
            free: Vec::new(),
            by_fingerprint: HashMap::new(),
            queues: S3Fifo::default(),
            bytes: 0,
        }
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.limits.bytes == 0 || self.limits.entries == 0
    }

    /// Finds a token with exactly these bytes.
    pub(crate) fn find(&mut self, token: &str) -> Option<(CacheHandle, &CacheEntry)> {
        let number = *self.by_fingerprint.get(&fingerprint(token)?)?;
        let slot = self.slots.get(number as usize)?;
        let cached = slot.token.as_ref().filter(|cached| is_same(&cached.token, token))?;
        self.queues.used(number);
        Some((CacheHandle { slot: number, version: slot.version }, &cached.entry))
    }

    /// Returns the entry of a handle, unless the token has been evicted.
    pub(crate) fn get(&self, handle: CacheHandle) -> Option<&CacheEntry> {
        let slot = self.slots.get(handle.slot as usize).filter(|slot| slot.version == handle.version)?;
        slot.token.as_ref().map(|cached| &cached.entry)
    }

    /// Inserts a token, and evicts others if there is no room. A token that takes more than an eighth of the memory is not cached.
    pub(crate) fn insert(&mut self, token: &str, entry: CacheEntry) -> Option<CacheHandle> {
        let fingerprint = fingerprint(token)?;
        let bytes = entry.bytes().saturating_add(token.len()).saturating_add(OVERHEAD);
        if self.is_disabled() || bytes > (self.limits.bytes / 8) as usize {
            return None;
        }
        if let Some(earlier) = self.by_fingerprint.get(&fingerprint).copied() {
            self.remove(earlier);
        }
        while self.bytes.saturating_add(bytes) > self.limits.bytes as usize
            || self.by_fingerprint.len() >= self.limits.entries as usize
        {
            let victim = self.queues.evict(|number| {
                let cached = self.slots.get(number as usize).and_then(|slot| slot.token.as_ref());
                cached.map(|cached| cached.fingerprint).unwrap_or_default()
            })?;
            self.clear(victim);
        }
        let number = self.free.pop().or_else(|| u32::try_from(self.slots.len()).ok())?;
        if number as usize == self.slots.len() {
            self.slots.push(Slot { version: 0, token: None });
        }
        let slot = self.slots.get_mut(number as usize)?;
        slot.version = slot.version.saturating_add(1);
        slot.token = Some(CachedToken { token: token.into(), fingerprint, bytes, entry });
        let handle = CacheHandle { slot: number, version: slot.version };
        self.by_fingerprint.insert(fingerprint, number);
        self.queues.admit(number, fingerprint, bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        Some(handle)
    }

    /// Removes one token.
    pub(crate) fn remove(&mut self, slot: u32) {
        self.queues.remove(slot);
        self.clear(slot);
    }

    /// Removes all tokens whose key came from an endpoint, because its keys have changed. It takes one pass over the cache.
    pub(crate) fn invalidate_endpoint(&mut self, endpoint: JwksEndpointId) {
        let is_stale = |slot: &Slot| slot.token.as_ref().is_some_and(|cached| cached.entry.endpoint == endpoint);
        let stale: Vec<u32> = (0..).zip(&self.slots).filter(|(_, slot)| is_stale(slot)).map(|(slot, _)| slot).collect();
        stale.into_iter().for_each(|slot| self.remove(slot));
    }

    /// Removes all tokens.
    pub(crate) fn clear_all(&mut self) {
        let used: Vec<u32> =
            (0..).zip(&self.slots).filter(|(_, slot)| slot.token.is_some()).map(|(slot, _)| slot).collect();
        used.into_iter().for_each(|slot| self.remove(slot));
    }

    /// Returns the number of cached tokens, and their memory in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.by_fingerprint.len(), self.bytes)
    }

    fn clear(&mut self, number: u32) {
        let Some(cached) = self.slots.get_mut(number as usize).and_then(|slot| slot.token.take()) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(cached.bytes);
        self.by_fingerprint.remove(&cached.fingerprint);
        self.free.push(number);
    }
}
