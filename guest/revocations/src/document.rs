//! The header of a document, and the check of its entries.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | `PGRF` |
//! | 4 | 1 | version, 1 |
//! | 5 | 1 | kind: 0 snapshot, 1 changes |
//! | 6 | 2 | zero |
//! | 8 | 8 | epoch |
//! | 16 | 8 | after |
//! | 24 | 8 | sequence |
//! | 32 | 8 | issued at |
//! | 40 | 4 | lifetime |
//! | 44 | 4 | number of entries |
//! | 48 | 12 each | entries |

use crate::{
    entry::{ENTRY_BYTES, Entry, EntryBytes},
    error::{Fault, FeedError},
};

/// The length of the header, which is that of four entries.
pub(crate) const HEADER_BYTES: usize = 4 * ENTRY_BYTES;
const MAGIC: [u8; 4] = *b"PGRF";
const VERSION: u8 = 1;
const SNAPSHOT: u8 = 0;
const CHANGES: u8 = 1;

/// What a document contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All entries.
    Snapshot,
    /// The entries that have changed after the sequence number.
    Changes {
        /// The sequence number.
        after: u64,
    },
}

/// The header of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// Not zero.
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    /// When the publisher wrote the document, in seconds since the Unix epoch.
    pub(crate) issued_at: u64,
    /// The time after `Entry::time` after which an entry has no meaning, in seconds.
    pub(crate) lifetime: u32,
    pub(crate) count: u32,
}

/// Checks a whole document, and returns its header.
pub(crate) fn checked(document: &[u8]) -> Result<Header, FeedError> {
    let header = Header::read(document)?;
    // In 64 bits, because 32 bits may not hold the length that an untrusted number asks for.
    let expected = HEADER_BYTES as u64 + u64::from(header.count) * ENTRY_BYTES as u64;
    if document.len() as u64 != expected {
        return Err(malformed(Fault::Length, 44));
    }
    let hashes = entries(document).iter().map(|bytes| Entry::from_bytes(bytes).hash);
    let mut last = None;
    for (index, hash) in hashes.enumerate() {
        if last.is_some_and(|last| last >= hash) {
            return Err(malformed(Fault::Order, HEADER_BYTES + index * ENTRY_BYTES));
        }
        last = Some(hash);
    }
    Ok(header)
}

/// Returns whether the kind is that of a snapshot.
pub(crate) fn is_snapshot(document: &[u8]) -> bool {
    document.get(5) == Some(&SNAPSHOT)
}

/// Returns the entries of a document that was checked.
pub(crate) fn entries(document: &[u8]) -> &[EntryBytes] {
    document.get(HEADER_BYTES..).unwrap_or_default().as_chunks().0
}

impl Header {
    fn read(document: &[u8]) -> Result<Self, FeedError> {
        let Some((header, _)) = document.split_first_chunk::<HEADER_BYTES>() else {
            return Err(malformed(Fault::Truncated, document.len()));
        };
        let fields = Fields(header);
        let (epoch, after, sequence) = (fields.u64_at(8), fields.u64_at(16), fields.u64_at(24));
        let count = fields.u32_at(44);
        let [version, kind, reserved @ ..] = fields.u32_at(4).to_be_bytes();
        if fields.u32_at(0).to_be_bytes() != MAGIC {
            return Err(malformed(Fault::Magic, 0));
        }
        if version != VERSION {
            return Err(malformed(Fault::Version, 4));
        }
        let kind = match (kind, after) {
            (SNAPSHOT, 0) => Kind::Snapshot,
            (SNAPSHOT, _) => return Err(malformed(Fault::After, 16)),
            (CHANGES, after) => Kind::Changes { after },
            _ => return Err(malformed(Fault::Kind, 5)),
        };
        if reserved != [0, 0] {
            return Err(malformed(Fault::Reserved, 6));
        }
        if epoch == 0 {
            return Err(malformed(Fault::Epoch, 8));
        }
        if matches!(kind, Kind::Changes { after } if sequence < after || (sequence == after && count > 0)) {
            return Err(malformed(Fault::Sequence, 24));
        }
        Ok(Self { kind, epoch, sequence, issued_at: fields.u64_at(32), lifetime: fields.u32_at(40), count })
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let (kind, after) = match self.kind {
            Kind::Snapshot => (SNAPSHOT, 0),
            Kind::Changes { after } => (CHANGES, after),
        };
        let mut bytes = [0; HEADER_BYTES];
        let fields = [
            (0, &MAGIC[..]),
            (4, &[VERSION, kind]),
            (8, &self.epoch.to_be_bytes()),
            (16, &after.to_be_bytes()),
            (24, &self.sequence.to_be_bytes()),
            (32, &self.issued_at.to_be_bytes()),
            (40, &self.lifetime.to_be_bytes()),
            (44, &self.count.to_be_bytes()),
        ];
        for (offset, field) in fields {
            for (to, from) in bytes.iter_mut().skip(offset).zip(field) {
                *to = *from;
            }
        }
        bytes
    }
}

/// Reads big-endian numbers.
struct Fields<'d>(&'d [u8; HEADER_BYTES]);

impl Fields<'_> {
    fn u64_at(&self, offset: usize) -> u64 {
        self.number(offset, 8)
    }

    fn u32_at(&self, offset: usize) -> u32 {
        // Four bytes fit.
        u32::try_from(self.number(offset, 4)).unwrap_or_default()
    }

    fn number(&self, offset: usize, bytes: usize) -> u64 {
        let bytes = self.0.iter().skip(offset).take(bytes);
        bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

fn malformed(fault: Fault, offset: usize) -> FeedError {
    FeedError::Malformed { fault, offset }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const HEADER: Header = Header {
        kind: Kind::Changes { after: 3 },
        epoch: 0x0102_0304_0506_0708,
        sequence: 5,
        issued_at: 1_790_000_000,
        lifetime: 86_400,
        count: 2,
    };

    fn document(header: Header, hashes: &[u64]) -> Vec<u8> {
        let entries = hashes.iter().flat_map(|hash| Entry { hash: *hash, time: 1 }.to_bytes());
        header.to_bytes().into_iter().chain(entries).collect()
    }

    #[test]
    fn the_header_is_the_documented_one() {
        let bytes = document(HEADER, &[1, 2]);
        assert_eq!(bytes.len(), 48 + 24);
        assert_eq!(&bytes[..8], b"PGRF\x01\x01\x00\x00");
        assert_eq!(&bytes[8..16], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(&bytes[40..48], [0, 1, 0x51, 0x80, 0, 0, 0, 2]);
        assert_eq!(checked(&bytes), Ok(HEADER));
    }

    #[test]
    fn every_fault_is_found_at_its_offset() {
        let whole = document(HEADER, &[1, 2]);
        for length in 0..48 {
            assert_eq!(checked(&whole[..length]), Err(malformed(Fault::Truncated, length)));
        }
        for length in 48..whole.len() {
            assert_eq!(checked(&whole[..length]), Err(malformed(Fault::Length, 44)), "{length} bytes");
        }
        let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
        assert_eq!(checked(&longer), Err(malformed(Fault::Length, 44)));
        let with = |offset: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[offset] = byte;
            checked(&bytes)
        };
        for (offset, byte, fault) in [
            (0, b'Q', Fault::Magic),
            (3, b'f', Fault::Magic),
            (4, 2, Fault::Version),
            (5, 2, Fault::Kind),
            (6, 1, Fault::Reserved),
            (7, 1, Fault::Reserved),
        ] {
            let at = if fault == Fault::Magic { 0 } else { offset.min(6) };
            assert_eq!(with(offset, byte), Err(malformed(fault, at)), "{offset}");
        }
        // The largest number of entries, of which there are two.
        assert_eq!(
            checked(&document(Header { count: u32::MAX, ..HEADER }, &[1, 2])),
            Err(malformed(Fault::Length, 44))
        );
        let header = |header| checked(&document(header, &[1, 2]));
        assert_eq!(header(Header { epoch: 0, ..HEADER }), Err(malformed(Fault::Epoch, 8)));
        assert_eq!(header(Header { sequence: 2, ..HEADER }), Err(malformed(Fault::Sequence, 24)));
        assert_eq!(header(Header { sequence: 3, ..HEADER }), Err(malformed(Fault::Sequence, 24)));
        let mut snapshot = document(Header { kind: Kind::Snapshot, ..HEADER }, &[1, 2]);
        assert!(checked(&snapshot).is_ok());
        snapshot[23] = 1;
        assert_eq!(checked(&snapshot), Err(malformed(Fault::After, 16)));
        for hashes in [[2, 1], [1, 1]] {
            assert_eq!(checked(&document(HEADER, &hashes)), Err(malformed(Fault::Order, 60)));
        }
        let unchanged = document(Header { sequence: 3, count: 0, ..HEADER }, &[]);
        assert_eq!(checked(&unchanged).map(|header| header.count), Ok(0));
    }
}
