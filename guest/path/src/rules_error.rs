//! Why no rule can be chosen.

use crate::readings;
use core::fmt;

/// Why a request must be rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RulesError {
    /// Readers reject the path, or each corrects it in a different way: it is not absolute, has a control character, a space or a fragment, has
    /// an incomplete percent-encoding, or is not UTF-8 after decoding.
    Malformed,
    /// Two readings choose different rules. The numbers of the rules, or `None` if no rule matches, are for the operator. A client could use
    /// them to find out the rules.
    Ambiguous {
        /// The rule for the path as it was sent.
        first: Option<usize>,
        /// The rule for another reading.
        second: Option<usize>,
    },
    /// Two readings of the host choose different rules, or the host is unknown and another rule would apply to some host.
    AmbiguousHost {
        /// The rule for the host as it was sent, or for a request without a host.
        first: Option<usize>,
        /// The rule for another reading, or for another host.
        second: Option<usize>,
    },
    /// The path has more than [`RulesError::READINGS`] readings, or reading it takes more than [`RulesError::BYTES`].
    TooManyReadings,
}

impl RulesError {
    /// The maximum number of readings of one path.
    pub const READINGS: usize = readings::MOST;
    /// The maximum number of bytes that are transformed for one path, in all readings together.
    pub const BYTES: usize = readings::MOST_BYTES;
}

impl fmt::Display for RulesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the path is malformed",
            Self::Ambiguous { .. } => "the path is ambiguous: two readings of it choose different rules",
            Self::AmbiguousHost { .. } => "the host is ambiguous: two readings of it choose different rules",
            Self::TooManyReadings => "the path can be read in too many ways",
        })
    }
}

impl core::error::Error for RulesError {}
