//! Revocations in the memory of this process.

use super::{Revocation, RevocationClaims, RevocationError, RevocationFuture, Revocations};
use std::{
    collections::HashMap,
    fmt,
    future::ready,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Revocations that this process alone knows, and forgets when it ends: for one host, whose own sign-outs are all that count.
///
/// An entry takes about 200 bytes. None is ever dropped before its time: when as many are there as may be, a further revocation is
/// refused with [`RevocationError::Full`], and whoever revokes is told.
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
    /// None expires before this: until then looking for those that have is in vain.
    next_expiry: u64,
}

struct Entry {
    /// Tokens of sign-ins up to then.
    until: u64,
    expires_at: u64,
}

impl InMemory {
    /// Entries live so long, in whole seconds rounded up: at least as long as the longest token, [`MAX_COGNITO_TOKEN_LIFETIME`] for
    /// Cognito. There are never more than `capacity`.
    ///
    /// [`MAX_COGNITO_TOKEN_LIFETIME`]: super::MAX_COGNITO_TOKEN_LIFETIME
    pub fn new(lifetime: Duration, capacity: NonZeroUsize) -> Self {
        Self { lifetime: whole_seconds(lifetime), capacity: capacity.get(), entries: Mutex::default() }
    }

    /// How many entries there are, expired ones among them that nobody has needed the room of.
    pub fn entries(&self) -> usize {
        self.lock().by_key.len()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, token: &RevocationClaims, now: u64) -> bool {
        let keys = token.keys();
        let entries = self.lock();
        let entry = |key: Option<String>| entries.by_key.get(&key?).filter(|entry| now < entry.expires_at);
        let signed_in = token.auth_time.unwrap_or(0);
        entry(keys.jti).is_some()
            || entry(keys.origin_jti).is_some()
            || entry(keys.subject).is_some_and(|entry| signed_in <= entry.until)
    }

    fn remember(&self, revocation: &Revocation, now: u64) -> Result<(), RevocationError> {
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
        Box::pin(ready(Ok(self.answer(token, now))))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: u64) -> RevocationFuture<'a, ()> {
        Box::pin(ready(self.remember(revocation, now)))
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

pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}
