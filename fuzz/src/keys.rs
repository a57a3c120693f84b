//! The state machine of the keys: any sequence of events, compared with a model of the current keys and of the fetches that may start.
//!
//! Oracles, after every event:
//!
//! - A token is verified exactly if the model has its key within the hard lifetime, whatever the clock does and whatever else is unknown
//!   or fails. Nothing is fetched for such a key.
//! - A second fetch never starts before the first has ended or is overdue, and none starts before half of the back-off has passed.
//! - Fetches for unknown key IDs are no more than the token bucket allows.
//! - A key ID is unknown only if a fetch that started after its token was received has ended without it. It stays in the negative cache no
//!   longer than configured.
//! - A step that refers to a fetch in progress does so only while there is one. If there are no keys and a fetch may start, the step requires it.
//! - The generation changes exactly if the keys do. The negative cache never exceeds its limit.

mod event;
mod model;

use crate::scene::{self, KEYS, key_id};
use arbitrary::{Arbitrary, Unstructured};
pub(crate) use event::Plan;
use event::{Event, FetchResult};
use model::{Endpoint, Model};
use poolgate_core::{
    CacheLimits, FetchError, KeyOrigin, KeyPolicy, KeyState, LogicalTime, Reason, Response, Step, Verifier,
};
use std::sync::LazyLock;

/// The end of the year 9999, after which no token is valid.
const LAST: u64 = 253_402_300_799;
/// The maximum number of events of one input.
const EVENTS: usize = 48;

/// A token of each key for each issuer, valid until the end of the year 9999.
static TOKENS: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| {
    [0, 1].map(|issuer| {
        let payload = format!(r#"{{"iss":"{}","exp":{LAST}}}"#, issuer_of(issuer));
        (0..KEYS).map(|number| scene::token(number, &payload)).collect()
    })
});

/// The public keys.
static JWKS: LazyLock<Vec<String>> = LazyLock::new(|| (0..KEYS).map(scene::jwk).collect());

fn issuer_of(number: usize) -> String {
    format!("https://{number}.example")
}

/// The input is a `Plan`, followed by events.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(plan) = Plan::arbitrary(&mut input) else { return };
    let policy = plan.policy();
    let urls = plan.urls();
    let pools = urls.iter().enumerate().map(|(number, url)| {
        let origin = url.map_or(KeyOrigin::Local, |url| KeyOrigin::Url(url.to_owned()));
        scene::pool(&issuer_of(number), origin)
    });
    let cache = if plan.caches_tokens { CacheLimits::default() } else { scene::NO_CACHE };
    let verifier =
        Verifier::new(scene::config(pools.collect(), policy, cache)).expect("the policy of the plan is in range");
    let mut run = Run { verifier, model: Model::new(policy, &urls), clock: 1 << 31, tick: 1_000 };
    run.verifier.key_reports(run.clock);
    run.model.advance(run.clock);
    for _ in 0..EVENTS {
        let Ok(event) = Event::arbitrary(&mut input) else { break };
        run.happen(&event);
        run.check_reports();
        if input.is_empty() {
            break;
        }
    }
}

struct Run {
    verifier: Verifier,
    model: Model,
    clock: u64,
    /// Increases with each event.
    tick: u64,
}

impl Run {
    fn happen(&mut self, event: &Event) {
        self.tick += 1;
        match event {
            Event::Ahead(seconds) => self.set_clock(self.clock.saturating_add((*seconds).into())),
            Event::Jump(seconds) => self.set_clock(self.clock.saturating_add((*seconds).into())),
            Event::Back(seconds) => self.set_clock(self.clock.saturating_sub((*seconds).into())),
            Event::ToEdge { endpoint, edge, offset } => {
                let endpoint = &self.model.endpoints[usize::from(*endpoint) % self.model.endpoints.len()];
                let edges = endpoint.edges();
                let Some(edge) = edges.get(usize::from(*edge) % edges.len().max(1)) else { return };
                let instant = (edge + u64::from(offset % 3)).saturating_sub(1);
                self.set_clock(self.clock.saturating_add(instant.saturating_sub(self.model.now)));
            }
            Event::Verify { issuer, key } => self.verify(self.issuer(*issuer), key % KEYS),
            Event::VerifyAfterFetch { issuer, key, received_before } => {
                self.verify_after_fetch(self.issuer(*issuer), key % KEYS, self.tick - u64::from(*received_before));
            }
            Event::Maintain => self.maintain(),
            Event::Fetched { endpoint, key, ago, started_before, result } => {
                let endpoint = usize::from(*endpoint) % self.model.endpoints.len();
                let times = (self.tick - u64::from(*started_before), self.clock.saturating_sub((*ago).into()));
                self.fetched(endpoint, key.map(|key| key % KEYS), times, result);
            }
            Event::Load { issuer, ago, keys } => {
                self.load(self.issuer(*issuer), self.clock.saturating_sub((*ago).into()), *keys);
            }
        }
    }

    fn issuer(&self, number: u8) -> usize {
        usize::from(number) % self.model.endpoint_for.len()
    }

    /// Never sets the clock past the end of all tokens, because expiry is not tested here.
    fn set_clock(&mut self, clock: u64) {
        self.clock = clock.min(LAST - 1);
    }

    fn verify(&mut self, issuer: usize, key: u8) {
        let step = self.verifier.verify(self.clock, &TOKENS[issuer][usize::from(key)]);
        self.model.advance(self.clock);
        let model = &mut self.model;
        let number = model.endpoint_for[issuer];
        let is_good = model.endpoints[number].verifies(key, model.now);
        match step {
            Step::Done(Ok(verified)) => {
                assert!(is_good, "key {key} verifies: {model:?}");
                let is_stale = model.endpoints[number].is_stale(model.now);
                assert!(is_stale.is_none_or(|is_stale| verified.keys_are_stale == is_stale), "{model:?}");
            }
            step if is_good => panic!("key {key} is current, but the step is {step:?}: {model:?}"),
            Step::Done(Err(reason)) => {
                model.end_overdue(number);
                let endpoint = &model.endpoints[number];
                assert!(
                    !endpoint.must_fetch(model.now),
                    "there are no keys, and no fetch is required: {reason:?}, {model:?}"
                );
                let has_keys = endpoint.is_usable(model.now);
                let fits = match reason {
                    Reason::KeysUnavailable => !has_keys || model.is_backing_off(number),
                    Reason::KeyUnknown => has_keys && (model.policy.unknown_key_fetches == 0 || endpoint.url.is_none()),
                    Reason::KeyUnknownCached => has_keys && model.is_cached_unknown(number, key),
                    Reason::KeyUnknownLimited => has_keys,
                    Reason::KeyRefused => endpoint.rejects(key, model.now),
                    _ => false,
                };
                assert!(fits, "key {key}: {reason:?}, {model:?}");
            }
            Step::NeedsKeys(fetch) => {
                assert_eq!(fetch.url, model.endpoints[number].url.unwrap_or_default(), "of another endpoint");
                assert!(fetch.key_id.as_deref().is_none_or(|name| *name == *key_id(key)), "{fetch:?}");
                model.begin(number, fetch.key_id.is_some());
            }
            Step::PendingFetch(url) => {
                assert_eq!(Some(url.as_str()), model.endpoints[number].url);
                model.end_overdue(number);
                assert!(model.endpoints[number].in_progress.is_some(), "key {key} waits for nothing: {model:?}");
            }
            Step::PendingRevocation(_) => panic!("the revocation check is not enabled: {model:?}"),
        }
    }

    fn verify_after_fetch(&mut self, issuer: usize, key: u8, received_at: u64) {
        let step =
            self.verifier.verify_after_fetch(self.clock, &TOKENS[issuer][usize::from(key)], LogicalTime(received_at));
        self.model.advance(self.clock);
        let model = &mut self.model;
        let number = model.endpoint_for[issuer];
        let is_good = model.endpoints[number].verifies(key, model.now);
        assert_eq!(matches!(step, Step::Done(Ok(_))), is_good, "key {key}: {step:?}, {model:?}");
        let was_fetched_after = model.was_fetched_after(number, key, received_at);
        match step {
            Step::NeedsKeys(fetch) => {
                assert_eq!(fetch.key_id.as_deref(), Some(&*key_id(key)), "only for this key: {model:?}");
                assert!(!model.must_be_unknown(number, received_at), "key {key} was not in the last fetch: {model:?}");
                model.begin(number, true);
            }
            Step::PendingFetch(_) => {
                model.end_overdue(number);
                assert!(model.endpoints[number].in_progress.is_some(), "key {key} waits for nothing: {model:?}");
                assert!(!model.must_be_unknown(number, received_at), "key {key} was not in the last fetch: {model:?}");
            }
            Step::Done(Err(Reason::KeyUnknown)) => {
                let never_fetches = model.policy.unknown_key_fetches == 0 || model.endpoints[number].url.is_none();
                assert!(was_fetched_after || never_fetches, "key {key} may have been published since: {model:?}");
                if was_fetched_after {
                    model.note_unknown(number, key, model.now);
                }
            }
            Step::Done(Err(_)) => model.end_overdue(number),
            Step::Done(Ok(_)) => {}
            Step::PendingRevocation(_) => panic!("the revocation check is not enabled: {model:?}"),
        }
    }

    fn maintain(&mut self) {
        let fetches = self.verifier.maintain(self.clock);
        self.model.advance(self.clock);
        for number in 0..self.model.endpoints.len() {
            self.model.end_overdue(number);
            let count =
                fetches.iter().filter(|fetch| Some(fetch.url.as_str()) == self.model.endpoints[number].url).count();
            let is_due = self.model.is_due(number);
            match count {
                0 => assert_ne!(is_due, Some(true), "endpoint {number} is due: {:?}", self.model),
                1 => {
                    assert_ne!(is_due, Some(false), "endpoint {number} is not due: {:?}", self.model);
                    self.model.begin(number, false);
                }
                _ => panic!("endpoint {number} is fetched {count} times at once"),
            }
        }
        assert!(fetches.iter().all(|fetch| fetch.key_id.is_none()), "{fetches:?}");
    }

    fn fetched(&mut self, number: usize, key: Option<u8>, (started_at, ended_at): (u64, u64), result: &FetchResult) {
        let Some(url) = self.model.endpoints[number].url else { return };
        let body = result.body(&JWKS);
        let outcome = match result {
            FetchResult::Nothing(error) => Err(match error % 4 {
                0 => FetchError::Unreachable,
                1 => FetchError::TimedOut,
                2 => FetchError::BadStatus,
                _ => FetchError::TooLarge,
            }),
            FetchResult::Keys { max_age, .. } => {
                Ok(Response { body: body.as_deref(), max_age: max_age.map(u64::from), etag: Some("a") })
            }
            FetchResult::NotModified => Ok(Response { body: None, max_age: None, etag: None }),
            FetchResult::Junk(_) => Ok(Response { body: body.as_deref(), max_age: None, etag: None }),
        };
        let before = self.generation(number);
        let name = key.map(key_id);
        let applied =
            self.verifier.fetched(self.clock, url, name.as_deref(), LogicalTime(started_at), ended_at, outcome);
        self.model.advance(self.clock);
        let expected = self.model.fetched(number, key, started_at, self.clock, ended_at, result);
        assert_eq!(applied, expected.map(|_| ()), "{result:?}: {:?}", self.model);
        let is_changed = expected.is_ok_and(|is_changed| is_changed);
        assert_eq!(self.generation(number) != before, is_changed, "{result:?}: {:?}", self.model);
    }

    fn load(&mut self, issuer: usize, fetched_at: u64, keys: event::Keys) {
        let number = self.model.endpoint_for[issuer];
        let body = keys.body(&JWKS);
        let before = self.generation(number);
        let applied =
            self.verifier.load_key_set(self.clock, &issuer_of(issuer), body.as_bytes(), fetched_at).map(|_| ());
        self.model.advance(self.clock);
        let expected = self.model.load(number, self.clock, fetched_at, keys);
        assert_eq!(applied, expected.map(|_| ()), "{keys:?}: {:?}", self.model);
        assert_eq!(self.generation(number) != before, expected.is_ok_and(|it| it), "{keys:?}: {:?}", self.model);
    }

    fn generation(&mut self, number: usize) -> u64 {
        self.verifier.key_reports(self.clock)[number].generation
    }

    fn check_reports(&mut self) {
        let reports = self.verifier.key_reports(self.clock);
        self.model.advance(self.clock);
        assert_eq!(reports.len(), self.model.endpoints.len());
        for (report, endpoint) in reports.iter().zip(&self.model.endpoints) {
            let now = self.model.now;
            let states: &[KeyState] = match (&endpoint.current, endpoint.is_stale(now)) {
                (None, _) => &[KeyState::Missing],
                (Some(current), _) if now >= current.expires => &[KeyState::Expired],
                (Some(_), Some(true)) if endpoint.url.is_some() => &[KeyState::Stale],
                (Some(_), None) if endpoint.url.is_some() => &[KeyState::Stale, KeyState::Fresh],
                (Some(_), _) => &[KeyState::Fresh],
            };
            assert!(states.contains(&report.state), "{report:?}: {endpoint:?}");
            assert_eq!(
                report.age,
                endpoint.current.as_ref().map(|current| now - current.obtained),
                "{report:?}: {endpoint:?}"
            );
            assert_eq!(report.key_ids, endpoint.key_ids(), "{report:?}: {endpoint:?}");
            assert_eq!(report.failures, endpoint.failures, "{report:?}: {endpoint:?}");
        }
        let entries = self.verifier.negative_cache_len();
        assert!(entries <= self.model.policy.unknown_key_entries as usize, "{entries} entries");
    }
}

/// Seconds since the start of the model.
type Seconds = u64;

impl Endpoint {
    fn key_ids(&self) -> Vec<Box<str>> {
        let current = self.current.as_ref();
        (0..KEYS)
            .filter(|key| current.is_some_and(|current| current.keys.has(*key)))
            .map(|key| key_id(key).into())
            .collect()
    }
}

fn soft_ttl(policy: &KeyPolicy, max_age: Option<u16>) -> Seconds {
    let soft_ttl = max_age.map_or(policy.soft_ttl, u32::from);
    soft_ttl.clamp(policy.soft_ttl_min, policy.soft_ttl_max).into()
}
