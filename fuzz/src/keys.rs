//! The key state machine: any sequence of events, beside a model of what is held and what may be asked for.
//!
//! Oracles, after every event: a token is verified exactly if the model holds its key within the hard lifetime, whatever the clock does
//! and whatever else is unknown or failing; nothing is fetched for a key that is held; there is never a second fetch before the first has
//! ended or is overdue, and none before half of the back-off has passed; fetches for unknown key IDs are no more than the bucket allows;
//! a key ID is unknown only if a fetch that began after its token came has ended without it, and is remembered as such no longer than stated;
//! who is told to wait waits for a fetch that is under way; who has no keys and may ask is told to; a generation changes exactly if the
//! keys do; no more unknown key IDs are remembered than the limit.

mod event;
mod model;

use crate::scene::{self, KEYS, key_id};
use arbitrary::{Arbitrary, Unstructured};
use event::{Brought, Event, Plan};
use model::{Model, Place};
use poolgate_core::{
    CacheLimits, FetchError, KeyOrigin, KeyPolicy, KeyState, LogicalTime, Reason, Response, Step, Verifier,
};
use std::sync::LazyLock;

/// Of a later time is no token: the end of the year 9999.
const LAST: u64 = 253_402_300_799;
/// The most events of one input.
const EVENTS: usize = 48;

/// A token of each key for each issuer, good until the end of the year 9999.
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

/// Takes a `Plan` and then events.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(plan) = Plan::arbitrary(&mut input) else { return };
    let policy = plan.policy();
    let urls = plan.urls();
    let pools = urls.iter().enumerate().map(|(number, url)| {
        let origin = url.map_or(KeyOrigin::Local, |url| KeyOrigin::Url(url.to_owned()));
        scene::pool(&issuer_of(number), origin)
    });
    let cache = if plan.remembers { CacheLimits::default() } else { scene::NO_CACHE };
    let verifier = Verifier::new(scene::config(pools.collect(), policy, cache)).expect("the plan's policy is in range");
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
    /// Goes up with each event.
    tick: u64,
}

impl Run {
    fn happen(&mut self, event: &Event) {
        self.tick += 1;
        match event {
            Event::Ahead(seconds) => self.set_clock(self.clock.saturating_add((*seconds).into())),
            Event::Jump(seconds) => self.set_clock(self.clock.saturating_add((*seconds).into())),
            Event::Back(seconds) => self.set_clock(self.clock.saturating_sub((*seconds).into())),
            Event::ToEdge { place, edge, offset } => {
                let place = &self.model.places[usize::from(*place) % self.model.places.len()];
                let edges = place.edges();
                let Some(edge) = edges.get(usize::from(*edge) % edges.len().max(1)) else { return };
                let moment = (edge + u64::from(offset % 3)).saturating_sub(1);
                self.set_clock(self.clock.saturating_add(moment.saturating_sub(self.model.now)));
            }
            Event::Verify { issuer, key } => self.verify(self.issuer(*issuer), key % KEYS),
            Event::VerifyAgain { issuer, key, came_before } => {
                self.verify_after_fetch(self.issuer(*issuer), key % KEYS, self.tick - u64::from(*came_before));
            }
            Event::Maintain => self.maintain(),
            Event::Fetched { place, key, ago, began_before, brought } => {
                let place = usize::from(*place) % self.model.places.len();
                let times = (self.tick - u64::from(*began_before), self.clock.saturating_sub((*ago).into()));
                self.fetched(place, key.map(|key| key % KEYS), times, brought);
            }
            Event::Seed { issuer, ago, keys } => {
                self.seed(self.issuer(*issuer), self.clock.saturating_sub((*ago).into()), *keys);
            }
        }
    }

    fn issuer(&self, number: u8) -> usize {
        usize::from(number) % self.model.place_of.len()
    }

    /// The end of all tokens is not what this is about.
    fn set_clock(&mut self, clock: u64) {
        self.clock = clock.min(LAST - 1);
    }

    fn verify(&mut self, issuer: usize, key: u8) {
        let step = self.verifier.verify(self.clock, &TOKENS[issuer][usize::from(key)]);
        self.model.advance(self.clock);
        let model = &mut self.model;
        let number = model.place_of[issuer];
        let is_good = model.places[number].verifies(key, model.now);
        match step {
            Step::Done(Ok(verified)) => {
                assert!(is_good, "key {key} verifies: {model:?}");
                let is_stale = model.places[number].is_stale(model.now);
                assert!(is_stale.is_none_or(|is_stale| verified.keys_are_stale == is_stale), "{model:?}");
            }
            step if is_good => panic!("key {key} is held, and came {step:?}: {model:?}"),
            Step::Done(Err(reason)) => {
                model.end_overdue(number);
                let place = &model.places[number];
                assert!(!place.must_ask(model.now), "nothing is held, and nothing is asked for: {reason:?}, {model:?}");
                let is_held = place.is_usable(model.now);
                let fits = match reason {
                    Reason::KeysUnavailable => !is_held || model.is_backing_off(number),
                    Reason::KeyUnknown => is_held && (model.policy.unknown_key_fetches == 0 || place.url.is_none()),
                    Reason::KeyUnknownCached => is_held && model.remembers(number, key),
                    Reason::KeyUnknownLimited => is_held,
                    Reason::KeyRefused => place.refuses(key, model.now),
                    _ => false,
                };
                assert!(fits, "key {key}: {reason:?}, {model:?}");
            }
            Step::NeedsKeys(fetch) => {
                assert_eq!(fetch.url, model.places[number].url.unwrap_or_default(), "of another place");
                assert!(fetch.key_id.as_deref().is_none_or(|name| *name == *key_id(key)), "{fetch:?}");
                model.begin(number, fetch.key_id.is_some());
            }
            Step::PendingFetch(url) => {
                assert_eq!(Some(url.as_str()), model.places[number].url);
                model.end_overdue(number);
                assert!(model.places[number].flight.is_some(), "key {key} waits for nothing: {model:?}");
            }
            Step::PendingRevocation(_) => panic!("no store is asked here: {model:?}"),
        }
    }

    fn verify_after_fetch(&mut self, issuer: usize, key: u8, received_at: u64) {
        let step =
            self.verifier.verify_after_fetch(self.clock, &TOKENS[issuer][usize::from(key)], LogicalTime(received_at));
        self.model.advance(self.clock);
        let model = &mut self.model;
        let number = model.place_of[issuer];
        let is_good = model.places[number].verifies(key, model.now);
        assert_eq!(matches!(step, Step::Done(Ok(_))), is_good, "key {key}: {step:?}, {model:?}");
        let was_looked_for = model.was_looked_for(number, key, received_at);
        match step {
            Step::NeedsKeys(fetch) => {
                assert_eq!(fetch.key_id.as_deref(), Some(&*key_id(key)), "only for this key: {model:?}");
                assert!(!model.must_be_unknown(number, received_at), "key {key} was looked for: {model:?}");
                model.begin(number, true);
            }
            Step::PendingFetch(_) => {
                model.end_overdue(number);
                assert!(model.places[number].flight.is_some(), "key {key} waits for nothing: {model:?}");
                assert!(!model.must_be_unknown(number, received_at), "key {key} was looked for: {model:?}");
            }
            Step::Done(Err(Reason::KeyUnknown)) => {
                let asks_never = model.policy.unknown_key_fetches == 0 || model.places[number].url.is_none();
                assert!(was_looked_for || asks_never, "key {key} may be there by now: {model:?}");
                if was_looked_for {
                    model.is_unknown_since(number, key, model.now);
                }
            }
            Step::Done(Err(_)) => model.end_overdue(number),
            Step::Done(Ok(_)) => {}
            Step::PendingRevocation(_) => panic!("no store is asked here: {model:?}"),
        }
    }

    fn maintain(&mut self) {
        let fetches = self.verifier.maintain(self.clock);
        self.model.advance(self.clock);
        for number in 0..self.model.places.len() {
            self.model.end_overdue(number);
            let count =
                fetches.iter().filter(|fetch| Some(fetch.url.as_str()) == self.model.places[number].url).count();
            let is_due = self.model.is_due(number);
            match count {
                0 => assert_ne!(is_due, Some(true), "place {number} is due: {:?}", self.model),
                1 => {
                    assert_ne!(is_due, Some(false), "place {number} is not due: {:?}", self.model);
                    self.model.begin(number, false);
                }
                _ => panic!("place {number} is asked {count} times at once"),
            }
        }
        assert!(fetches.iter().all(|fetch| fetch.key_id.is_none()), "{fetches:?}");
    }

    fn fetched(&mut self, number: usize, key: Option<u8>, (started_at, ended_at): (u64, u64), brought: &Brought) {
        let Some(url) = self.model.places[number].url else { return };
        let body = brought.body(&JWKS);
        let outcome = match brought {
            Brought::Nothing(fault) => Err(match fault % 4 {
                0 => FetchError::Unreachable,
                1 => FetchError::TimedOut,
                2 => FetchError::BadStatus,
                _ => FetchError::TooLarge,
            }),
            Brought::Keys { max_age, .. } => {
                Ok(Response { body: body.as_deref(), max_age: max_age.map(u64::from), etag: Some("a") })
            }
            Brought::NotModified => Ok(Response { body: None, max_age: None, etag: None }),
            Brought::Junk(_) => Ok(Response { body: body.as_deref(), max_age: None, etag: None }),
        };
        let before = self.generation(number);
        let name = key.map(key_id);
        let taken = self.verifier.fetched(self.clock, url, name.as_deref(), LogicalTime(started_at), ended_at, outcome);
        self.model.advance(self.clock);
        let expected = self.model.fetched(number, key, started_at, self.clock, ended_at, brought);
        assert_eq!(taken, expected.map(|_| ()), "{brought:?}: {:?}", self.model);
        let is_changed = expected.is_ok_and(|is_changed| is_changed);
        assert_eq!(self.generation(number) != before, is_changed, "{brought:?}: {:?}", self.model);
    }

    fn seed(&mut self, issuer: usize, fetched_at: u64, keys: event::Keys) {
        let number = self.model.place_of[issuer];
        let body = keys.body(&JWKS);
        let before = self.generation(number);
        let taken = self.verifier.load_key_set(self.clock, &issuer_of(issuer), body.as_bytes(), fetched_at).map(|_| ());
        self.model.advance(self.clock);
        let expected = self.model.seed(number, self.clock, fetched_at, keys);
        assert_eq!(taken, expected.map(|_| ()), "{keys:?}: {:?}", self.model);
        assert_eq!(self.generation(number) != before, expected.is_ok_and(|it| it), "{keys:?}: {:?}", self.model);
    }

    fn generation(&mut self, number: usize) -> u64 {
        self.verifier.key_reports(self.clock)[number].generation
    }

    fn check_reports(&mut self) {
        let reports = self.verifier.key_reports(self.clock);
        self.model.advance(self.clock);
        assert_eq!(reports.len(), self.model.places.len());
        for (report, place) in reports.iter().zip(&self.model.places) {
            let now = self.model.now;
            let states: &[KeyState] = match (&place.held, place.is_stale(now)) {
                (None, _) => &[KeyState::Missing],
                (Some(held), _) if now >= held.expires => &[KeyState::Expired],
                (Some(_), Some(true)) if place.url.is_some() => &[KeyState::Stale],
                (Some(_), None) if place.url.is_some() => &[KeyState::Stale, KeyState::Fresh],
                (Some(_), _) => &[KeyState::Fresh],
            };
            assert!(states.contains(&report.state), "{report:?}: {place:?}");
            assert_eq!(report.age, place.held.as_ref().map(|held| now - held.obtained), "{report:?}: {place:?}");
            assert_eq!(report.key_ids, place.key_ids(), "{report:?}: {place:?}");
            assert_eq!(report.failures, place.failures, "{report:?}: {place:?}");
        }
        let remembered = self.verifier.negative_cache_len();
        assert!(remembered <= self.model.policy.unknown_key_entries as usize, "{remembered} are remembered");
    }
}

/// Times of the model are seconds since it began.
type Seconds = u64;

impl Place {
    fn key_ids(&self) -> Vec<Box<str>> {
        let held = self.held.as_ref();
        (0..KEYS).filter(|key| held.is_some_and(|held| held.keys.has(*key))).map(|key| key_id(key).into()).collect()
    }
}

fn soft_ttl(policy: &KeyPolicy, max_age: Option<u16>) -> Seconds {
    let stated = max_age.map_or(policy.soft_ttl, u32::from);
    stated.clamp(policy.soft_ttl_min, policy.soft_ttl_max).into()
}
