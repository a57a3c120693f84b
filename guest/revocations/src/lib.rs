//! The format of a feed of revoked tokens, and a table that answers from it whether a token is revoked.
//!
//! A feed is a sequence of revocations with numbers. A publisher sends it as a document: a *snapshot* with all entries, or the *changes* after a
//! [`Position`]. A reader keeps a [`Table`], applies each document to it, and asks it about tokens. `docs/revocation-feed.md` in the repository
//! describes the format and the requests.
//!
//! An [`Entry`] is a hash of what is revoked, and a time. The hash has 64 bits: with 1,000,000 entries, a token that is not revoked is taken for a
//! revoked one with a probability of 2·10⁻¹³.
//!
//! Documents are not signed. A reader trusts the publisher and the connection to it, as it trusts those of a JWK Set.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod buckets;
mod document;
mod entry;
mod error;
mod ids;
mod position;
mod table;
pub mod writing;

pub use entry::{Entry, EntryKind, entry_hash};
pub use error::{Fault, FeedError};
pub use ids::{Hashes, Ids};
pub use position::{Position, PositionError};
pub use table::{Applied, Table};

/// The media type of a document.
pub const MEDIA_TYPE: &str = "application/vnd.poolgate.revocations";

/// Returns the length of a document with this many entries, in bytes: the maximum length of a response that a reader accepts.
pub fn max_document_bytes(entries: usize) -> usize {
    entries.saturating_mul(entry::ENTRY_BYTES).saturating_add(document::HEADER_BYTES)
}

/// Returns whether these are the bytes of a snapshot, and not of changes. It does not check anything else.
pub fn is_snapshot(document: &[u8]) -> bool {
    document::is_snapshot(document)
}

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
