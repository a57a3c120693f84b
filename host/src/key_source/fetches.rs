//! One fetch serves all instances: what one asks for while it is under way is not asked for twice, and its end is told to
//! all of them.

use super::{HttpKeySource, KeyEventKind, KeyEventLog};
use crate::{
    bindings::poolgate::auth::key_source::{FetchError, KeyResponse},
    clock::Clock,
    metrics::Metrics,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{runtime::Handle, sync::Semaphore};

/// How many fetches are under way at once; more wait for their turn.
const AT_ONCE: usize = 32;

/// The key source of a verifier.
#[derive(Debug)]
pub(crate) struct Fetches {
    http: HttpKeySource,
    clock: Arc<dyn Clock>,
    event_log: Arc<KeyEventLog>,
    metrics: Arc<Metrics>,
    runtime: Handle,
    in_progress: Mutex<HashSet<Arc<str>>>,
    turns: Semaphore,
}

/// What an instance asks for.
pub(crate) struct FetchRequest {
    /// The `kid` that is not among the keys that it holds.
    pub(crate) key_id: Option<String>,
    /// Of the set that it holds.
    pub(crate) etag: Option<String>,
    /// The last entry of the event log that it was told of.
    pub(crate) applied_up_to: u64,
}

/// A fetch under way. However it ends, its end is noted; a task that is dropped is a connection lost.
struct FetchInProgress {
    fetches: Arc<Fetches>,
    url: Arc<str>,
    key_id: Option<String>,
    started_at: u64,
    outcome: Result<KeyResponse, FetchError>,
}

impl Fetches {
    /// Fetches on the runtime that this is called on.
    pub(crate) fn new(
        http: HttpKeySource,
        clock: Arc<dyn Clock>,
        event_log: Arc<KeyEventLog>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (runtime, turns) = (Handle::current(), Semaphore::new(AT_ONCE));
        Self { http, clock, event_log, metrics, runtime, in_progress: Mutex::default(), turns }
    }

    /// Sees to it that the keys at a URL are being fetched.
    pub(crate) fn start(self: &Arc<Self>, url: &str, request: FetchRequest) {
        let FetchRequest { key_id, etag, applied_up_to } = request;
        let url: Arc<str> = url.into();
        {
            let mut in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, because a fetch ends under it: nothing is asked for that has just come.
            if self.event_log.last_fetch(&url) > applied_up_to || !in_progress.insert(Arc::clone(&url)) {
                return;
            }
        }
        let outcome = Err(FetchError::Unreachable);
        let mut fetch = FetchInProgress { fetches: Arc::clone(self), url, key_id, started_at: 0, outcome };
        self.runtime.spawn(async move {
            let fetches = Arc::clone(&fetch.fetches);
            // The semaphore is never closed.
            let _turn = fetches.turns.acquire().await;
            fetch.started_at = fetches.event_log.tick();
            let outcome = fetches.http.fetch(&fetch.url, etag.as_deref()).await;
            fetch.ends_with(outcome);
        });
    }

    /// Waits once for each fetch that is under way now, however it ends: not for those that begin meanwhile.
    pub(crate) async fn wait_for_all(&self) {
        let (urls, applied_up_to) = {
            let in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, because a fetch ends under it.
            (in_progress.iter().cloned().collect::<Vec<_>>(), self.event_log.last())
        };
        for url in urls {
            self.event_log.wait_for_fetch(&url, applied_up_to).await;
        }
    }
}

impl FetchInProgress {
    fn ends_with(mut self, outcome: Result<KeyResponse, FetchError>) {
        self.outcome = outcome;
    }
}

impl Drop for FetchInProgress {
    fn drop(&mut self) {
        let Self { fetches, url, key_id, started_at, outcome } = self;
        let outcome = std::mem::replace(outcome, Err(FetchError::Unreachable));
        match &outcome {
            Ok(KeyResponse { body: Some(body), .. }) => tracing::info!(%url, bytes = body.len(), "fetched a JWK Set"),
            Ok(KeyResponse { body: None, .. }) => tracing::debug!(%url, "the JWK Set is not modified"),
            Err(error) => tracing::warn!(%url, error = error.name(), "could not fetch a JWK Set"),
        }
        fetches.metrics.count_fetch(url, &outcome);
        let mut in_progress = fetches.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (key_id, ended_at) = (key_id.take(), fetches.clock.now().as_secs());
        let started_at = *started_at;
        fetches.event_log.push(KeyEventKind::Fetched { url: Arc::clone(url), key_id, started_at, ended_at, outcome });
        in_progress.remove(url);
    }
}
