//! The table of revocations, which a reader builds from the documents of a feed.

use crate::buckets::Buckets;
use crate::{
    Entry, Hashes, Ids, Position,
    document::{HEADER_BYTES, Header, Kind, checked, entries},
    entry::{ENTRY_BYTES, EntryBytes},
    error::FeedError,
};
use alloc::vec::Vec;
use core::fmt;

/// [`Table::apply`] looks for entries that have no meaning any more at most once in this time, in seconds.
const EXPIRY_INTERVAL: u64 = 60;
/// When the memory of a table has to grow, or is given back, there is room for one more entry for each 16.
const ROOM: usize = 16;

/// The revocations of a feed, in 12 bytes each and a little for all together.
///
/// A new table is empty and has no position. The first document that it applies must be a snapshot.
#[derive(Clone, Default)]
pub struct Table {
    /// A snapshot, whose entries are those of the table. Its header is written by [`Table::snapshot`].
    document: Vec<u8>,
    /// Where the entries of each range of hashes are.
    buckets: Buckets,
    /// What the documents so far said. `None` before the first one.
    applied: Option<AppliedHeader>,
    /// When expired entries were removed, by the reader's clock.
    expired_at: u64,
}

#[derive(Clone, Copy)]
struct AppliedHeader {
    position: Position,
    /// The time of the publisher, unless that of the reader was earlier.
    issued_at: u64,
    lifetime: u32,
}

/// A document that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It has replaced the table.
    Snapshot {
        /// The number of its entries.
        entries: usize,
    },
    /// It was added to the table.
    Changes {
        /// The number of its entries. Usually, there is none.
        entries: usize,
    },
}

impl Table {
    /// Creates an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether a token is revoked, by any of the claims that identify it.
    ///
    /// This takes at most three hashes and three searches among a few entries. To hash the claims only once, use [`is_revoked_by`](Self::is_revoked_by).
    pub fn is_revoked(&self, ids: &Ids<'_>) -> bool {
        self.is_revoked_by(&ids.hashes())
    }

    /// Like [`is_revoked`](Self::is_revoked), with the hashes of the claims.
    pub fn is_revoked_by(&self, hashes: &Hashes) -> bool {
        let time = |hash: Option<u64>| self.time(hash?);
        time(hashes.token).is_some()
            || time(hashes.sign_in).is_some()
            || time(hashes.user).is_some_and(|signed_out| hashes.auth_time <= signed_out.into())
    }

    /// Applies a document. A snapshot replaces the table, and its memory becomes that of the table. Changes are added; of two times for the same hash,
    /// the later one counts.
    ///
    /// `now` is the present time, in seconds since the Unix epoch. Entries that have expired by the clocks of both the publisher and the reader are
    /// removed, at most once a minute. `max_entries` is the maximum number of entries that the table may have.
    ///
    /// # Errors
    ///
    /// Returns a [`FeedError`] if the document is malformed, does not follow the table, or is too large. The table then answers as before.
    pub fn apply(&mut self, document: Vec<u8>, now: u64, max_entries: usize) -> Result<Applied, FeedError> {
        let header = checked(&document)?;
        match header.kind {
            Kind::Snapshot => self.replace(document, header, now, max_entries),
            Kind::Changes { after } => self.merge(entries(&document), after, header, now, max_entries),
        }
    }

    /// Returns the position, which the reader sends to get the changes after it. `None` before the first document.
    pub fn position(&self) -> Option<Position> {
        self.applied.map(|applied| applied.position)
    }

    /// Returns the time at which the publisher wrote the last document, in seconds since the Unix epoch, or the time of the reader if that was
    /// earlier. `None` before the first document.
    pub fn issued_at(&self) -> Option<u64> {
        self.applied.map(|applied| applied.issued_at)
    }

    /// Returns the number of entries. It can include expired ones.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Returns the memory of the table, in bytes.
    pub fn memory(&self) -> usize {
        self.document.capacity() + self.buckets.memory()
    }

    /// Removes the entries that have expired: those whose lifetime has ended at `now`, the time of the reader, and had ended when the publisher wrote
    /// the last document. So a reader whose clock is fast does not lose revocations.
    pub fn remove_expired(&mut self, now: u64) {
        if let Some(applied) = self.applied {
            self.expire(now, applied);
        }
    }

    /// Returns the table as a snapshot, for another reader. `issued_at` is the time that the snapshot shows. `None` before the first document.
    pub fn snapshot(&self, issued_at: u64) -> Option<Vec<u8>> {
        let AppliedHeader { position: Position { epoch, sequence }, lifetime, .. } = self.applied?;
        // The number was read from 32 bits, or is the sum of such numbers in a memory that has less than 2^32 · 12 bytes.
        let count = u32::try_from(self.len()).ok()?;
        let header = Header { kind: Kind::Snapshot, epoch, sequence, issued_at, lifetime, count };
        let mut document = Vec::with_capacity(self.document.len());
        document.extend(header.to_bytes());
        document.extend(self.document.get(HEADER_BYTES..)?);
        Some(document)
    }

    fn replace(
        &mut self,
        document: Vec<u8>,
        header: Header,
        now: u64,
        max_entries: usize,
    ) -> Result<Applied, FeedError> {
        let count = entries(&document).len();
        if count > max_entries {
            return Err(FeedError::TooManyEntries { entries: count, max: max_entries });
        }
        let is_older = |applied: AppliedHeader| {
            applied.position.epoch == header.epoch
                && header.sequence < applied.position.sequence
                && header.issued_at <= applied.issued_at
        };
        if self.applied.is_some_and(is_older) {
            return Err(FeedError::Older);
        }
        self.document = document;
        self.shrink();
        self.buckets = Buckets::of(self.entries());
        self.applied = Some(AppliedHeader::new(header, now));
        self.expired_at = now;
        Ok(Applied::Snapshot { entries: count })
    }

    fn merge(
        &mut self,
        changes: &[EntryBytes],
        after: u64,
        header: Header,
        now: u64,
        max_entries: usize,
    ) -> Result<Applied, FeedError> {
        let Some(applied) =
            self.applied.filter(|applied| applied.position == Position { epoch: header.epoch, sequence: after })
        else {
            return Err(FeedError::OtherPosition);
        };
        let next = AppliedHeader::new(header, now);
        let next = AppliedHeader { issued_at: next.issued_at.max(applied.issued_at), ..next };
        if now.abs_diff(self.expired_at) >= EXPIRY_INTERVAL || self.len() + changes.len() > max_entries {
            self.expire(now, next);
        }
        let is_new = |change: &&EntryBytes| self.search(Entry::from_bytes(change).hash).is_err();
        let total = self.len() + changes.iter().filter(is_new).count();
        if total > max_entries {
            return Err(FeedError::TooManyEntries { entries: total, max: max_entries });
        }
        let mut new = Vec::new();
        for change in changes {
            let Entry { hash, time } = Entry::from_bytes(change);
            match self.search(hash) {
                Ok(index) => self.extend_time(index, time),
                Err(index) => new.push((index, *change)),
            }
        }
        self.insert(&new);
        self.applied = Some(next);
        Ok(Applied::Changes { entries: changes.len() })
    }

    fn expire(&mut self, now: u64, AppliedHeader { issued_at, lifetime, .. }: AppliedHeader) {
        self.expired_at = now;
        let now = now.min(issued_at);
        let has_expired = |bytes: &EntryBytes| u64::from(Entry::from_bytes(bytes).time) + u64::from(lifetime) < now;
        if !self.entries().iter().any(has_expired) {
            return;
        }
        let mut kept = 0;
        let entries = self.entries_mut();
        for index in 0..entries.len() {
            if entries.get(index).is_some_and(|entry| !has_expired(entry)) {
                entries.swap(kept, index);
                kept += 1;
            }
        }
        self.document.truncate(HEADER_BYTES + kept * ENTRY_BYTES);
        self.shrink();
        self.buckets = Buckets::of(self.entries());
    }

    /// Adds entries, in ascending order. Each comes with the index of the present entry before which it belongs.
    fn insert(&mut self, new: &[(usize, EntryBytes)]) {
        if new.is_empty() {
            return;
        }
        let present = self.len();
        let length = HEADER_BYTES + (present + new.len()) * ENTRY_BYTES;
        if self.document.capacity() < length {
            let room = length / ROOM;
            self.document.reserve_exact(length - self.document.len() + room);
        }
        self.document.resize(length, 0);
        let entries = self.entries_mut();
        // From the last to the first: the present entries up to the previous new one make room.
        let mut end = present;
        for (before, (start, entry)) in new.iter().enumerate().rev() {
            entries.copy_within(*start..end, start + before + 1);
            if let Some(place) = entries.get_mut(start + before) {
                *place = *entry;
            }
            end = *start;
        }
        self.buckets = Buckets::of(self.entries());
    }

    fn extend_time(&mut self, index: usize, time: u32) {
        if let Some(bytes) = self.entries_mut().get_mut(index) {
            let entry = Entry::from_bytes(bytes);
            *bytes = Entry { time: entry.time.max(time), ..entry }.to_bytes();
        }
    }

    fn time(&self, hash: u64) -> Option<u32> {
        let index = self.search(hash).ok()?;
        self.entries().get(index).map(|bytes| Entry::from_bytes(bytes).time)
    }

    /// Returns the index of a hash, or that of the entry before which it belongs.
    fn search(&self, hash: u64) -> Result<usize, usize> {
        let (start, end) = self.buckets.range(hash);
        let bucket = self.entries().get(start..end).unwrap_or_default();
        let found = bucket.binary_search_by_key(&hash, |bytes| Entry::from_bytes(bytes).hash);
        found.map(|index| start + index).map_err(|index| start + index)
    }

    fn entries(&self) -> &[EntryBytes] {
        entries(&self.document)
    }

    fn entries_mut(&mut self) -> &mut [EntryBytes] {
        self.document.get_mut(HEADER_BYTES..).unwrap_or_default().as_chunks_mut().0
    }

    fn shrink(&mut self) {
        let length = self.document.len();
        self.document.shrink_to(length + length / ROOM);
    }
}

impl AppliedHeader {
    fn new(header: Header, now: u64) -> Self {
        let Header { epoch, sequence, issued_at, lifetime, .. } = header;
        Self { position: Position { epoch, sequence }, issued_at: issued_at.min(now), lifetime }
    }
}

impl fmt::Debug for Table {
    /// Shows the number of entries only.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (position, len) = (self.position(), self.len());
        formatter.debug_struct("Table").field("position", &position).field("len", &len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryKind, Fault, entry_hash, writing};
    use alloc::{collections::BTreeMap, vec};

    const NOW: u64 = 1_790_000_000;
    const TIME: u32 = 1_790_000_000;
    const DAY: u32 = 86_400;
    const MAX: usize = 1_000;

    fn at(sequence: u64) -> Position {
        Position { epoch: 7, sequence }
    }

    fn entry(hash: u64, time: u32) -> Entry {
        Entry { hash, time }
    }

    fn table(entries: Vec<Entry>) -> Table {
        let mut table = Table::new();
        table.apply(writing::snapshot(at(10), NOW, DAY, entries), NOW, MAX).unwrap();
        table
    }

    fn all(table: &Table) -> Vec<Entry> {
        table.entries().iter().map(Entry::from_bytes).collect()
    }

    #[test]
    fn a_token_is_revoked_by_each_of_its_claims() {
        let ids = Ids {
            issuer: Some("https://a"),
            subject: Some("user"),
            auth_time: Some(100),
            jti: Some("token"),
            origin_jti: Some("sign-in"),
        };
        let of = |kind, id| entry_hash(kind, Some("https://a"), id);
        for (revoked, expected) in [
            (entry(of(EntryKind::Token, "token"), 0), true),
            (entry(of(EntryKind::SignIn, "sign-in"), 0), true),
            (entry(of(EntryKind::User, "user"), 100), true),
            (entry(of(EntryKind::User, "user"), 99), false),
            (entry(of(EntryKind::User, "token"), 100), false),
            (entry(entry_hash(EntryKind::Token, None, "token"), 0), false),
        ] {
            assert_eq!(table(vec![revoked]).is_revoked(&ids), expected, "{revoked:?}");
        }
        let user = table(vec![entry(of(EntryKind::User, "user"), 1)]);
        assert!(user.is_revoked(&Ids { auth_time: None, ..ids }));
        assert!(!user.is_revoked(&Ids { subject: None, ..ids }));
        assert!(!Table::new().is_revoked(&ids));
    }

    #[test]
    fn changes_are_merged_and_the_later_time_counts() {
        let mut table = table(vec![entry(20, 5), entry(40, 5)]);
        let changes = vec![entry(10, 1), entry(20, 9), entry(30, 1), entry(40, 2), entry(50, 1)];
        let document = writing::changes(10, at(15), NOW + 5, DAY, changes);
        assert_eq!(table.apply(document, NOW + 5, MAX), Ok(Applied::Changes { entries: 5 }));
        assert_eq!(all(&table), [entry(10, 1), entry(20, 9), entry(30, 1), entry(40, 5), entry(50, 1)]);
        assert_eq!((table.position(), table.issued_at(), table.len()), (Some(at(15)), Some(NOW + 5), 5));
        let unchanged = writing::changes(15, at(15), NOW + 10, DAY, vec![]);
        assert_eq!(table.apply(unchanged, NOW + 10, MAX), Ok(Applied::Changes { entries: 0 }));
        assert_eq!((table.position(), table.issued_at(), table.len()), (Some(at(15)), Some(NOW + 10), 5));
    }

    #[test]
    fn random_changes_give_the_same_table_as_a_map() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut expected: BTreeMap<u64, u32> = BTreeMap::new();
        let (mut table, mut sequence) = (table(vec![]), 10);
        for _ in 0..300 {
            let entries: Vec<Entry> =
                (0..random(20)).map(|_| entry(random(500), TIME - u32::try_from(random(9)).unwrap())).collect();
            for entry in &entries {
                let time = expected.entry(entry.hash).or_default();
                *time = entry.time.max(*time);
            }
            let next = sequence + entries.len() as u64;
            table.apply(writing::changes(sequence, at(next), NOW, DAY, entries), NOW, MAX).unwrap();
            sequence = next;
            let expected: Vec<Entry> = expected.iter().map(|(hash, time)| entry(*hash, *time)).collect();
            assert_eq!(all(&table), expected);
        }
        // A snapshot of the table is the same table.
        let mut other = Table::new();
        other.apply(table.snapshot(NOW + 3).unwrap(), NOW + 3, MAX).unwrap();
        assert_eq!((all(&other), other.position(), other.issued_at()), (all(&table), table.position(), Some(NOW + 3)));
    }

    #[test]
    fn a_document_that_does_not_fit_changes_nothing() {
        let mut before = Table::new();
        let changes = |after, position| writing::changes(after, position, NOW, DAY, vec![entry(1, TIME)]);
        assert_eq!(before.apply(changes(0, at(1)), NOW, MAX), Err(FeedError::OtherPosition), "the first is a snapshot");
        assert!(before.position().is_none() && before.snapshot(NOW).is_none());

        let mut table = table(vec![entry(20, TIME), entry(40, TIME)]);
        let snapshot = |position, issued_at| writing::snapshot(position, issued_at, DAY, vec![]);
        let too_many = |entries, max| Err(FeedError::TooManyEntries { entries, max });
        for (document, max, expected) in [
            (changes(9, at(11)), MAX, Err(FeedError::OtherPosition)),
            (changes(11, at(12)), MAX, Err(FeedError::OtherPosition)),
            (changes(10, Position { epoch: 8, sequence: 11 }), MAX, Err(FeedError::OtherPosition)),
            (changes(10, at(11)), 2, too_many(3, 2)),
            (writing::snapshot(at(11), NOW, DAY, vec![entry(1, 1), entry(2, 1)]), 1, too_many(2, 1)),
            (snapshot(at(9), NOW), MAX, Err(FeedError::Older)),
            (snapshot(at(9), NOW - 5), MAX, Err(FeedError::Older)),
            (vec![], MAX, Err(FeedError::Malformed { fault: Fault::Truncated, offset: 0 })),
        ] {
            assert_eq!(table.apply(document, NOW, max), expected);
            assert_eq!(all(&table), [entry(20, TIME), entry(40, TIME)]);
            assert_eq!(table.position(), Some(at(10)));
        }
        for (position, issued_at) in
            [(at(9), NOW + 1), (at(9), NOW + 1), (at(8), NOW + 2), (Position { epoch: 8, sequence: 0 }, NOW - 100)]
        {
            assert_eq!(table.apply(snapshot(position, issued_at), NOW + 5, MAX), Ok(Applied::Snapshot { entries: 0 }));
        }
    }

    #[test]
    fn an_entry_is_removed_when_the_clocks_of_both_sides_say_so() {
        let day = u64::from(DAY);
        let entries = vec![entry(1, TIME - 100), entry(2, TIME)];
        let cases: [(u64, u64, &[u64]); 5] = [
            (NOW, NOW + 10 * day, &[1, 2]),
            (NOW + 10 * day, NOW, &[1, 2]),
            (NOW + day - 100, NOW + day - 100, &[1, 2]),
            (NOW + day - 99, NOW + day - 99, &[2]),
            (NOW + day + 1, NOW + day + 1, &[]),
        ];
        for (issued_at, now, expected) in cases {
            let mut table = table(entries.clone());
            let unchanged = writing::changes(10, at(10), issued_at, DAY, vec![]);
            table.apply(unchanged, now, MAX).unwrap();
            let hashes: Vec<u64> = all(&table).iter().map(|entry| entry.hash).collect();
            assert_eq!(hashes, expected, "issued at {issued_at}, {now}");
            table.remove_expired(now);
            assert_eq!(table.len(), expected.len());
        }
    }

    #[test]
    fn expired_entries_make_room() {
        let mut table = table(vec![entry(1, TIME - DAY), entry(2, TIME)]);
        let document = writing::changes(10, at(11), NOW + 1, DAY, vec![entry(3, TIME)]);
        assert_eq!(table.apply(document, NOW + 1, 2), Ok(Applied::Changes { entries: 1 }));
        assert_eq!(all(&table), [entry(2, TIME), entry(3, TIME)]);
    }

    #[test]
    fn the_memory_is_that_of_the_entries_and_a_little_room() {
        let mut document = writing::snapshot(at(10), NOW, DAY, (0..1_000).map(|hash| entry(2 * hash, TIME)).collect());
        document.reserve(100_000);
        let mut table = Table::new();
        table.apply(document, NOW, 10_000).unwrap();
        assert!(table.memory() < 13_000, "{}", table.memory());
        let changes = (0..1_000).map(|hash| entry(2 * hash + 1, TIME)).collect();
        table.apply(writing::changes(10, at(1_010), NOW, DAY, changes), NOW, 10_000).unwrap();
        assert_eq!(table.len(), 2_000);
        assert!(table.memory() < 26_000, "{}", table.memory());
    }
}
