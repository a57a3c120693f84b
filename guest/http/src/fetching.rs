//! Fetches key sets: at once for a request that waits, and in the background before a key set is stale.

use crate::{authorizer, clock, discovering::WasiRequests, http_client::Get, log, pending};
use poolgate_core::{Fetch, FetchError, LogicalTime, Response};
use poolgate_edge::discovery::{DiscoveredKeys, FetchedResponse, HttpError, KeyFetch};
use std::rc::Rc;

/// Starts the fetches that are due. No request waits for them.
pub fn refresh() {
    let due = authorizer::with(|authorizer| authorizer.maintain(clock::seconds())).unwrap_or_default();
    due.into_iter().for_each(start);
}

/// Starts a fetch.
pub fn start(fetch: Fetch) {
    let fetch = FetchInProgress::new(fetch);
    wit_bindgen::spawn_local(async move { fetch.run().await });
}

/// A fetch in progress. Its outcome always reaches the authorizer, even if the host cancels the task.
struct FetchInProgress {
    fetch: Fetch,
    started_at: LogicalTime,
    has_ended: bool,
}

impl FetchInProgress {
    fn new(fetch: Fetch) -> Self {
        pending::started(&fetch.url);
        Self { fetch, started_at: LogicalTime::UNKNOWN, has_ended: false }
    }

    async fn run(mut self) {
        self.started_at = pending::logical_time();
        let Some(discovered) = authorizer::discovered(&self.fetch.url) else {
            let response = key_set(&self.fetch).await.map_err(HttpError::as_fetch_error);
            self.end(response.as_ref().map(outcome).map_err(|error| *error));
            return;
        };
        let requests = WasiRequests { timeout_ms: discovered.timeout_ms() };
        refresh_document(&discovered);
        let KeyFetch { outcome: response, key_url } =
            discovered.fetch_keys(&requests, self.fetch.etag.as_deref()).await;
        let is_usable = self.end(response.as_ref().map(outcome).map_err(|error| *error));
        if let (Ok(_), Some(key_url)) = (response, key_url) {
            discovered.judged(&requests, &key_url, is_usable);
        }
    }

    /// Applies the outcome. Returns whether it is a key set that is in use from now on.
    fn end(&mut self, outcome: Result<Response<'_>, FetchError>) -> bool {
        self.has_ended = true;
        let Fetch { url, key_id, .. } = &self.fetch;
        let now = clock::seconds();
        let error = outcome.as_ref().err().copied();
        let accepted = authorizer::with(|authorizer| {
            let accepted = authorizer.fetched(now, url, key_id.as_deref(), self.started_at, now, outcome);
            accepted.map(|()| authorizer.has_fetched_keys(now, url))
        });
        match (error, accepted) {
            (Some(error), _) => log::line(format!("poolgate: the fetch from {url} failed: {error:?}")),
            (None, Some(Err(error))) => log::line(format!("poolgate: the key set of {url} was rejected: {error:?}")),
            _ => (),
        }
        pending::completed(url);
        matches!(accepted, Some(Ok(true)))
    }
}

impl Drop for FetchInProgress {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Err(FetchError::Unreachable));
        }
    }
}

fn outcome(response: &FetchedResponse) -> Response<'_> {
    let FetchedResponse { body, max_age, etag } = response;
    Response { body: body.as_deref(), max_age: *max_age, etag: etag.as_deref() }
}

/// Fetches the key set of a pool whose key URL is configured.
async fn key_set(fetch: &Fetch) -> Result<FetchedResponse, HttpError> {
    let upstream = authorizer::with(|authorizer| authorizer.jwks_upstream(&fetch.url)).flatten();
    let upstream = upstream.ok_or(FetchError::Refused)?;
    let limit = authorizer::configured(|config| config.limits.jwks_bytes).unwrap_or_default();
    let get = Get {
        is_https: fetch.url.starts_with("https:"),
        authority: &upstream.authority,
        path: &upstream.path,
        etag: fetch.etag.as_deref(),
        timeout_ms: upstream.timeout_ms,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    get.send().await
}

/// Fetches a discovery document again if it is old. The keys do not wait for it.
fn refresh_document(discovered: &Rc<DiscoveredKeys>) {
    if discovered.starts_refresh(clock::seconds()) {
        let discovered = Rc::clone(discovered);
        wit_bindgen::spawn_local(async move {
            discovered.refresh(&WasiRequests { timeout_ms: discovered.timeout_ms() }).await;
        });
    }
}
