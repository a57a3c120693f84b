//! A revocation store in the memory of this process.

use super::{
    claims::RevocationClaims,
    entry::Revocation,
    epoch::new_epoch,
    error::RevocationError,
    feed_document::FeedDocument,
    publication::Publication,
    store::{RevocationFuture, Revocations},
};
use poolgate_revocations::Position;
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
    /// Apart from the entries, so that no token waits while a document of the feed is made.
    publication: Mutex<Publication>,
}

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
        let lifetime = whole_seconds(lifetime);
        let entries = Mutex::new(Entries { by_key: HashMap::new(), next_expiry: 0 });
        let publication = Mutex::new(Publication::new(new_epoch(), lifetime));
        Self { lifetime, capacity: capacity.get(), entries, publication }
    }

    /// Returns the number of entries. It can include expired entries: they are removed only when the store is full.
    pub fn entries(&self) -> usize {
        self.lock().by_key.len()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publication(&self) -> MutexGuard<'_, Publication> {
        self.publication.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.store(revocation, now, expires_at)?;
        let mut publication = self.publication();
        let sequence = publication.position().sequence + 1;
        publication.push(sequence, revocation.hash(), revocation.time(now), expires_at, now);
        Ok(())
    }

    fn store(&self, revocation: &Revocation, now: u64, expires_at: u64) -> Result<(), RevocationError> {
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

    fn feed<'a>(&'a self, after: Option<Position>, now: u64) -> RevocationFuture<'a, Option<FeedDocument>> {
        Box::pin(ready(Ok(Some(self.publication().document(after, now)))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use poolgate_revocations::Table;
    use poolgate_tests::rng::Rng;

    const NOW: u64 = 1_790_000_000;
    const DAY: u64 = 86_400;
    const ISSUERS: [Option<&str>; 6] = [
        None,
        Some(""),
        Some("https://a"),
        Some("https://a/"),
        Some("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01"),
        Some("https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01"),
    ];
    const IDS: [&str; 6] = ["", "a", "A", "b", "é", "11111111-2222-4333-8444-555555555555"];

    fn one_of<T: Copy, const N: usize>(rng: &mut Rng, choices: [T; N]) -> T {
        choices[rng.draw(N)]
    }

    fn revocation(rng: &mut Rng, now: u64) -> Revocation {
        let (issuer, id) = (one_of(rng, ISSUERS).unwrap_or_default(), one_of(rng, IDS));
        match rng.draw(4) {
            0 => Revocation::token(issuer, id),
            1 => Revocation::sign_in(issuer, id),
            _ => Revocation::user(issuer, id, one_of(rng, [0, now - DAY, now - 7, now, now + 7, u64::MAX])),
        }
    }

    fn claims(rng: &mut Rng, now: u64) -> RevocationClaims {
        let id = |rng: &mut Rng| (rng.draw(3) > 0).then(|| one_of(rng, IDS).to_owned());
        RevocationClaims {
            issuer: one_of(rng, ISSUERS).map(str::to_owned),
            subject: id(rng),
            auth_time: one_of(rng, [None, Some(0), Some(now - DAY), Some(now - 7), Some(now - 6), Some(now)]),
            jti: id(rng),
            origin_jti: id(rng),
        }
    }

    /// Reads the feed as a poll does.
    async fn poll(store: &InMemory, table: &mut Table, now: u64) {
        let document = store.feed(table.position(), now).await.expect("memory").expect("it can be listed");
        table.apply(document.as_bytes().to_vec(), now, usize::MAX).expect("it follows the table");
    }

    #[tokio::test]
    async fn the_feed_revokes_the_same_tokens_as_the_store() {
        let mut rng = Rng::new(0x5eed_f00d);
        let (mut revoked, mut valid) = (0, 0);
        for _ in 0..150 {
            let store = InMemory::new(Duration::from_secs(DAY), NonZeroUsize::new(1_000).expect("not zero"));
            let (mut table, mut now) = (Table::new(), NOW);
            for _ in 0..rng.draw(25) {
                now += rng.draw(600) as u64;
                store.revoke(&revocation(&mut rng, now), now).await.expect("it is not full");
                if rng.draw(4) == 0 {
                    poll(&store, &mut table, now).await;
                }
            }
            poll(&store, &mut table, now).await;
            for _ in 0..300 {
                let claims = claims(&mut rng, now);
                let expected = store.is_revoked(&claims, now).await.expect("memory");
                assert_eq!(table.is_revoked(&claims.ids()), expected, "{:?}", claims.ids());
                if expected { revoked += 1 } else { valid += 1 }
            }
            // Nothing remains of it after two lifetimes and the margin.
            now += 2 * DAY + 100;
            store.revoke(&Revocation::token("https://z", "z"), now).await.expect("it is not full");
            poll(&store, &mut table, now).await;
            assert_eq!(table.len(), 1);
        }
        assert!(revoked > 5_000 && valid > 5_000, "{revoked} revoked, {valid} valid");
    }

    #[tokio::test]
    async fn a_full_store_publishes_what_it_has_and_nothing_else() {
        let store = InMemory::new(Duration::from_secs(DAY), NonZeroUsize::MIN);
        let (one, other) = (Revocation::token("https://a", "a"), Revocation::token("https://a", "b"));
        store.revoke(&one, NOW).await.expect("it is not full");
        assert_eq!(store.revoke(&other, NOW).await, Err(RevocationError::Full));
        let mut table = Table::new();
        poll(&store, &mut table, NOW).await;
        assert_eq!(table.len(), 1);
    }
}
