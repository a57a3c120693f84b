//! A document of the revocation feed, which a store publishes.

use axum::body::Bytes;
use poolgate_revocations::Position;
use std::fmt;

/// A document of the [revocation feed](https://docs.rs/poolgate-revocations): a snapshot, or the changes after a position. Clones share its bytes.
#[derive(Clone)]
pub struct FeedDocument {
    position: Position,
    bytes: Bytes,
}

impl FeedDocument {
    /// Creates a document from its bytes, which the module `writing` of the crate `poolgate-revocations` returns. `position` is the position of a
    /// reader that has applied it.
    pub fn new(position: Position, bytes: Vec<u8>) -> Self {
        Self { position, bytes: bytes.into() }
    }

    /// Returns the position of a reader that has applied it.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_snapshot(&self) -> bool {
        poolgate_revocations::is_snapshot(&self.bytes)
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl fmt::Debug for FeedDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, bytes } = self;
        formatter.debug_struct("FeedDocument").field("position", position).field("bytes", &bytes.len()).finish()
    }
}
