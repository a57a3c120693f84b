//! The named lists of claim rules of a verifier, and those that a token fits.

use std::sync::Arc;

/// The names of the lists, in the order in which the component numbers them.
pub(crate) type ListNames = Arc<[String]>;

/// The lists of claim rules that a verified token fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FittingLists {
    /// Bit n is set for list n.
    bits: u64,
    names: ListNames,
}

impl FittingLists {
    /// No names are known yet: see [`with_names`](Self::with_names).
    pub(crate) fn of(bits: u64) -> Self {
        Self { bits, names: Arc::default() }
    }

    pub(crate) fn with_names(self, names: &ListNames) -> Self {
        Self { names: Arc::clone(names), ..self }
    }

    /// Returns whether the token fits the list with this name. A token fits no list that the verifier does not have.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.iter().zip(0..u64::BITS).any(|(own, list)| own == name && self.bits & (1 << list) != 0)
    }
}
