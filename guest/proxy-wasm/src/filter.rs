//! What the root and its requests share.

use crate::{
    metrics::Metrics,
    outcome,
    sharing::{self, End, News},
    waiting::{HeldRequest, Waiting},
};
use poolgate_core::{Fetch, FetchFault, Response, Tick};
use poolgate_edge::{Config, Decision, Gate, Held, KeyServer};
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
    pub gate: Gate,
    pub metrics: Metrics,
    /// The number of the last news of each URL that this worker has heard.
    heard: HashMap<String, u64>,
    /// Fetches that are asked for; the root begins them.
    wanted: Vec<Fetch>,
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

/// How long a worker may be fetching from a server.
fn lasts(server: &KeyServer) -> Duration {
    Duration::from_millis(u64::from(server.timeout_ms) + 1_000)
}

impl Filter {
    pub fn new(config: &Config, gate: Gate) -> Self {
        let most = usize::try_from(config.limits.waiting_requests).unwrap_or(usize::MAX);
        Self {
            gate,
            metrics: Metrics::default(),
            heard: HashMap::new(),
            wanted: Vec::new(),
            pending: HashMap::new(),
            waiting: Waiting::new(most, Duration::from_millis(config.limits.wait_ms.into())),
        }
    }

    /// Whether something is to be done soon.
    pub fn is_busy(&self) -> bool {
        !self.wanted.is_empty() || !self.pending.is_empty() || !self.waiting.is_empty()
    }

    /// Lets the request whose turn it is wait for its keys, or gives it back if too many do.
    pub fn hold(&mut self, context_id: u32, now: Duration, request: HeldRequest) -> Result<(), Box<HeldRequest>> {
        // The core takes its fetch for begun, whether somebody waits for it or not.
        self.want(&request.held, now);
        let is_there = |waiting: u32| hostcalls::set_effective_context(waiting).is_ok();
        let held = self.waiting.push(context_id, now, request, is_there);
        let _ = hostcalls::set_effective_context(context_id);
        if held.is_ok() {
            self.metrics.count(&["poolgate_requests_paused"]);
            let _ = hostcalls::set_tick_period(crate::root::BUSY);
        }
        held
    }

    fn want(&mut self, held: &Held, now: Duration) {
        self.expect(&held.url, now);
        self.wanted.extend(held.fetch.clone());
    }

    fn expect(&mut self, url: &str, now: Duration) {
        let lasts = self.gate.key_server(url).map_or(Duration::ZERO, lasts);
        self.pending.entry(url.to_owned()).or_insert(now.saturating_add(lasts));
    }

    /// Hears what other workers have told. One that has been fetching for too long is gone, and its fetch has failed.
    pub fn hear(&mut self, now: Duration) {
        for url in self.gate.key_urls() {
            self.hear_of(&url, now);
            if self.pending.get(&url).is_none_or(|until| now <= *until) {
                continue;
            }
            self.pending.remove(&url);
            if self.wanted.iter().any(|fetch| fetch.url == url) {
                // The clock was set ahead before it could begin. It begins now.
                self.expect(&url, now);
            } else {
                let lost = Err(FetchFault::TimedOut);
                let _ = self.gate.fetched(now.as_secs(), &url, None, Tick::UNKNOWN, now.as_secs(), lost);
            }
        }
    }

    /// Hears what other workers have told of one URL. False if there is nothing new.
    pub fn hear_of(&mut self, url: &str, now: Duration) -> bool {
        let Some(news) = News::of(url) else { return false };
        let heard = self.heard.get(url).copied();
        if heard.is_some_and(|heard| heard >= news.number) {
            return false;
        }
        // Who has heard nothing yet needs the keys, however the last fetch ended.
        if heard.is_none()
            && !news.has_worked
            && let Some((taken_at, response)) = news.keys()
        {
            let _ = self.gate.fetched(now.as_secs(), url, None, Tick::UNKNOWN, taken_at, Ok(response));
        }
        let (key_id, began_at) = (news.key_id.as_deref(), news.began_at());
        let _ = self.gate.fetched(now.as_secs(), url, key_id, began_at, news.ended_at, news.outcome());
        self.metrics.count(&["poolgate_shared_fetches_applied"]);
        self.heard.insert(url.to_owned(), news.number);
        self.pending.remove(url);
        true
    }

    /// The fetches that this worker must begin now.
    pub fn due(&mut self, now: Duration) -> Vec<(Fetch, KeyServer)> {
        for fetch in self.gate.maintain(now.as_secs()) {
            self.expect(&fetch.url, now);
            self.wanted.push(fetch);
        }
        let mut due = Vec::new();
        for fetch in std::mem::take(&mut self.wanted) {
            let Some(server) = self.gate.key_server(&fetch.url).cloned() else {
                self.ended(now, &fetch.url, fetch.key_id.as_deref(), tick(now), Err(FetchFault::Refused));
                continue;
            };
            // Heard of in the meantime: then nobody waits any more.
            let is_pending = self.pending.contains_key(&fetch.url);
            if is_pending && sharing::take_lease(&fetch.url, now, lasts(&server)) {
                // Who gave the lease back has told the end before.
                match self.hear_of(&fetch.url, now) {
                    true => sharing::end_lease(&fetch.url),
                    false => due.push((fetch, server)),
                }
            }
        }
        due
    }

    /// Takes the end of a fetch of this worker, and tells the others.
    pub fn ended(
        &mut self,
        now: Duration,
        url: &str,
        key_id: Option<&str>,
        began_at: Tick,
        outcome: Result<Response<'_>, FetchFault>,
    ) {
        let at = now.as_secs();
        let taken = self.gate.fetched(at, url, key_id, began_at, at, outcome).is_ok();
        let name = match &outcome {
            Err(_) => "failed",
            Ok(_) if !taken => "refused",
            Ok(Response { body: None, .. }) => "unmodified",
            Ok(_) => "taken",
        };
        self.metrics.fetch(name);
        let end = End { key_id, began_at, at, taken: outcome.ok().filter(|_| taken) };
        if let Some(number) = News::tell(url, &end) {
            self.heard.insert(url.to_owned(), number);
        }
        sharing::end_lease(url);
        self.pending.remove(url);
    }

    /// Goes on with the requests whose keys have come, or will not.
    pub fn wake(&mut self, now: Duration, root_id: u32) {
        let pending = &self.pending;
        let woken = self.waiting.wake(now, |url| !pending.contains_key(url));
        if woken.is_empty() {
            return;
        }
        for one in woken {
            // It has gone away.
            if hostcalls::set_effective_context(one.context_id).is_err() {
                continue;
            }
            let HeldRequest { head, held, came_at } = one.request;
            let decision = match one.is_late {
                true => self.gate.give_up(&head, &held),
                false => self.gate.admit_held(now.as_secs(), &head, &held, came_at),
            };
            let action = match decision {
                Decision::Admit(admitted) => outcome::admit(self, one.context_id, &head, &admitted),
                Decision::Refuse(refusal) => outcome::refuse(self, &head, refusal),
                // That fetch began before the request came, and is no proof that there is no such key.
                Decision::Wait(held) => {
                    self.want(&held, now);
                    self.waiting.go_on(one.context_id, one.deadline, HeldRequest { head, held, came_at });
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
        for pool in self.gate.pool_keys(now.as_secs()) {
            self.metrics.set(&["poolgate_keys.pool.", &pool.pool], pool.keys as u64);
            if let Some(age) = pool.age {
                self.metrics.set(&["poolgate_key_age_seconds.pool.", &pool.pool], age);
            }
        }
    }
}
