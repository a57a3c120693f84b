//! A revocation store in the memory of this process.

use super::{
    claims::RevocationClaims,
    entry::Revocation,
    error::RevocationError,
    store::{RevocationFuture, Revocations},
};
use std::{
    collections::HashMap,
    fmt,
    future::ready,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A revocation store in memory.
///
/// Other processes do not see its entries, and they are lost when the process ends. Use it if one process both revokes and verifies
/// tokens; otherwise use `Redis` (feature `redis`).
///
/// An entry takes about 200 bytes. Entries are never evicted before they expire: if the store is full,
/// [`Verifier::revoke`](crate::Verifier::revoke) returns [`RevocationError::Full`].
///
/// ```
/// use poolgate::revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME};
/// use std::num::NonZeroUsize;
///
/// let store = InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, NonZeroUsize::new(100_000).unwrap());
/// ```
pub struct InMemory {
    lifetime: u64,
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    /// No entry expires before this time, so that there is nothing to remove before it.
    next_expiry: u64,
}

struct Entry {
    /// Revokes the user's tokens with an `auth_time` up to this time.
    until: u64,
    expires_at: u64,
}

impl InMemory {
    /// Creates an empty store.
    ///
    /// `lifetime` is the time after which an entry expires, rounded up to whole seconds. It must be at least the
    /// maximum token lifetime, which is [`MAX_COGNITO_TOKEN_LIFETIME`] for Cognito. `capacity` is the maximum number of
    /// entries.
    ///
    /// [`MAX_COGNITO_TOKEN_LIFETIME`]: super::MAX_COGNITO_TOKEN_LIFETIME
    pub fn new(lifetime: Duration, capacity: NonZeroUsize) -> Self {
        Self { lifetime: whole_seconds(lifetime), capacity: capacity.get(), entries: Mutex::default() }
    }

    /// Returns the number of entries. It can include expired entries: they are removed only when the store is full.
    pub fn entries(&self) -> usize {
        self.lock().by_key.len()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_listed(&self, token: &RevocationClaims, now: u64) -> bool {
        let keys = token.keys();
        let entries = self.lock();
        let entry = |key: Option<String>| entries.by_key.get(&key?).filter(|entry| now < entry.expires_at);
        let signed_in = token.auth_time.unwrap_or(0);
        entry(keys.jti).is_some()
            || entry(keys.origin_jti).is_some()
            || entry(keys.subject).is_some_and(|entry| signed_in <= entry.until)
    }

    fn insert(&self, revocation: &Revocation, now: u64) -> Result<(), RevocationError> {
        let expires_at = now.saturating_add(self.lifetime);
        let key = revocation.key();
        let mut entries = self.lock();
        if let Some(entry) = entries.by_key.get_mut(&key) {
            entry.until = entry.until.max(revocation.until);
            entry.expires_at = entry.expires_at.max(expires_at);
            return Ok(());
        }
        if entries.by_key.len() >= self.capacity && entries.next_expiry <= now {
            entries.by_key.retain(|_, entry| now < entry.expires_at);
            entries.next_expiry = entries.by_key.values().map(|entry| entry.expires_at).min().unwrap_or(u64::MAX);
        }
        if entries.by_key.len() >= self.capacity {
            return Err(RevocationError::Full);
        }
        entries.next_expiry = match entries.by_key.is_empty() {
            true => expires_at,
            false => entries.next_expiry.min(expires_at),
        };
        entries.by_key.insert(key, Entry { until: revocation.until, expires_at });
        Ok(())
    }
}

impl Revocations for InMemory {
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, now: u64) -> RevocationFuture<'a, bool> {
        Box::pin(ready(Ok(self.is_listed(token, now))))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: u64) -> RevocationFuture<'a, ()> {
        Box::pin(ready(self.insert(revocation, now)))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lifetime, capacity, .. } = self;
        formatter
            .debug_struct("InMemory")
            .field("lifetime", lifetime)
            .field("capacity", capacity)
            .finish_non_exhaustive()
    }
}

/// Rounds a duration up to whole seconds.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}
