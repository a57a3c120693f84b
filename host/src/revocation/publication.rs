//! The revocations of a store as a feed: sorted, numbered, and with the latest changes.

use super::feed_document::FeedDocument;
use poolgate_revocations::{Entry, Position, Table, writing};
use std::collections::VecDeque;

/// The number of changes that are kept for readers. A reader that has missed more gets a snapshot.
const CHANGES: usize = 65_536;
/// Changes are merged into the table when there are this many, because each time, entries have to move.
const UNMERGED: usize = 8_192;
/// Entries are published for this time longer than in the store, in seconds: the clocks of processes differ.
const MARGIN: u64 = 60;
/// A snapshot is encoded again for another reader after this time, in seconds.
const SNAPSHOT_AGE: u64 = 10;

/// The feed of a store.
pub(super) struct Publication {
    position: Position,
    /// How long an entry lives in the store, and the margin.
    lifetime: u64,
    /// The entries, without the last `unmerged` changes.
    table: Table,
    /// The latest changes, in order, with their sequence numbers.
    changes: VecDeque<(u64, Entry)>,
    unmerged: usize,
    /// The sequence number before that of the first change in `changes`.
    known_after: u64,
    late: Late,
    /// The last snapshot that was encoded, and its time.
    snapshot: Option<(u64, FeedDocument)>,
}

/// Entries that expire later than one lifetime after their time, because a sign-out may have a time long before it was stored. While there are such
/// entries, all entries are published for longer.
#[derive(Clone, Copy, Default)]
struct Late {
    /// How much later, in seconds.
    by: u64,
    /// When the last of them expires.
    until: u64,
}

impl Publication {
    /// Creates an empty feed. `epoch` is a random number, and is not zero. `lifetime` is how long an entry lives, in seconds.
    pub(super) fn new(epoch: u64, lifetime: u64) -> Self {
        let position = Position { epoch, sequence: 0 };
        let mut table = Table::new();
        let empty = writing::snapshot(position, 0, 0, Vec::new());
        // A snapshot without entries fits every table.
        let _ = table.apply(empty, 0, 0);
        Self {
            position,
            lifetime: lifetime.saturating_add(MARGIN),
            table,
            changes: VecDeque::new(),
            unmerged: 0,
            known_after: 0,
            late: Late::default(),
            snapshot: None,
        }
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Adds a change. `sequence` is higher than that of the position. `time` is that of the entry, and `expires_at` is when it expires in the store, both
    /// in seconds since the Unix epoch.
    pub(super) fn push(&mut self, sequence: u64, hash: u64, time: u64, expires_at: u64, now: u64) {
        // A token that can be revoked was issued before the entry expires.
        let time = u32::try_from(time.min(expires_at)).unwrap_or(u32::MAX);
        let by = expires_at.saturating_sub(u64::from(time)).saturating_sub(self.lifetime);
        if by > 0 {
            let late = self.late(now);
            self.late = Late { by: by.max(late.by), until: expires_at.max(late.until) };
        }
        self.position.sequence = sequence;
        self.changes.push_back((sequence, Entry { hash, time }));
        self.unmerged += 1;
        if self.unmerged >= UNMERGED {
            self.merge(now);
        }
        if self.changes.len() > CHANGES
            && let Some((sequence, _)) = self.changes.pop_front()
        {
            self.known_after = sequence;
        }
    }

    /// Returns the changes after a position, or a snapshot if the changes are not known.
    pub(super) fn document(&mut self, after: Option<Position>, now: u64) -> FeedDocument {
        let known = after.filter(|after| after.epoch == self.position.epoch);
        match known.and_then(|after| Some((after.sequence, self.changes_after(after.sequence)?))) {
            Some((after, entries)) => {
                let document = writing::changes(after, self.position, now, self.published_lifetime(now), entries);
                FeedDocument::new(self.position, document)
            }
            None => self.snapshot(now),
        }
    }

    /// `None` if the sequence number is not that of a known change: then it is too old, or was never given.
    fn changes_after(&self, sequence: u64) -> Option<Vec<Entry>> {
        let start = if sequence == self.known_after {
            0
        } else {
            self.changes.binary_search_by_key(&sequence, |(sequence, _)| *sequence).ok()? + 1
        };
        Some(self.changes.range(start..).map(|(_, entry)| *entry).collect())
    }

    fn snapshot(&mut self, now: u64) -> FeedDocument {
        if let Some((issued_at, document)) = &self.snapshot
            && document.position() == self.position
            && now.abs_diff(*issued_at) < SNAPSHOT_AGE
        {
            return document.clone();
        }
        self.merge(now);
        // The table has a position from the start.
        let document = FeedDocument::new(self.position, self.table.snapshot(now).unwrap_or_default());
        self.snapshot = Some((now, document.clone()));
        document
    }

    /// Merges all changes into the table, and removes expired entries.
    fn merge(&mut self, now: u64) {
        let start = self.changes.len().saturating_sub(self.unmerged);
        let entries = self.changes.range(start..).map(|(_, entry)| *entry).collect();
        let after = self.table.position().map_or(0, |position| position.sequence);
        let document = writing::changes(after, self.position, now, self.published_lifetime(now), entries);
        // They follow the table, and there is no maximum.
        let _ = self.table.apply(document, now, usize::MAX);
        self.table.remove_expired(now);
        self.unmerged = 0;
    }

    fn published_lifetime(&self, now: u64) -> u32 {
        u32::try_from(self.lifetime.saturating_add(self.late(now).by)).unwrap_or(u32::MAX)
    }

    fn late(&self, now: u64) -> Late {
        if now < self.late.until { self.late } else { Late::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000;
    const DAY: u64 = 86_400;

    fn feed() -> Publication {
        Publication::new(7, DAY)
    }

    fn at(sequence: u64) -> Option<Position> {
        Some(Position { epoch: 7, sequence })
    }

    /// Returns a table that has applied the documents.
    fn reader(documents: &[FeedDocument], now: u64) -> Table {
        let mut table = Table::new();
        for document in documents {
            table.apply(document.as_bytes().to_vec(), now, usize::MAX).expect("a document that fits");
        }
        table
    }

    fn is_snapshot(document: &FeedDocument) -> bool {
        document.as_bytes()[5] == 0
    }

    #[test]
    fn a_reader_gets_the_changes_after_its_position_and_otherwise_a_snapshot() {
        let mut feed = feed();
        let empty = feed.document(None, NOW);
        for sequence in 1..=5 {
            feed.push(sequence * 10, sequence, NOW, NOW + DAY, NOW);
        }
        for (after, expected) in [(0, 5), (10, 4), (40, 1), (50, 0)] {
            let document = feed.document(at(after), NOW);
            assert!(!is_snapshot(&document));
            assert_eq!(document.as_bytes().len(), 48 + 12 * expected, "after {after}");
            assert_eq!(document.position(), Position { epoch: 7, sequence: 50 });
        }
        let changes = feed.document(at(0), NOW);
        assert_eq!(reader(&[empty, changes], NOW).len(), 5);
        for after in [None, at(9), at(51), at(u64::MAX), Some(Position { epoch: 8, sequence: 50 })] {
            let document = feed.document(after, NOW);
            assert!(is_snapshot(&document), "{after:?}");
            assert_eq!(reader(&[document], NOW).len(), 5);
        }
    }

    #[test]
    fn a_reader_that_has_missed_more_changes_than_are_kept_gets_a_snapshot() {
        let mut feed = feed();
        let count = CHANGES as u64 + 10;
        for sequence in 1..=count {
            feed.push(sequence, sequence, NOW, NOW + DAY, NOW);
        }
        let first = count - CHANGES as u64;
        assert!(!is_snapshot(&feed.document(at(first), NOW)));
        assert!(is_snapshot(&feed.document(at(first - 1), NOW)));
        let mut table = reader(&[feed.document(None, NOW)], NOW);
        assert_eq!(table.len() as u64, count);
        feed.push(count + 1, 1, NOW + 5, NOW + 5 + DAY, NOW + 5);
        let changes = feed.document(at(count), NOW + 5);
        table.apply(changes.as_bytes().to_vec(), NOW + 5, usize::MAX).expect("changes");
        assert_eq!((table.len() as u64, table.position()), (count, at(count + 1)));
    }

    #[test]
    fn entries_are_removed_after_their_lifetime() {
        let mut feed = feed();
        feed.push(1, 1, NOW, NOW + DAY, NOW);
        feed.push(2, 2, NOW + 100, NOW + 100 + DAY, NOW + 100);
        for (now, expected) in [(NOW + 100, 2), (NOW + DAY + MARGIN, 2), (NOW + DAY + MARGIN + SNAPSHOT_AGE, 1)] {
            assert_eq!(reader(&[feed.document(None, now)], now).len(), expected, "{}", now - NOW);
        }
    }

    #[test]
    fn a_sign_out_of_long_ago_and_one_in_the_future_live_as_long_as_in_the_store() {
        for time in [0, NOW - 10 * DAY, NOW + 10 * DAY, u64::MAX] {
            let mut feed = feed();
            feed.push(1, 1, time, NOW + DAY, NOW);
            feed.push(2, 2, NOW, NOW + DAY, NOW);
            for now in [NOW, NOW + DAY - 1] {
                let mut table = reader(&[feed.document(None, now)], now);
                table.remove_expired(now);
                assert_eq!(table.len(), 2, "{time}, {}", now - NOW);
            }
            // One in the future stays for a second lifetime.
            let now = NOW + 2 * DAY + MARGIN + 1;
            assert_eq!(reader(&[feed.document(None, now)], now).len(), 0, "{time}");
        }
    }
}
