//! Verified tokens, so that a token which comes again costs no signature.
//!
//! What is remembered is the work, not the verdict: the exact bytes of the token are compared, its key must be held still, and its
//! times and the policy are checked again at every hit.

mod s3_fifo;

use crate::{Algorithm, ConfigError, TokenUse, claims::Claims, keys::JwksEndpointId, policy::Accepted};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::mem::size_of;
use hashbrown::HashMap;
use s3_fifo::S3Fifo;

/// Bounds on the verified tokens that are remembered. Zero of either remembers none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// The most memory, in bytes: the tokens, what they say, and what it takes to find them. At most 64 MiB.
    pub bytes: u32,
    /// The most tokens. At most 1,048,576.
    pub entries: u32,
}

impl Default for CacheLimits {
    /// 512 KiB and 1,024 tokens: some 250 of Cognito's size.
    fn default() -> Self {
        Self { bytes: 512 * 1024, entries: 1_024 }
    }
}

impl CacheLimits {
    /// Nothing is remembered.
    pub const NONE: Self = Self { bytes: 0, entries: 0 };

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.bytes <= 64 << 20 && self.entries <= 1 << 20 { Ok(()) } else { Err(ConfigError::OutOfRange) }
    }
}

/// The name of a remembered token: where it is, and how often that endpoint has been used. A handle is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheHandle {
    /// From 0 to the limit of entries.
    pub slot: u32,
    /// Goes up with each token that is remembered there.
    pub version: u64,
}

/// A token whose signature was verified, and what its payload says.
pub(crate) struct CacheEntry {
    pub(crate) policy: usize,
    pub(crate) keys: JwksEndpointId,
    /// The generation of the key set that its key was in.
    pub(crate) generation: u64,
    pub(crate) algorithm: Algorithm,
    pub(crate) claims: Claims,
    pub(crate) token_use: Option<TokenUse>,
    pub(crate) client_id: Option<String>,
    pub(crate) payload: String,
}

pub(crate) struct VerifiedTokens {
    limits: CacheLimits,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_fingerprint: HashMap<u64, u32>,
    s3_fifo: S3Fifo,
    bytes: usize,
}

struct Slot {
    version: u64,
    entry: Option<StoredEntry>,
}

struct StoredEntry {
    token: Box<str>,
    fingerprint: u64,
    bytes: usize,
    remembered: CacheEntry,
}

impl core::fmt::Debug for VerifiedTokens {
    /// Leaves out the tokens.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("VerifiedTokens")
            .field("limits", &self.limits)
            .field("entries", &self.by_fingerprint.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl VerifiedTokens {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            slots: Vec::new(),
            free: Vec::new(),
            by_fingerprint: HashMap::new(),
            s3_fifo: S3Fifo::default(),
            bytes: 0,
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.limits.bytes == 0 || self.limits.entries == 0
    }

    /// The token of exactly these bytes.
    pub(crate) fn find(&mut self, token: &str) -> Option<(CacheHandle, &CacheEntry)> {
        let number = *self.by_fingerprint.get(&fingerprint(token)?)?;
        let slot = self.slots.get(number as usize)?;
        let entry = slot.entry.as_ref().filter(|entry| is_same(&entry.token, token))?;
        self.s3_fifo.used(number);
        Some((CacheHandle { slot: number, version: slot.version }, &entry.remembered))
    }

    /// What is remembered under a handle.
    pub(crate) fn of(&self, handle: CacheHandle) -> Option<&CacheEntry> {
        let slot = self.slots.get(handle.slot as usize).filter(|slot| slot.version == handle.version)?;
        slot.entry.as_ref().map(|entry| &entry.remembered)
    }

    /// Remembers a token, and forgets others for it. One that takes more than an eighth of all is not remembered.
    pub(crate) fn insert(&mut self, token: &str, remembered: CacheEntry) -> Option<CacheHandle> {
        let fingerprint = fingerprint(token)?;
        let bytes = remembered.bytes().saturating_add(token.len()).saturating_add(OVERHEAD);
        if self.is_off() || bytes > (self.limits.bytes / 8) as usize {
            return None;
        }
        if let Some(earlier) = self.by_fingerprint.get(&fingerprint).copied() {
            self.forget(earlier);
        }
        while self.bytes.saturating_add(bytes) > self.limits.bytes as usize
            || self.by_fingerprint.len() >= self.limits.entries as usize
        {
            let victim = self.s3_fifo.evict(|number| {
                let entry = self.slots.get(number as usize).and_then(|slot| slot.entry.as_ref());
                entry.map(|entry| entry.fingerprint).unwrap_or_default()
            })?;
            self.clear(victim);
        }
        let number = self.free.pop().or_else(|| u32::try_from(self.slots.len()).ok())?;
        if number as usize == self.slots.len() {
            self.slots.push(Slot { version: 0, entry: None });
        }
        let slot = self.slots.get_mut(number as usize)?;
        slot.version = slot.version.saturating_add(1);
        slot.entry = Some(StoredEntry { token: token.into(), fingerprint, bytes, remembered });
        let handle = CacheHandle { slot: number, version: slot.version };
        self.by_fingerprint.insert(fingerprint, number);
        self.s3_fifo.admit(number, fingerprint, bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        Some(handle)
    }

    /// Forgets one token.
    pub(crate) fn forget(&mut self, slot: u32) {
        self.s3_fifo.remove(slot);
        self.clear(slot);
    }

    /// Forgets the tokens whose key came from a endpoint: its keys are others now. One pass, however many they are.
    pub(crate) fn invalidate_endpoint(&mut self, endpoint: JwksEndpointId) {
        let is_gone = |slot: &Slot| slot.entry.as_ref().is_some_and(|entry| entry.remembered.keys == endpoint);
        let gone: Vec<u32> = (0..).zip(&self.slots).filter(|(_, slot)| is_gone(slot)).map(|(slot, _)| slot).collect();
        gone.into_iter().for_each(|slot| self.forget(slot));
    }

    /// How many tokens are remembered, and how much memory they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.by_fingerprint.len(), self.bytes)
    }

    fn clear(&mut self, number: u32) {
        let Some(entry) = self.slots.get_mut(number as usize).and_then(|slot| slot.entry.take()) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        self.by_fingerprint.remove(&entry.fingerprint);
        self.free.push(number);
    }
}

/// What an entry takes besides its texts: the slot, the s3_fifo, the map, the allocator.
const OVERHEAD: usize = 512;

impl CacheEntry {
    /// Whether the policy finds the same now as then.
    pub(crate) fn was_found(&self, accepted: &Accepted<'_>) -> bool {
        self.token_use == accepted.token_use && self.client_id.as_deref() == accepted.client_id
    }

    /// The memory behind it, in bytes.
    fn bytes(&self) -> usize {
        let Claims { issuer, subject, username, audience, client_id, groups, scopes, jti, origin_jti, .. } =
            &self.claims;
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let list = |list: &[String]| {
            list.iter().map(|text| text.len().saturating_add(size_of::<String>())).fold(0, usize::saturating_add)
        };
        let texts = [issuer, subject, username, client_id, jti, origin_jti, &self.client_id].map(text);
        let lists = [groups.as_slice(), scopes, audience.as_deref().unwrap_or_default()].map(list);
        texts.into_iter().chain(lists).fold(self.payload.len(), usize::saturating_add)
    }
}

/// Whether two texts have the same bytes, eight words at a time: the comparison that a `==` on wasm32 calls goes byte by byte, and costs
/// more than all else that a hit does.
fn is_same(one: &str, other: &str) -> bool {
    const ROUND: usize = 64;
    if one.len() != other.len() {
        return false;
    }
    let ((one, one_rest), (other, other_rest)) =
        (one.as_bytes().as_chunks::<ROUND>(), other.as_bytes().as_chunks::<ROUND>());
    let words = |round: &[u8; ROUND]| {
        let (words, _) = round.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        [word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)]
    };
    let differs = |(one, other): (&[u8; ROUND], &[u8; ROUND])| {
        words(one).into_iter().zip(words(other)).fold(0, |differs, (one, other)| differs | (one ^ other)) != 0
    };
    !one.iter().zip(other).any(differs) && one_rest == other_rest
}

/// The end of the signature: as random as any hash of the whole. It serves to find an entry, whose bytes are then compared.
///
/// The very last character is left out, for it may hold two bits only. A token of fewer characters has no signature.
fn fingerprint(token: &str) -> Option<u64> {
    let (_, tail) = token.as_bytes().split_last_chunk::<9>()?;
    let (start, _) = tail.split_first_chunk::<8>()?;
    Some(u64::from_le_bytes(*start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_if_every_byte_is() {
        let text = "x".repeat(300);
        for length in [0, 1, 7, 8, 63, 64, 65, 128, 200, 300] {
            let one = text.get(..length).unwrap();
            assert!(is_same(one, one));
            assert!(!is_same(one, text.get(..length + 1).unwrap_or("y")));
            for endpoint in 0..length {
                let mut other = one.as_bytes().to_vec();
                other[endpoint] ^= 1;
                assert!(!is_same(one, core::str::from_utf8(&other).unwrap()), "{length} bytes, at {endpoint}");
            }
        }
    }
}
