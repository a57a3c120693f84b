//! One fetch serves all instances: what one asks for while it is under way is not asked for twice, and its end is told to
//! all of them.

use super::{Event, HttpKeySource, Journal};
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
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    runtime: Handle,
    under_way: Mutex<HashSet<Arc<str>>>,
    turns: Semaphore,
}

/// What an instance asks for.
pub(crate) struct Wish {
    /// The `kid` that is not among the keys that it holds.
    pub(crate) key_id: Option<String>,
    /// Of the set that it holds.
    pub(crate) etag: Option<String>,
    /// The last entry of the journal that it was told of.
    pub(crate) seen: u64,
}

/// A fetch under way. However it ends, its end is noted; a task that is dropped is a connection lost.
struct Flight {
    fetches: Arc<Fetches>,
    url: Arc<str>,
    key_id: Option<String>,
    began_at: u64,
    outcome: Result<KeyResponse, FetchError>,
}

impl Fetches {
    /// Fetches on the runtime that this is called on.
    pub(crate) fn new(
        http: HttpKeySource,
        clock: Arc<dyn Clock>,
        journal: Arc<Journal>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (runtime, turns) = (Handle::current(), Semaphore::new(AT_ONCE));
        Self { http, clock, journal, metrics, runtime, under_way: Mutex::default(), turns }
    }

    /// Sees to it that the keys at a URL are being fetched.
    pub(crate) fn ask(self: &Arc<Self>, url: &str, wish: Wish) {
        let Wish { key_id, etag, seen } = wish;
        let url: Arc<str> = url.into();
        {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, because a fetch ends under it: nothing is asked for that has just come.
            if self.journal.last_fetch(&url) > seen || !under_way.insert(Arc::clone(&url)) {
                return;
            }
        }
        let outcome = Err(FetchError::Unreachable);
        let mut flight = Flight { fetches: Arc::clone(self), url, key_id, began_at: 0, outcome };
        self.runtime.spawn(async move {
            let fetches = Arc::clone(&flight.fetches);
            // The semaphore is never closed.
            let _turn = fetches.turns.acquire().await;
            flight.began_at = fetches.journal.tick();
            let outcome = fetches.http.fetch(&flight.url, etag.as_deref()).await;
            flight.ends_with(outcome);
        });
    }

    /// Waits once for each fetch that is under way now, however it ends: not for those that begin meanwhile.
    pub(crate) async fn end_of_all(&self) {
        let (urls, seen) = {
            let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock, because a fetch ends under it.
            (under_way.iter().cloned().collect::<Vec<_>>(), self.journal.last())
        };
        for url in urls {
            self.journal.wait_for_fetch(&url, seen).await;
        }
    }
}

impl Flight {
    fn ends_with(mut self, outcome: Result<KeyResponse, FetchError>) {
        self.outcome = outcome;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Self { fetches, url, key_id, began_at, outcome } = self;
        let outcome = std::mem::replace(outcome, Err(FetchError::Unreachable));
        match &outcome {
            Ok(KeyResponse { body: Some(body), .. }) => tracing::info!(%url, bytes = body.len(), "fetched a JWK Set"),
            Ok(KeyResponse { body: None, .. }) => tracing::debug!(%url, "the JWK Set is not modified"),
            Err(error) => tracing::warn!(%url, error = error.name(), "could not fetch a JWK Set"),
        }
        fetches.metrics.count_fetch(url, &outcome);
        let mut under_way = fetches.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let (key_id, ended_at) = (key_id.take(), fetches.clock.now().as_secs());
        let began_at = *began_at;
        fetches.journal.push(Event::Fetched { url: Arc::clone(url), key_id, began_at, ended_at, outcome });
        under_way.remove(url);
    }
}
