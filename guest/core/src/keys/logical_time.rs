//! The order of what happens to tokens and fetches, which the caller knows and a clock of whole seconds does not.

/// A point in an order of events that the caller keeps: a counter that goes up with each event, or the nanoseconds of a clock that all
/// parties share. It is only compared.
///
/// A key ID is unknown only if a fetch that began after its token came has ended without it: an older fetch may have read the key set
/// before the key was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalTime(pub u64);

impl LogicalTime {
    /// Before everything. A fetch of which nobody knows when it began, began then, and makes no key unknown.
    pub const UNKNOWN: Self = Self(0);
}
