//! Why a document is not applied.

use core::fmt;

/// Why a document is not applied. The table has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError {
    /// The document is not in the format of the feed.
    Malformed {
        /// What is wrong.
        fault: Fault,
        /// Where it is wrong, in bytes from the start.
        offset: usize,
    },
    /// The changes do not follow the table's position. Fetch a snapshot.
    OtherPosition,
    /// The snapshot is older than the table, although both are of the same numbering. A cache may have returned it.
    Older,
    /// With this document, the table would have more entries than allowed.
    TooManyEntries {
        /// The number of entries that the table would have.
        entries: usize,
        /// The maximum number of entries.
        max: usize,
    },
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It ends within the header.
    Truncated,
    /// It does not start with `PGRF`.
    Magic,
    /// Its version is unknown.
    Version,
    /// It is neither a snapshot nor changes.
    Kind,
    /// A reserved byte is not zero.
    Reserved,
    /// Its epoch is zero.
    Epoch,
    /// It is a snapshot, and `after` is not zero.
    After,
    /// Its sequence number is lower than `after`, or equal although there are changes.
    Sequence,
    /// Its length is not that of the number of entries in its header.
    Length,
    /// The hash of an entry is not higher than that of the entry before it.
    Order,
}

impl FeedError {
    /// Returns a stable name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::OtherPosition => "other-position",
            Self::Older => "older",
            Self::TooManyEntries { .. } => "too-many-entries",
        }
    }
}

impl fmt::Display for FeedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { fault, offset } => {
                write!(formatter, "the document of the revocation feed is malformed at byte {offset}: {fault}")
            }
            Self::OtherPosition => {
                formatter.write_str("the changes of the revocation feed are those after another position")
            }
            Self::Older => formatter.write_str("the snapshot of the revocation feed is older than the present table"),
            Self::TooManyEntries { entries, max } => {
                write!(formatter, "the revocation feed has {entries} entries, and the maximum is {max}")
            }
        }
    }
}

impl core::error::Error for FeedError {}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Truncated => "it ends within the header",
            Self::Magic => "it does not start with PGRF",
            Self::Version => "its version is unknown",
            Self::Kind => "its kind is unknown",
            Self::Reserved => "a reserved byte is not zero",
            Self::Epoch => "its epoch is zero",
            Self::After => "it is a snapshot, and `after` is not zero",
            Self::Sequence => "its sequence number does not follow `after`",
            Self::Length => "its length is not that of its number of entries",
            Self::Order => "its entries are not in ascending order",
        })
    }
}
