//! The state that a plugin's root context and its requests share.

use crate::{
    clock,
    metrics::Metrics,
    sharing::{self, FetchOutcome, SharedFetch},
    tick_period::BUSY_TICK,
    waiting::{PausedStream, ReadyRequest, Waiting},
};
use poolgate_core::{Fetch, FetchError, LogicalTime, Response};
use poolgate_edge::{Config, JwksUpstream, PausedRequest, RequestAuthorizer};
use proxy_wasm::hostcalls;
use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

/// `None` until the root context is configured.
pub type FilterCell = Rc<RefCell<Option<Filter>>>;

pub struct Filter {
    pub authorizer: RequestAuthorizer,
    pub metrics: Metrics,
    /// What this worker knows about the fetches of each URL.
    fetches: HashMap<String, FetchState>,
    /// Fetches that the root context will start.
    requested: Vec<Fetch>,
    waiting: Waiting,
}

#[derive(Default)]
struct FetchState {
    /// The sequence number of the last shared fetch that this worker applied.
    applied: Option<u64>,
    /// If the URL is being fetched: the time at which any worker's lease has expired.
    pending_until: Option<Duration>,
}

fn pending_until(fetches: &HashMap<String, FetchState>, url: &str) -> Option<Duration> {
    fetches.get(url).and_then(|fetch| fetch.pending_until)
}

/// Returns the maximum time for which a worker may hold the lease on a fetch: the fetch timeout and one second.
fn lease_duration(upstream: &JwksUpstream) -> Duration {
    Duration::from_millis(u64::from(upstream.timeout_ms) + 1_000)
}

impl Filter {
    pub fn new(config: &Config, authorizer: RequestAuthorizer) -> Self {
        let limit = usize::try_from(config.limits.waiting_requests).unwrap_or(usize::MAX);
        Self {
            authorizer,
            metrics: Metrics::default(),
            fetches: HashMap::new(),
            requested: Vec::new(),
            waiting: Waiting::new(limit, Duration::from_millis(config.limits.wait_ms.into())),
        }
    }

    /// Returns whether the next tick should come soon.
    pub fn has_pending_work(&self) -> bool {
        let is_pending = self.fetches.values().any(|fetch| fetch.pending_until.is_some());
        is_pending || !self.requested.is_empty() || !self.waiting.is_empty()
    }

    /// Lets the request of the current stream wait for its keys. Returns it if too many requests wait.
    pub fn pause(&mut self, context_id: u32, now: Duration, request: PausedStream) -> Result<(), Box<PausedStream>> {
        // The core counts the fetch as started, so it must start even if this request does not wait for it.
        self.request_fetch(&request.paused, now);
        let exists = |waiting: u32| hostcalls::set_effective_context(waiting).is_ok();
        let pushed = self.waiting.push(context_id, now, request, exists);
        let _ = hostcalls::set_effective_context(context_id);
        if pushed.is_ok() {
            self.metrics.count(&["poolgate_requests_paused"]);
            let _ = hostcalls::set_tick_period(BUSY_TICK);
        }
        pushed
    }

    /// Lets a request wait for one more fetch, until the deadline that it has.
    pub fn pause_again(&mut self, context_id: u32, now: Duration, deadline: Duration, request: PausedStream) {
        self.request_fetch(&request.paused, now);
        self.waiting.push_again(context_id, deadline, request);
    }

    /// Removes the requests whose key fetch has finished or that have timed out.
    pub fn take_ready(&mut self, now: Duration) -> Vec<ReadyRequest> {
        let fetches = &self.fetches;
        self.waiting.take_ready(now, |url| pending_until(fetches, url).is_none())
    }

    fn fetch_state(&mut self, url: &str) -> &mut FetchState {
        self.fetches.entry(url.to_owned()).or_default()
    }

    fn request_fetch(&mut self, paused: &PausedRequest, now: Duration) {
        self.mark_pending(&paused.url, now);
        self.requested.extend(paused.fetch.clone());
    }

    fn mark_pending(&mut self, url: &str, now: Duration) {
        let lease_duration =
            self.authorizer.jwks_upstream(url).map_or(Duration::ZERO, |upstream| lease_duration(&upstream));
        self.fetch_state(url).pending_until.get_or_insert(now.saturating_add(lease_duration));
    }

    /// Applies the fetch results that other workers published. A fetch whose lease has expired without a result counts as failed.
    pub fn apply_shared(&mut self, now: Duration) {
        let keys_of_load_balancers = self.fetches.keys().filter(|url| !self.authorizer.is_jwks_url(url)).cloned();
        let urls: Vec<String> = self.authorizer.key_urls().into_iter().chain(keys_of_load_balancers).collect();
        for url in urls {
            self.apply_shared_for(&url, now);
            if pending_until(&self.fetches, &url).is_none_or(|until| now <= until) {
                continue;
            }
            self.fetch_state(&url).pending_until = None;
            if self.requested.iter().any(|fetch| fetch.url == url) {
                // The clock was set forward before this worker could start the fetch. It starts now.
                self.mark_pending(&url, now);
            } else {
                let lost = Err(FetchError::TimedOut);
                let _ = self.authorizer.fetched(now.as_secs(), &url, None, LogicalTime::UNKNOWN, now.as_secs(), lost);
                self.forget_unless_shared(&url);
            }
        }
    }

    /// Removes what is known about the fetches of a load balancer's key. Shared data can't be removed and a client can invent such URLs, so each
    /// worker fetches these keys for itself.
    fn forget_unless_shared(&mut self, url: &str) {
        if !self.authorizer.is_jwks_url(url) {
            self.fetches.remove(url);
        }
    }

    /// Applies the latest fetch result that another worker published for this URL. Returns `false` if it was already applied.
    pub fn apply_shared_for(&mut self, url: &str, now: Duration) -> bool {
        if !self.authorizer.is_jwks_url(url) {
            return false;
        }
        let Some(shared) = SharedFetch::of(url) else { return false };
        let applied = self.fetches.get(url).and_then(|fetch| fetch.applied);
        if applied.is_some_and(|applied| applied >= shared.number) {
            return false;
        }
        // A worker without keys applies the shared key set even if the most recent fetch failed.
        if applied.is_none()
            && !shared.succeeded
            && let Some((accepted_at, response)) = shared.keys()
        {
            let _ = self.authorizer.fetched(now.as_secs(), url, None, LogicalTime::UNKNOWN, accepted_at, Ok(response));
        }
        let (key_id, started_at) = (shared.key_id.as_deref(), shared.started_at());
        let _ = self.authorizer.fetched(now.as_secs(), url, key_id, started_at, shared.ended_at, shared.outcome());
        self.metrics.count(&["poolgate_shared_fetches_applied"]);
        *self.fetch_state(url) = FetchState { applied: Some(shared.number), pending_until: None };
        true
    }

    /// Returns the fetches that this worker must start now.
    pub fn fetches_to_start(&mut self, now: Duration) -> Vec<(Fetch, JwksUpstream)> {
        for fetch in self.authorizer.maintain(now.as_secs()) {
            self.mark_pending(&fetch.url, now);
            self.requested.push(fetch);
        }
        let mut to_start = Vec::new();
        for fetch in std::mem::take(&mut self.requested) {
            let Some(upstream) = self.authorizer.jwks_upstream(&fetch.url) else {
                let (key_id, started_at) = (fetch.key_id.as_deref(), clock::logical_time(now));
                self.complete_fetch(now, &fetch.url, key_id, started_at, Err(FetchError::Refused));
                continue;
            };
            // No longer pending: another worker's result has been applied since the fetch was requested.
            let is_pending = pending_until(&self.fetches, &fetch.url).is_some();
            let is_shared = self.authorizer.is_jwks_url(&fetch.url);
            if is_pending && (!is_shared || sharing::take_lease(&fetch.url, now, lease_duration(&upstream))) {
                // A worker publishes its result before it releases the lease.
                match self.apply_shared_for(&fetch.url, now) {
                    true => sharing::release_lease(&fetch.url),
                    false => to_start.push((fetch, upstream)),
                }
            }
        }
        to_start
    }

    /// Applies the result of a fetch by this worker, and publishes it to the others.
    pub fn complete_fetch(
        &mut self,
        now: Duration,
        url: &str,
        key_id: Option<&str>,
        started_at: LogicalTime,
        outcome: Result<Response<'_>, FetchError>,
    ) {
        let at = now.as_secs();
        let is_accepted = self.authorizer.fetched(at, url, key_id, started_at, at, outcome).is_ok();
        let name = match &outcome {
            Err(_) => "failed",
            Ok(_) if !is_accepted => "refused",
            Ok(Response { body: None, .. }) => "unmodified",
            Ok(_) => "taken",
        };
        self.metrics.fetch(name);
        if !self.authorizer.is_jwks_url(url) {
            return self.forget_unless_shared(url);
        }
        let outcome = FetchOutcome { key_id, started_at, ended_at: at, accepted: outcome.ok().filter(|_| is_accepted) };
        let published = SharedFetch::publish(url, &outcome);
        sharing::release_lease(url);
        let fetch = self.fetch_state(url);
        fetch.applied = published.or(fetch.applied);
        fetch.pending_until = None;
    }

    /// Updates the gauges of each pool's keys.
    pub fn update_key_metrics(&mut self, now: Duration) {
        for pool in self.authorizer.pool_keys(now.as_secs()) {
            self.metrics.set(&["poolgate_keys.pool.", &pool.pool], pool.keys as u64);
            if let Some(age) = pool.age {
                self.metrics.set(&["poolgate_key_age_seconds.pool.", &pool.pool], age);
            }
        }
    }
}
