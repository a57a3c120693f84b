//! The table of a feed and its age, which queries and the poll task share.

use crate::revocation::{error::RevocationError, feed_report::FeedReport};
use poolgate_revocations::{Applied, FeedError, Ids, Position, Table};
use std::{
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// The state of a feed.
pub(super) struct Shared {
    max_stale: Duration,
    state: RwLock<State>,
    /// Whether a poll has ended.
    has_polled: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    table: Table,
    /// When the poll began that has returned the last document.
    read_at: Option<Instant>,
    polls: u64,
    failed_polls: u64,
}

impl State {
    fn age(&self) -> Option<Duration> {
        self.read_at.map(|at| at.elapsed())
    }
}

impl Shared {
    pub(super) fn new(max_stale: Duration) -> Self {
        Self { max_stale, state: RwLock::default(), has_polled: watch::Sender::new(false) }
    }

    /// Returns whether a token is revoked. If it is not listed, and the table is too old, this is not known.
    pub(super) fn is_revoked(&self, ids: &Ids<'_>) -> Result<bool, RevocationError> {
        let state = self.read();
        if state.table.is_revoked(ids) {
            return Ok(true);
        }
        match state.age() {
            Some(age) if age <= self.max_stale => Ok(false),
            _ => Err(RevocationError::Stale),
        }
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.read().table.position()
    }

    /// Applies the document of a poll that began at `began_at`.
    pub(super) fn apply(
        &self,
        document: Vec<u8>,
        now: u64,
        max_entries: usize,
        began_at: Instant,
    ) -> Result<Applied, FeedError> {
        let mut state = self.write();
        let applied = state.table.apply(document, now, max_entries)?;
        state.read_at = Some(began_at);
        Ok(applied)
    }

    /// Records that a poll has ended.
    pub(super) fn polled(&self, has_succeeded: bool) {
        let mut state = self.write();
        let count = if has_succeeded { &mut state.polls } else { &mut state.failed_polls };
        *count = count.saturating_add(1);
        drop(state);
        self.has_polled.send_replace(true);
    }

    /// Waits until a poll has ended.
    pub(super) async fn first_poll(&self) {
        // The sender is in this structure, so it is not dropped meanwhile.
        let _ = self.has_polled.subscribe().wait_for(|has_polled| *has_polled).await;
    }

    pub(super) fn report(&self) -> FeedReport {
        let state = self.read();
        FeedReport {
            entries: state.table.len(),
            age: state.age(),
            polls: state.polls,
            failed_polls: state.failed_polls,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
