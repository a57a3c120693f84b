//! Writes documents, for publishers.

use crate::{
    Entry, Position,
    document::{HEADER_BYTES, Header, Kind},
    entry::ENTRY_BYTES,
};
use alloc::vec::Vec;

/// Returns a snapshot: all entries of the feed at a position.
///
/// `issued_at` is the present time, in seconds since the Unix epoch. `lifetime` is the time after [`Entry::time`] after which an entry has no meaning,
/// in seconds: at least the longest lifetime of a token. The entries may be in any order; of several with the same hash, the latest time counts.
pub fn snapshot(position: Position, issued_at: u64, lifetime: u32, entries: Vec<Entry>) -> Vec<u8> {
    document(Kind::Snapshot, position, issued_at, lifetime, entries)
}

/// Returns the changes from a sequence number, which the reader has, to a position. The rest is as for [`snapshot`].
pub fn changes(after: u64, position: Position, issued_at: u64, lifetime: u32, entries: Vec<Entry>) -> Vec<u8> {
    document(Kind::Changes { after }, position, issued_at, lifetime, entries)
}

fn document(kind: Kind, position: Position, issued_at: u64, lifetime: u32, mut entries: Vec<Entry>) -> Vec<u8> {
    sort(&mut entries);
    let Position { epoch, sequence } = position;
    // A table with more entries does not fit into 32 bits of address space.
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let header = Header { kind, epoch, sequence, issued_at, lifetime, count };
    let mut document = Vec::with_capacity(HEADER_BYTES + entries.len() * ENTRY_BYTES);
    document.extend(header.to_bytes());
    for entry in entries {
        document.extend(entry.to_bytes());
    }
    document
}

/// Sorts entries by their hash, and keeps the latest of those with the same hash.
fn sort(entries: &mut Vec<Entry>) {
    entries.sort_unstable_by(|one, other| one.hash.cmp(&other.hash).then(other.time.cmp(&one.time)));
    entries.dedup_by_key(|entry| entry.hash);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{checked, entries};
    use alloc::vec;

    #[test]
    fn entries_are_sorted_and_the_latest_time_counts() {
        let entry = |hash, time| Entry { hash, time };
        let position = Position { epoch: 1, sequence: 9 };
        let written = changes(4, position, 100, 60, vec![entry(5, 1), entry(2, 7), entry(5, 3), entry(5, 2)]);
        let header = checked(&written).unwrap();
        assert_eq!((header.kind, header.sequence, header.count), (Kind::Changes { after: 4 }, 9, 2));
        let read: Vec<Entry> = entries(&written).iter().map(Entry::from_bytes).collect();
        assert_eq!(read, [entry(2, 7), entry(5, 3)]);
        assert_eq!(snapshot(position, 100, 60, vec![]).len(), 48);
    }
}
