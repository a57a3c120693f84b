//! Failures of the sandbox.

use crate::{Denial, Reason};

/// Why the sandbox failed. The call has no result, and its instance must not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The call exceeded its deadline.
    Deadline,
    /// The instance exceeded its memory limit.
    Memory,
    /// The instance trapped for another reason.
    Trap,
}

impl Failure {
    pub(crate) const ALL: [Self; 3] = [Self::Deadline, Self::Memory, Self::Trap];

    /// Returns a stable name for logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Failure::Deadline => "deadline",
            Failure::Memory => "memory",
            Failure::Trap => "trap",
        }
    }
}

impl From<Failure> for Denial {
    fn from(failure: Failure) -> Self {
        Denial::unavailable(match failure {
            Failure::Deadline => Reason::SandboxTimeout,
            Failure::Memory | Failure::Trap => Reason::SandboxFailed,
        })
    }
}
