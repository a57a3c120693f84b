//! The events.

use crate::drawing as arbitrary;
use crate::scene::load_balancer::{KEYS, pem};
use derive_arbitrary::Arbitrary;
use poolgate_core::FetchError;

/// The number of key IDs that tokens have.
pub(super) const KEY_IDS: u8 = 5;

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
        edge: u8,
        offset: u8,
    },
    /// Verifies a token with this `kid`, which this key has signed.
    Verify {
        key_id: u8,
        key: u8,
    },
    /// The same, after a fetch.
    VerifyAfterFetch {
        key_id: u8,
        key: u8,
    },
    Maintain,
    /// A fetch has ended, required or not.
    Fetched {
        key_id: u8,
        ago: u8,
        result: FetchResult,
    },
    /// Other verifiers have fetched keys that no token here needs.
    Crowd(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum FetchResult {
    Key { key: u8, max_age: Option<u16> },
    NotModified,
    Nothing(u8),
    Junk(u8),
}

impl FetchResult {
    pub(super) fn error(self) -> Option<FetchError> {
        let FetchResult::Nothing(error) = self else { return None };
        Some(match error % 5 {
            0 => FetchError::Unreachable,
            1 => FetchError::TimedOut,
            2 => FetchError::TooLarge,
            // More often, because it is the answer for a key that does not exist.
            _ => FetchError::BadStatus,
        })
    }

    pub(super) fn body(self) -> Option<String> {
        match self {
            FetchResult::Key { key, .. } => Some(pem(key % KEYS)),
            FetchResult::Junk(kind) => {
                let block = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n";
                Some(["", "{\"keys\":[]}", block][usize::from(kind % 3)].to_owned())
            }
            FetchResult::NotModified | FetchResult::Nothing(_) => None,
        }
    }

    pub(super) fn max_age(self) -> Option<u64> {
        match self {
            FetchResult::Key { max_age, .. } => max_age.map(u64::from),
            _ => None,
        }
    }

    /// Returns whether it is a block, but not a key.
    pub(super) fn is_unusable_block(self) -> bool {
        matches!(self, FetchResult::Junk(kind) if kind % 3 == 2)
    }
}
