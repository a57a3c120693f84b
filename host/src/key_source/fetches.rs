//! Key fetches. All instances share one fetch per URL: a request for a URL that is being fetched starts no second fetch, and the result is
//! added to the event log for all instances.

use super::{
    discovery::{DiscoveredIssuers, DiscoveryReport, KeyFetch, Requests},
    event_log::{KeyEventKind, KeyEventLog},
    http::HttpKeySource,
    url::KeyUrl,
};
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

/// The maximum number of concurrent fetches. Others wait.
const MAX_CONCURRENT: usize = 32;

/// The key fetches of a verifier.
#[derive(Debug)]
pub(crate) struct Fetches {
    http: HttpKeySource,
    discovered: DiscoveredIssuers,
    clock: Arc<dyn Clock>,
    event_log: Arc<KeyEventLog>,
    metrics: Arc<Metrics>,
    runtime: Handle,
    /// The URLs of the fetches that are in progress or waiting.
    in_progress: Mutex<HashSet<Arc<str>>>,
    permits: Semaphore,
}

/// A request of an instance for the key set at a URL.
pub(crate) struct FetchRequest {
    /// The unknown `kid` because of which the instance needs a fetch.
    pub(crate) key_id: Option<String>,
    /// The `ETag` of the instance's current key set.
    pub(crate) etag: Option<String>,
    /// The number of the last event that the instance has applied.
    pub(crate) applied_up_to: u64,
}

/// A fetch in progress. When it is dropped, its outcome is added to the event log. A task that is cancelled counts as a lost connection.
struct FetchInProgress {
    fetches: Arc<Fetches>,
    url: Arc<str>,
    key_id: Option<String>,
    started_at: u64,
    outcome: Result<KeyResponse, FetchError>,
    /// The key URL that the discovery document names, for the log.
    jwks_uri: Option<KeyUrl>,
}

impl Fetches {
    /// Creates the key source. Fetches run on the current Tokio runtime.
    pub(crate) fn new(
        http: HttpKeySource,
        discovered: DiscoveredIssuers,
        clock: Arc<dyn Clock>,
        event_log: Arc<KeyEventLog>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (runtime, permits) = (Handle::current(), Semaphore::new(MAX_CONCURRENT));
        Self { http, discovered, clock, event_log, metrics, runtime, in_progress: Mutex::default(), permits }
    }

    /// Starts a fetch of the key set at a URL, unless one is in progress or has completed since the last event that the
    /// instance has applied.
    pub(crate) fn start(self: &Arc<Self>, url: &str, request: FetchRequest) {
        let FetchRequest { key_id, etag, applied_up_to } = request;
        let url: Arc<str> = url.into();
        {
            let mut in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
            // A fetch adds its outcome under this lock, so a fetch that has just completed is seen here.
            if self.event_log.last_fetch(&url) > applied_up_to || !in_progress.insert(Arc::clone(&url)) {
                return;
            }
        }
        let outcome = Err(FetchError::Unreachable);
        let mut fetch =
            FetchInProgress { fetches: Arc::clone(self), url, key_id, started_at: 0, outcome, jwks_uri: None };
        self.runtime.spawn(async move {
            let fetches = Arc::clone(&fetch.fetches);
            // This cannot fail, because the semaphore is never closed.
            let _permit = fetches.permits.acquire().await;
            fetch.started_at = fetches.event_log.tick();
            let url = Arc::clone(&fetch.url);
            let KeyFetch { outcome, key_url } = fetches.fetch(&url, etag.as_deref()).await;
            fetch.jwks_uri = key_url;
            fetch.complete(outcome);
        });
    }

    /// Fetches a key set, from the URL itself or from where the discovery document at the URL says.
    async fn fetch(self: &Arc<Self>, url: &Arc<str>, etag: Option<&str>) -> KeyFetch {
        let Some(discovered) = self.discovered.get(url) else {
            return KeyFetch { outcome: self.http.fetch(url, etag).await, key_url: None };
        };
        if discovered.starts_refresh(self.clock.now().as_secs()) {
            // The keys do not wait for it.
            let (fetches, url) = (Arc::clone(self), Arc::clone(url));
            self.runtime.spawn(async move {
                if let Some(discovered) = fetches.discovered.get(&url) {
                    discovered.refresh(fetches.requests()).await;
                }
            });
        }
        discovered.fetch_keys(self.requests(), etag).await
    }

    /// Returns whether the keys of a URL are found by the same rules here and there: at the URL itself, or by the same discovery document, with the same
    /// issuers and hosts.
    pub(crate) fn finds_keys_like(&self, other: &Self, url: &str) -> bool {
        match (self.discovered.get(url), other.discovered.get(url)) {
            (None, None) => true,
            (Some(own), Some(other)) => own.has_rules_of(other),
            _ => false,
        }
    }

    fn requests(&self) -> Requests<'_> {
        Requests { http: &self.http, clock: &*self.clock, metrics: &self.metrics }
    }

    /// Records whether an instance has accepted the last key set of a URL, with at least one usable key.
    pub(crate) fn judged(&self, url: &str, is_usable: bool) {
        if let Some(discovered) = self.discovered.get(url) {
            discovered.judged(is_usable);
        }
    }

    /// Returns the state of the discovery documents, sorted by URL.
    pub(crate) fn discovery_reports(&self) -> Vec<DiscoveryReport> {
        self.discovered.reports()
    }

    /// Waits until every fetch that is now in progress has completed or failed. It does not wait for fetches that start later.
    pub(crate) async fn wait_for_all(&self) {
        let (urls, applied_up_to) = {
            let in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
            // A fetch adds its outcome under this lock, so none is missed.
            (in_progress.iter().cloned().collect::<Vec<_>>(), self.event_log.last())
        };
        for url in urls {
            self.event_log.wait_for_fetch(&url, applied_up_to).await;
        }
    }
}

impl FetchInProgress {
    fn complete(mut self, outcome: Result<KeyResponse, FetchError>) {
        self.outcome = outcome;
    }
}

impl Drop for FetchInProgress {
    fn drop(&mut self) {
        let Self { fetches, url, key_id, started_at, outcome, jwks_uri } = self;
        let jwks_uri = jwks_uri.as_ref().map(|jwks_uri| jwks_uri.as_url().as_str());
        let outcome = std::mem::replace(outcome, Err(FetchError::Unreachable));
        match &outcome {
            Ok(KeyResponse { body: Some(body), .. }) => {
                tracing::info!(%url, jwks_uri, bytes = body.len(), "fetched a JWK Set")
            }
            Ok(KeyResponse { body: None, .. }) => tracing::debug!(%url, jwks_uri, "the JWK Set has not been modified"),
            Err(error) => tracing::warn!(%url, jwks_uri, error = error.name(), "could not fetch a JWK Set"),
        }
        fetches.metrics.count_fetch(url, &outcome);
        let mut in_progress = fetches.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (key_id, ended_at) = (key_id.take(), fetches.clock.now().as_secs());
        let started_at = *started_at;
        fetches.event_log.push(KeyEventKind::Fetched { url: Arc::clone(url), key_id, started_at, ended_at, outcome });
        in_progress.remove(url);
    }
}
