//! The generation of each endpoint's key set, counted once for all instances.
//!
//! An instance counts the key sets that it has accepted. The event log keeps only the newest key set, so an instance that applies the events
//! later has accepted fewer key sets and counts less. The host therefore counts the changes that the first instance reports.

use crate::bindings::exports::poolgate::auth::verifier::KeyReport;
use std::sync::{Mutex, PoisonError};

/// The generations, in the order of the endpoints in the key reports, which is the same in all instances.
#[derive(Debug, Default)]
pub(crate) struct Generations(Mutex<Vec<u64>>);

impl Generations {
    /// Counts the changes between two reports of one instance, from before and after the event that it was the first to apply.
    pub(super) fn count_changes(&self, before: &[KeyReport], after: &[KeyReport]) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.resize(after.len(), 0);
        for ((generation, before), after) in generations.iter_mut().zip(before).zip(after) {
            *generation += after.generation.saturating_sub(before.generation);
        }
    }

    /// Writes the generations to the reports of an instance.
    pub(super) fn write_to(&self, reports: &mut [KeyReport]) {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, report) in reports.iter_mut().enumerate() {
            report.generation = generations.get(index).copied().unwrap_or(0);
        }
    }
}
