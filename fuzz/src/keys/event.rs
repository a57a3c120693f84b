//! What can happen.

use crate::drawing as arbitrary;
use crate::scene::{KEYS, key_id};
use derive_arbitrary::Arbitrary;
use poolgate_core::KeyPolicy;

/// A policy and the places of the keys.
#[derive(Arbitrary, Debug)]
pub(super) struct Plan {
    places: u8,
    pub(super) remembers: bool,
    soft_ttl: [u8; 3],
    hard_ttl: u8,
    retry: [u8; 2],
    deadline: u8,
    unknown: [u8; 4],
    jitter_seed: u8,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Event {
    /// The clock goes on.
    Ahead(u8),
    /// It jumps far ahead.
    Jump(u32),
    /// It steps back.
    Back(u16),
    /// It goes on to a second around one where something begins or ends.
    ToEdge {
        place: u8,
        edge: u8,
        offset: u8,
    },
    Verify {
        issuer: u8,
        key: u8,
    },
    /// A token that came so many events ago.
    VerifyAgain {
        issuer: u8,
        key: u8,
        came_before: u8,
    },
    Maintain,
    /// A fetch has ended, asked for or not.
    Fetched {
        place: u8,
        key: Option<u8>,
        ago: u8,
        /// So many events ago it began.
        began_before: u8,
        brought: Brought,
    },
    Seed {
        issuer: u8,
        ago: u8,
        keys: Keys,
    },
}

#[derive(Arbitrary, Debug)]
pub(super) enum Brought {
    Keys { keys: Keys, max_age: Option<u16> },
    NotModified,
    Nothing(u8),
    Junk(u8),
}

/// A set: which keys are in it, and which of them can't be used.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    there: u8,
    spoiled: u8,
}

impl Plan {
    pub(super) fn policy(&self) -> KeyPolicy {
        let [min, usual, max] = self.soft_ttl.map(u32::from);
        let (soft_ttl_min, soft_ttl) = (1 + min, 1 + min + usual);
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

    /// Where the keys of each issuer come from.
    pub(super) fn urls(&self) -> Vec<Option<&'static str>> {
        let (one, other) = (Some("https://one.example/keys"), Some("https://other.example/keys"));
        match self.places % 5 {
            0 => vec![one],
            1 => vec![one, one],
            2 => vec![one, other],
            3 => vec![None],
            _ => vec![one, None],
        }
    }
}

impl Keys {
    /// Whether a token of the key can be verified.
    pub(super) fn has(self, key: u8) -> bool {
        self.there >> key & 1 == 1 && self.spoiled >> key & 1 == 0
    }

    pub(super) fn has_spoiled(self, key: u8) -> bool {
        (self.there & self.spoiled) >> key & 1 == 1
    }

    /// Whether it has the same text.
    pub(super) fn is_like(self, other: Self) -> bool {
        (0..KEYS).all(|key| self.has(key) == other.has(key) && self.has_spoiled(key) == other.has_spoiled(key))
    }

    pub(super) fn is_usable(self) -> bool {
        (0..KEYS).any(|key| self.has(key))
    }

    pub(super) fn is_empty(self) -> bool {
        (0..KEYS).all(|key| self.there >> key & 1 == 0)
    }

    /// The same text for the same keys.
    pub(super) fn body(self, jwks: &[String]) -> String {
        let entries = (0..KEYS).filter(|key| self.there >> key & 1 == 1).map(|key| match self.has(key) {
            true => jwks[usize::from(key)].clone(),
            false => format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"AA"}}"#, key_id(key)),
        });
        format!(r#"{{"keys":[{}]}}"#, entries.collect::<Vec<_>>().join(","))
    }
}

impl Brought {
    pub(super) fn body(&self, jwks: &[String]) -> Option<Vec<u8>> {
        match self {
            Brought::Keys { keys, .. } => Some(keys.body(jwks).into_bytes()),
            Brought::Junk(kind) => Some([&b"{}"[..], b"", b"[]", br#"{"keys":{}}"#][usize::from(kind % 4)].to_vec()),
            Brought::NotModified | Brought::Nothing(_) => None,
        }
    }
}
