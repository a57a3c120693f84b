//! What the root and its requests share.

use crate::{
    metrics::Metrics,
    outcome,
    sharing::{self, FetchOutcome, SharedFetch},
    waiting::{PausedStream, Waiting},
};
use poolgate_core::{Fetch, FetchFault, Response, Tick};
use poolgate_edge::{Config, Decision, JwksUpstream, PausedRequest, RequestAuthorizer};
use proxy_wasm::{
    hostcalls,
    types::{Action, Status},
};
use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    time::{Duration, UNIX_EPOCH},
};

/// None until the root is configured.
pub type Shared = Rc<RefCell<Option<Filter>>>;

pub struct Filter {
    pub authorizer: RequestAuthorizer,
    pub metrics: Metrics,
    /// The sequence number of the last shared fetch that this worker applied, per URL.
    applied: HashMap<String, u64>,
    /// Fetches that are asked for; the root begins them.
    requested: Vec<Fetch>,
    /// URLs whose fetch has not ended yet, as far as this worker knows, and when nobody can be fetching any more.
    pending: HashMap<String, Duration>,
    waiting: Waiting,
}

/// The time of the proxy's clock, since the Unix epoch.
pub fn now() -> Result<Duration, Status> {
    let now = hostcalls::get_current_time()?.duration_since(UNIX_EPOCH).map_err(|_| Status::InternalFailure)?;
    #[cfg(feature = "test-hooks")]
    let now = crate::test_hooks::shifted(now);
    Ok(now)
}

/// The same for the order of what all workers do.
pub fn tick(now: Duration) -> Tick {
    Tick(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

/// How long a worker may be fetching from an upstream.
fn lease_duration(upstream: &JwksUpstream) -> Duration {
    Duration::from_millis(u64::from(upstream.timeout_ms) + 1_000)
}

impl Filter {
    pub fn new(config: &Config, authorizer: RequestAuthorizer) -> Self {
        let most = usize::try_from(config.limits.waiting_requests).unwrap_or(usize::MAX);
        Self {
            authorizer,
            metrics: Metrics::default(),
            applied: HashMap::new(),
            requested: Vec::new(),
            pending: HashMap::new(),
            waiting: Waiting::new(most, Duration::from_millis(config.limits.wait_ms.into())),
        }
    }

    /// Whether something is to be done soon.
    pub fn has_pending_work(&self) -> bool {
        !self.requested.is_empty() || !self.pending.is_empty() || !self.waiting.is_empty()
    }

    /// Lets the request whose turn it is wait for its keys, or gives it back if too many do.
    pub fn pause(&mut self, context_id: u32, now: Duration, request: PausedStream) -> Result<(), Box<PausedStream>> {
        // The core takes its fetch for begun, whether somebody waits for it or not.
        self.request_fetch(&request.paused, now);
        let is_there = |waiting: u32| hostcalls::set_effective_context(waiting).is_ok();
        let pushed = self.waiting.push(context_id, now, request, is_there);
        let _ = hostcalls::set_effective_context(context_id);
        if pushed.is_ok() {
            self.metrics.count(&["poolgate_requests_paused"]);
            let _ = hostcalls::set_tick_period(crate::root::BUSY_TICK);
        }
        pushed
    }

    fn request_fetch(&mut self, paused: &PausedRequest, now: Duration) {
        self.mark_pending(&paused.url, now);
        self.requested.extend(paused.fetch.clone());
    }

    fn mark_pending(&mut self, url: &str, now: Duration) {
        let lease_duration = self.authorizer.jwks_upstream(url).map_or(Duration::ZERO, lease_duration);
        self.pending.entry(url.to_owned()).or_insert(now.saturating_add(lease_duration));
    }

    /// Hears what other workers have told. One that has been fetching for too long is gone, and its fetch has failed.
    pub fn apply_shared(&mut self, now: Duration) {
        for url in self.authorizer.key_urls() {
            self.apply_shared_for(&url, now);
            if self.pending.get(&url).is_none_or(|until| now <= *until) {
                continue;
            }
            self.pending.remove(&url);
            if self.requested.iter().any(|fetch| fetch.url == url) {
                // The clock was set ahead before it could begin. It begins now.
                self.mark_pending(&url, now);
            } else {
                let lost = Err(FetchFault::TimedOut);
                let _ = self.authorizer.fetched(now.as_secs(), &url, None, Tick::UNKNOWN, now.as_secs(), lost);
            }
        }
    }

    /// Hears what other workers have told of one URL. False if there is nothing new.
    pub fn apply_shared_for(&mut self, url: &str, now: Duration) -> bool {
        let Some(shared) = SharedFetch::of(url) else { return false };
        let applied = self.applied.get(url).copied();
        if applied.is_some_and(|applied| applied >= shared.number) {
            return false;
        }
        // A worker without keys applies the shared key set even if the most recent fetch failed.
        if applied.is_none()
            && !shared.succeeded
            && let Some((taken_at, response)) = shared.keys()
        {
            let _ = self.authorizer.fetched(now.as_secs(), url, None, Tick::UNKNOWN, taken_at, Ok(response));
        }
        let (key_id, began_at) = (shared.key_id.as_deref(), shared.began_at());
        let _ = self.authorizer.fetched(now.as_secs(), url, key_id, began_at, shared.ended_at, shared.outcome());
        self.metrics.count(&["poolgate_shared_fetches_applied"]);
        self.applied.insert(url.to_owned(), shared.number);
        self.pending.remove(url);
        true
    }

    /// The fetches that this worker must begin now.
    pub fn fetches_to_start(&mut self, now: Duration) -> Vec<(Fetch, JwksUpstream)> {
        for fetch in self.authorizer.maintain(now.as_secs()) {
            self.mark_pending(&fetch.url, now);
            self.requested.push(fetch);
        }
        let mut to_start = Vec::new();
        for fetch in std::mem::take(&mut self.requested) {
            let Some(upstream) = self.authorizer.jwks_upstream(&fetch.url).cloned() else {
                self.complete_fetch(now, &fetch.url, fetch.key_id.as_deref(), tick(now), Err(FetchFault::Refused));
                continue;
            };
            // Heard of in the meantime: then nobody waits any more.
            let is_pending = self.pending.contains_key(&fetch.url);
            if is_pending && sharing::take_lease(&fetch.url, now, lease_duration(&upstream)) {
                // Who gave the lease back has told the end before.
                match self.apply_shared_for(&fetch.url, now) {
                    true => sharing::end_lease(&fetch.url),
                    false => to_start.push((fetch, upstream)),
                }
            }
        }
        to_start
    }

    /// Takes the end of a fetch of this worker, and tells the others.
    pub fn complete_fetch(
        &mut self,
        now: Duration,
        url: &str,
        key_id: Option<&str>,
        began_at: Tick,
        outcome: Result<Response<'_>, FetchFault>,
    ) {
        let at = now.as_secs();
        let taken = self.authorizer.fetched(at, url, key_id, began_at, at, outcome).is_ok();
        let name = match &outcome {
            Err(_) => "failed",
            Ok(_) if !taken => "refused",
            Ok(Response { body: None, .. }) => "unmodified",
            Ok(_) => "taken",
        };
        self.metrics.fetch(name);
        let end = FetchOutcome { key_id, began_at, at, taken: outcome.ok().filter(|_| taken) };
        if let Some(number) = SharedFetch::publish(url, &end) {
            self.applied.insert(url.to_owned(), number);
        }
        sharing::end_lease(url);
        self.pending.remove(url);
    }

    /// Goes on with the requests whose keys have come, or will not.
    pub fn resume_ready(&mut self, now: Duration, root_id: u32) {
        let pending = &self.pending;
        let ready = self.waiting.take_ready(now, |url| !pending.contains_key(url));
        if ready.is_empty() {
            return;
        }
        for one in ready {
            // It has gone away.
            if hostcalls::set_effective_context(one.context_id).is_err() {
                continue;
            }
            let PausedStream { head, paused, came_at } = one.request;
            let decision = match one.timed_out {
                true => self.authorizer.time_out(&head, &paused),
                false => self.authorizer.authorize_paused(now.as_secs(), &head, &paused, came_at),
            };
            let action = match decision {
                Decision::Admit(admitted) => outcome::admit(self, one.context_id, &head, &admitted),
                Decision::Reject(rejection) => outcome::reject(self, &head, rejection),
                // That fetch began before the request came, and is no proof that there is no such key.
                Decision::Pause(paused) => {
                    self.request_fetch(&paused, now);
                    self.waiting.push_back(one.context_id, one.deadline, PausedStream { head, paused, came_at });
                    Action::Pause
                }
            };
            if action == Action::Continue {
                let _ = hostcalls::resume_http_request();
            }
        }
        let _ = hostcalls::set_effective_context(root_id);
    }

    /// Shows the state of the keys.
    pub fn show_keys(&mut self, now: Duration) {
        for pool in self.authorizer.pool_keys(now.as_secs()) {
            self.metrics.set(&["poolgate_keys.pool.", &pool.pool], pool.keys as u64);
            if let Some(age) = pool.age {
                self.metrics.set(&["poolgate_key_age_seconds.pool.", &pool.pool], age);
            }
        }
    }
}
