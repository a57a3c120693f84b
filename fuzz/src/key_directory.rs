//! A key directory, in which each key has a URL of its own, as load balancers publish them: any sequence of events, compared with a model.
//!
//! Oracles, after every event:
//!
//! - A token is verified exactly if the key that is held for its `kid` has signed it and is within its hard lifetime, whatever else is unknown
//!   or fails. Nothing is fetched for such a token.
//! - A second fetch of a key never starts before the first has ended or is overdue, and none starts before half of the back-off has passed.
//!   Fetches of different keys do not wait for each other.
//! - First fetches are no more than the token bucket allows. If it can't be empty and nothing else is in the way, a token causes its fetch.
//! - A key ID is unknown only if a response had no key for it, and it stays in the negative cache no longer than configured.
//! - Only keys that were used lately are refreshed, and those that are due are. A failed refresh costs no key.
//! - At most 64 keys are held. A new one replaces one with which no signature was verified since any of the others.
//! - The generation changes exactly if a key is new or has changed.

mod event;
mod model;

use crate::{
    keys::Plan,
    scene::{
        self,
        load_balancer::{self, KEYS},
    },
};
use arbitrary::{Arbitrary, Unstructured};
use event::{Event, FetchResult, KEY_IDS};
use model::{Model, PLACES};
use poolgate_core::{
    CacheLimits, IssuerRule, KeyOrigin, KeyPolicy, KeyReport, LoadBalancers, LogicalTime, Pool, Reason, Response, Step,
    Verifier,
};
use std::sync::LazyLock;

const ISSUER: &str = "https://issuer.example";
const URL: &str = "https://keys.example";
/// The end of the year 9999, after which no token is valid.
const LAST: u64 = 253_402_300_799;
/// The maximum number of events of one input.
const EVENTS: usize = 48;

/// For each key ID, a token of each key, valid until the end of the year 9999.
static TOKENS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let payload = format!(r#"{{"iss":"{ISSUER}","exp":{LAST}}}"#);
    let of_key_id = |number: u8| {
        let (key_id, arn) = (load_balancer::key_id(number), load_balancer::ARN);
        let header = format!(r#"{{"alg":"ES256","kid":"{key_id}","iss":"{ISSUER}","exp":{LAST},"signer":"{arn}"}}"#);
        (0..KEYS).map(|key| load_balancer::token(key, &header, &payload)).collect()
    };
    (0..KEY_IDS).map(of_key_id).collect()
});

/// The input is a `Plan`, followed by events.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(plan) = Plan::arbitrary(&mut input) else { return };
    // Without first fetches, the configuration is rejected.
    let policy = plan.policy();
    let policy = KeyPolicy { unknown_key_fetches: policy.unknown_key_fetches.max(1), ..policy };
    let load_balancers = LoadBalancers { issuer: ISSUER.into(), arns: vec![load_balancer::ARN.into()] };
    let pool = Pool {
        issuer: IssuerRule::LoadBalancers(load_balancers),
        algorithms: vec![],
        ..scene::pool(ISSUER, KeyOrigin::Url(URL.into()))
    };
    let cache = if plan.caches_tokens { CacheLimits::default() } else { scene::NO_CACHE };
    let verifier = Verifier::new(scene::config(vec![pool], policy, cache)).expect("the policy of the plan is in range");
    let mut run =
        Run { verifier, model: Model::new(policy), clock: 1 << 31, caches_tokens: plan.caches_tokens, newcomers: 0 };
    run.report();
    run.model.advance(run.clock);
    for _ in 0..EVENTS {
        let Ok(event) = Event::arbitrary(&mut input) else { break };
        run.happen(&event);
        run.check_report();
        if input.is_empty() {
            break;
        }
    }
}

struct Run {
    verifier: Verifier,
    model: Model,
    clock: u64,
    caches_tokens: bool,
    /// The number of keys that no token needs.
    newcomers: u32,
}

impl Run {
    fn happen(&mut self, event: &Event) {
        match event {
            Event::Ahead(seconds) => self.set_clock(self.clock.saturating_add((*seconds).into())),
            Event::Jump(seconds) => self.set_clock(self.clock.saturating_add((*seconds).into())),
            Event::Back(seconds) => self.set_clock(self.clock.saturating_sub((*seconds).into())),
            Event::ToEdge { edge, offset } => {
                let edges = self.model.edges();
                let Some(edge) = edges.get(usize::from(*edge) % edges.len().max(1)) else { return };
                let instant = (edge + u64::from(offset % 3)).saturating_sub(1);
                self.set_clock(self.clock.saturating_add(instant.saturating_sub(self.model.now)));
            }
            Event::Verify { key_id, key } => self.verify(key_id % KEY_IDS, key % KEYS),
            Event::VerifyAfterFetch { key_id, key } => self.verify_after_fetch(key_id % KEY_IDS, key % KEYS),
            Event::Maintain => self.maintain(),
            Event::Fetched { key_id, ago, result } => {
                let ended_at = self.clock.saturating_sub((*ago).into());
                self.fetched(&load_balancer::key_id(key_id % KEY_IDS), ended_at, *result);
            }
            Event::Crowd(count) => {
                for _ in 0..count % 80 {
                    self.newcomers += 1;
                    let key_id = format!("{:08x}-ffff-4fff-8fff-ffffffffffff", self.newcomers);
                    self.fetched(&key_id, self.clock, FetchResult::Key { key: 0, max_age: None });
                }
            }
        }
    }

    /// Never sets the clock past the end of all tokens, because expiry is not tested here.
    fn set_clock(&mut self, clock: u64) {
        self.clock = clock.min(LAST - 1);
    }

    fn verify(&mut self, number: u8, key: u8) {
        let step = self.verifier.verify(self.clock, &TOKENS[usize::from(number)][usize::from(key)]);
        self.model.advance(self.clock);
        let key_id = &*load_balancer::key_id(number);
        if self.check_held(key_id, key, &step) {
            return;
        }
        let model = &mut self.model;
        match step {
            Step::NeedsKeys(fetch) => {
                assert_eq!((fetch.url, fetch.key_id.as_deref()), (format!("{URL}/{key_id}"), Some(key_id)));
                model.begin(key_id);
            }
            Step::PendingFetch(url) => {
                model.end_overdue();
                assert_eq!(url, format!("{URL}/{key_id}"));
                assert!(model.is_in_progress(key_id), "{key_id} waits for nothing: {model:?}");
            }
            Step::Done(Err(reason)) => {
                model.end_overdue();
                assert!(!model.must_fetch(key_id), "no fetch is required for {key_id}: {reason:?}, {model:?}");
                let fits = match reason {
                    Reason::KeysUnavailable => model.is_backing_off(key_id),
                    Reason::KeyUnknownCached => model.may_be_unknown(key_id) && !model.held.contains_key(key_id),
                    Reason::KeyUnknownLimited => !model.held.contains_key(key_id),
                    _ => false,
                };
                assert!(fits, "{key_id}: {reason:?}, {model:?}");
            }
            step => panic!("{key_id} is not held: {step:?}, {model:?}"),
        }
    }

    fn verify_after_fetch(&mut self, number: u8, key: u8) {
        let token = &TOKENS[usize::from(number)][usize::from(key)];
        let step = self.verifier.verify_after_fetch(self.clock, token, LogicalTime(0));
        self.model.advance(self.clock);
        let key_id = &*load_balancer::key_id(number);
        if self.check_held(key_id, key, &step) {
            return;
        }
        let model = &mut self.model;
        model.end_overdue();
        match step {
            Step::PendingFetch(_) => assert!(model.is_in_progress(key_id), "{key_id} waits for nothing: {model:?}"),
            Step::Done(Err(reason)) => {
                assert!(!model.is_in_progress(key_id), "{key_id} is being fetched: {reason:?}, {model:?}");
                let fits = match reason {
                    Reason::KeysUnavailable => model.failures > 0 || model.held.contains_key(key_id),
                    Reason::KeyUnknown | Reason::KeyRefused => !model.held.contains_key(key_id),
                    _ => false,
                };
                assert!(fits, "{key_id}: {reason:?}, {model:?}");
            }
            step => panic!("{key_id} is not held, and no other fetch follows: {step:?}, {model:?}"),
        }
    }

    /// Returns whether the key is held. Checks that then the token is judged by it.
    fn check_held(&mut self, key_id: &str, key: u8, step: &Step) -> bool {
        let (model, is_sure) = (&mut self.model, !self.caches_tokens);
        let Some(held) = model.key(key_id) else {
            assert!(!matches!(step, Step::Done(Ok(_))), "{key_id} is not held: {model:?}");
            return false;
        };
        match step {
            Step::Done(Ok(verified)) => {
                assert_eq!(held, key, "another key has signed: {model:?}");
                let is_stale = model.is_stale(key_id);
                assert!(is_stale.is_none_or(|is_stale| verified.keys_are_stale == is_stale), "{model:?}");
                model.note_use(key_id, is_sure);
            }
            Step::Done(Err(reason)) => {
                assert_eq!(
                    (*reason, held != key),
                    (Reason::SignatureInvalid, true),
                    "key {key} of {key_id}: {model:?}"
                );
            }
            step => panic!("{key_id} is held, but the step is {step:?}: {model:?}"),
        }
        true
    }

    fn maintain(&mut self) {
        let fetches = self.verifier.maintain(self.clock);
        let model = &mut self.model;
        model.advance(self.clock);
        model.end_overdue();
        model.drop_expired();
        let mut due: Vec<String> = model.held.keys().filter(|key_id| model.must_refresh(key_id)).cloned().collect();
        for fetch in fetches {
            let key_id = fetch.key_id.expect("a key directory has no other fetches");
            assert_eq!(fetch.url, format!("{URL}/{key_id}"));
            model.begin_refresh(&key_id);
            due.retain(|due| **due != *key_id);
        }
        assert!(due.is_empty(), "{due:?} are due: {model:?}");
    }

    fn fetched(&mut self, key_id: &str, ended_at: u64, result: FetchResult) {
        let before = self.report();
        let body = result.body();
        let outcome = match result.error() {
            Some(error) => Err(error),
            None => Ok(Response { body: body.as_deref().map(str::as_bytes), max_age: result.max_age(), etag: None }),
        };
        let url = format!("{URL}/{key_id}");
        let applied = self.verifier.fetched(self.clock, &url, Some(key_id), LogicalTime(1), ended_at, outcome);
        self.model.advance(self.clock);
        let expected = self.model.fetched(key_id, self.clock, ended_at, result);
        assert_eq!(applied, expected.map(drop), "{key_id} {result:?}: {:?}", self.model);
        let after = self.report();
        let has_changed = expected.is_ok_and(|has_changed| has_changed);
        assert_eq!(after.generation != before.generation, has_changed, "{key_id} {result:?}: {:?}", self.model);
        self.check_eviction(key_id, &before, &after);
    }

    /// Checks that a key loses its place only to a new one, and that no other was used earlier.
    fn check_eviction(&mut self, newcomer: &str, before: &KeyReport, after: &KeyReport) {
        let model = &mut self.model;
        let gone: Vec<&str> =
            before.key_ids.iter().filter(|key_id| !after.key_ids.contains(key_id)).map(|key_id| &**key_id).collect();
        let is_needed = before.key_ids.len() == PLACES && model.held.len() > PLACES;
        assert_eq!(gone.len(), usize::from(is_needed), "{gone:?} are gone for {newcomer}: {model:?}");
        for key_id in gone {
            let gone = model.held.remove(key_id).unwrap_or_else(|| panic!("{key_id} was not held: {model:?}"));
            let mut others = model.held.iter().filter(|(other, _)| **other != *newcomer);
            // It was used no later than each of the others may have been.
            let is_least = others.all(|(_, other)| gone.used.map(|used| used.0) <= other.used.map(|used| used.1));
            assert!(is_least, "{key_id} was used after another: {gone:?}, {model:?}");
        }
    }

    fn report(&mut self) -> KeyReport {
        let mut reports = self.verifier.key_reports(self.clock);
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports.remove(0)
    }

    fn check_report(&mut self) {
        let report = self.report();
        let model = &mut self.model;
        model.advance(self.clock);
        let mut held: Vec<&str> = model.held.keys().map(String::as_str).collect();
        held.sort_unstable();
        let reported: Vec<&str> = report.key_ids.iter().map(|key_id| &**key_id).collect();
        assert_eq!(reported, held, "{report:?}: {model:?}");
        assert!(held.len() <= PLACES, "{} keys", held.len());
        assert_eq!(report.failures, model.failures, "{report:?}: {model:?}");
        let entries = self.verifier.negative_cache_len();
        assert!(entries <= model.policy.unknown_key_entries as usize, "{entries} entries");
    }
}
