//! Errors of a revocation store.

use std::fmt;

/// The error of a revocation store. It contains no address, no password and no part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationError {
    /// The verifier has no store. Configure one with [`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations).
    NoStore,
    /// The store could not be reached, or the connection was lost.
    Unreachable,
    /// The store did not respond before the deadline.
    TimedOut,
    /// The store was not queried, because the previous queries had no response. It is queried again after at most 250 ms.
    CircuitOpen,
    /// The store responded with an error, for example because of a wrong password, missing permissions or lack of memory.
    Refused,
    /// The store has reached its maximum number of entries, and none of them has expired.
    Full,
    /// The store is a [`Feed`](super::Feed), and no document of the feed has been read for the allowed time, or none at all yet.
    Stale,
    /// The store is a [`Feed`](super::Feed), which only reads revocations. Write them to the store that publishes the feed.
    ReadOnly,
}

impl RevocationError {
    /// Returns a stable name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            RevocationError::NoStore => "no-store",
            RevocationError::Unreachable => "unreachable",
            RevocationError::TimedOut => "timed-out",
            RevocationError::CircuitOpen => "circuit-open",
            RevocationError::Refused => "refused",
            RevocationError::Full => "full",
            RevocationError::Stale => "stale",
            RevocationError::ReadOnly => "read-only",
        }
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RevocationError::NoStore => "the verifier has no revocation store",
            RevocationError::Unreachable => "the revocation store is unreachable",
            RevocationError::TimedOut => "the revocation store did not respond in time",
            RevocationError::CircuitOpen => {
                "the revocation store was not queried, because the previous queries had no response"
            }
            RevocationError::Refused => "the revocation store responded with an error",
            RevocationError::Full => "the revocation store is full",
            RevocationError::Stale => "the revocation feed has not been read for longer than allowed",
            RevocationError::ReadOnly => "a revocation feed can only be read",
        })
    }
}

impl std::error::Error for RevocationError {}
