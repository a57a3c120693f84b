//! The order of tokens and fetches. Only the caller knows it; a clock of whole seconds does not show it.

/// A point in an order of events that the caller defines: a counter that increases with each event, or the nanoseconds of a clock that
/// all workers share. The core only compares it.
///
/// A key ID counts as unknown only if a fetch that started after its token was received has ended without it. An earlier fetch may have
/// read the key set before the key was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalTime(pub u64);

impl LogicalTime {
    /// Precedes everything. A fetch with an unknown start counts as started then, and makes no key ID unknown.
    pub const UNKNOWN: Self = Self(0);
}
