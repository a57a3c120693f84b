//! The events.

use crate::drawing as arbitrary;
use crate::scene::{KEYS, key_id};
use derive_arbitrary::Arbitrary;
use poolgate_core::KeyPolicy;

/// The key policy and the JWKS endpoints.
#[derive(Arbitrary, Debug)]
pub(crate) struct Plan {
    endpoints: u8,
    pub(crate) caches_tokens: bool,
    soft_ttl: [u8; 3],
    hard_ttl: u8,
    retry: [u8; 2],
    deadline: u8,
    unknown: [u8; 4],
    jitter_seed: u8,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Event {
    /// The clock advances.
    Ahead(u8),
    /// The clock jumps far ahead.
    Jump(u32),
    /// The clock is set back.
    Back(u16),
    /// The clock advances to within a second of a time at which something begins or ends.
    ToEdge {
        endpoint: u8,
        edge: u8,
        offset: u8,
    },
    Verify {
        issuer: u8,
        key: u8,
    },
    /// Verifies a token that was received `received_before` events ago, after a fetch.
    VerifyAfterFetch {
        issuer: u8,
        key: u8,
        received_before: u8,
    },
    Maintain,
    /// A fetch has ended, required or not.
    Fetched {
        endpoint: u8,
        key: Option<u8>,
        ago: u8,
        /// How many events ago it started.
        started_before: u8,
        result: FetchResult,
    },
    Load {
        issuer: u8,
        ago: u8,
        keys: Keys,
    },
}

#[derive(Arbitrary, Debug)]
pub(super) enum FetchResult {
    Keys { keys: Keys, max_age: Option<u16> },
    NotModified,
    Nothing(u8),
    Junk(u8),
}

/// A key set: which keys it has, and which of them can't be used.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    present: u8,
    spoiled: u8,
}

impl Plan {
    pub(crate) fn policy(&self) -> KeyPolicy {
        let [min, default, max] = self.soft_ttl.map(u32::from);
        let (soft_ttl_min, soft_ttl) = (1 + min, 1 + min + default);
        let soft_ttl_max = soft_ttl + max;
        let [retry_min, retry_max] = self.retry.map(u32::from);
        let [fetches, interval, ttl, entries] = self.unknown.map(u32::from);
        KeyPolicy {
            soft_ttl,
            soft_ttl_min,
            soft_ttl_max,
            hard_ttl: soft_ttl_max + u32::from(self.hard_ttl),
            retry_min: 1 + retry_min,
            retry_max: 1 + retry_min + retry_max,
            fetch_deadline: 1 + u32::from(self.deadline),
            unknown_key_fetches: fetches % 6,
            unknown_key_interval: 1 + interval,
            unknown_key_ttl: ttl,
            unknown_key_entries: entries % 5,
            jitter_seed: self.jitter_seed.into(),
        }
    }

    /// Returns the JWKS URL of each issuer.
    pub(super) fn urls(&self) -> Vec<Option<&'static str>> {
        let (one, other) = (Some("https://one.example/keys"), Some("https://other.example/keys"));
        match self.endpoints % 5 {
            0 => vec![one],
            1 => vec![one, one],
            2 => vec![one, other],
            3 => vec![None],
            _ => vec![one, None],
        }
    }
}

impl Keys {
    /// Returns whether a token of the key can be verified.
    pub(super) fn has(self, key: u8) -> bool {
        self.present >> key & 1 == 1 && self.spoiled >> key & 1 == 0
    }

    pub(super) fn has_spoiled(self, key: u8) -> bool {
        (self.present & self.spoiled) >> key & 1 == 1
    }

    /// Returns whether it has the same text.
    pub(super) fn is_like(self, other: Self) -> bool {
        (0..KEYS).all(|key| self.has(key) == other.has(key) && self.has_spoiled(key) == other.has_spoiled(key))
    }

    pub(super) fn is_usable(self) -> bool {
        (0..KEYS).any(|key| self.has(key))
    }

    pub(super) fn is_empty(self) -> bool {
        (0..KEYS).all(|key| self.present >> key & 1 == 0)
    }

    /// Returns the text of the set, which is the same for the same keys.
    pub(super) fn body(self, jwks: &[String]) -> String {
        let entries = (0..KEYS).filter(|key| self.present >> key & 1 == 1).map(|key| match self.has(key) {
            true => jwks[usize::from(key)].clone(),
            false => format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"AA"}}"#, key_id(key)),
        });
        format!(r#"{{"keys":[{}]}}"#, entries.collect::<Vec<_>>().join(","))
    }
}

impl FetchResult {
    pub(super) fn body(&self, jwks: &[String]) -> Option<Vec<u8>> {
        match self {
            FetchResult::Keys { keys, .. } => Some(keys.body(jwks).into_bytes()),
            FetchResult::Junk(kind) => {
                Some([&b"{}"[..], b"", b"[]", br#"{"keys":{}}"#][usize::from(kind % 4)].to_vec())
            }
            FetchResult::NotModified | FetchResult::Nothing(_) => None,
        }
    }
}
