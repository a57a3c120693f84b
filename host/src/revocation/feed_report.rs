//! The state of a revocation feed that is read.

use std::time::Duration;

/// The state of a [`Feed`](super::Feed).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedReport {
    /// The number of revocations.
    pub entries: usize,
    /// The time since they were the publisher's present ones. `None` if no document has been read yet.
    pub age: Option<Duration>,
    /// The number of polls that have succeeded.
    pub polls: u64,
    /// The number of polls that have failed.
    pub failed_polls: u64,
}
