//! Random schedules of time steps, tokens and fetch results, with invariants that are checked after every action.

use super::pools::{Bench, Published, hour_long};
use poolgate_core::{FetchError, KeyPolicy, KeyReport, KeyState, LogicalTime, Reason, Response, Step};
use proptest::{
    prelude::*,
    test_runner::{Config as Settings, RngSeed, TestRunner},
};
use std::{cell::Cell, collections::HashMap};

/// The number of schedules, unless `PROPTEST_CASES` sets another.
const CASES: u32 = 400;
const STEPS: usize = 120;
const ENDPOINTS: usize = 2;

/// The next action of a schedule.
#[derive(Clone, Debug)]
enum Act {
    Advance(u64),
    StepBack(u64),
    Verify {
        endpoint: usize,
        kid: Kid,
    },
    /// Verifies a token again that arrived this many actions ago.
    VerifyAgain {
        endpoint: usize,
        kid: Kid,
        ago: u64,
    },
    /// Completes a fetch that started this many actions ago.
    End {
        endpoint: usize,
        lag: u64,
        began: u64,
        requested_kid: Option<Kid>,
        outcome: Outcome,
    },
    Maintain,
    Load {
        endpoint: usize,
        published: Published,
        age: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kid {
    First,
    Second,
    Unknown(u8),
}

impl Kid {
    fn name(self) -> String {
        match self {
            Kid::First => "first".into(),
            Kid::Second => "second".into(),
            Kid::Unknown(number) => format!("unknown {number}"),
        }
    }
}

impl Published {
    fn has(self, kid: Kid) -> bool {
        matches!(
            (self, kid),
            (Published::First | Published::Both, Kid::First) | (Published::Second | Published::Both, Kid::Second)
        )
    }
}

#[derive(Clone, Debug)]
enum Outcome {
    Keys { published: Published, max_age: Option<u64> },
    NotModified,
    Malformed,
    Empty,
    Fault(FetchError),
}

fn policy() -> impl Strategy<Value = KeyPolicy> {
    (1..300_u32, 0..300_u32, 0..600_u32, 1..8_u32, 0..50_u32, 1..60_u32, (0..6_u32, 1..30_u32), (0..90_u32, 0..12_u32))
        .prop_map(|(soft_ttl_min, more, hard_more, retry_min, retry_more, fetch_deadline, bucket, unknown)| KeyPolicy {
            soft_ttl: soft_ttl_min + more / 2,
            soft_ttl_min,
            soft_ttl_max: soft_ttl_min + more,
            hard_ttl: soft_ttl_min + more + hard_more,
            retry_min,
            retry_max: retry_min + retry_more,
            fetch_deadline,
            unknown_key_fetches: bucket.0,
            unknown_key_interval: bucket.1,
            unknown_key_ttl: unknown.0,
            unknown_key_entries: unknown.1,
            jitter_seed: u64::from(more),
        })
}

fn act() -> impl Strategy<Value = Act> {
    let endpoint = || 0..ENDPOINTS;
    let published = || prop_oneof![Just(Published::First), Just(Published::Second), Just(Published::Both)];
    let kid = || prop_oneof![3 => Just(Kid::First), 2 => Just(Kid::Second), 3 => (0..20_u8).prop_map(Kid::Unknown)];
    let max_age =
        prop_oneof![Just(None), Just(Some(0)), Just(Some(1)), (0..1_000_u64).prop_map(Some), Just(Some(u64::MAX))];
    let fault = prop_oneof![Just(FetchError::Unreachable), Just(FetchError::TimedOut), Just(FetchError::BadStatus)];
    let outcome = prop_oneof![
        6 => (published(), max_age).prop_map(|(published, max_age)| Outcome::Keys { published, max_age }),
        2 => Just(Outcome::NotModified),
        1 => Just(Outcome::Malformed),
        1 => Just(Outcome::Empty),
        3 => fault.prop_map(Outcome::Fault),
    ];
    prop_oneof![
        6 => (0..5_u64).prop_map(Act::Advance),
        3 => (0..700_u64).prop_map(Act::Advance),
        1 => prop_oneof![Just(86_400), Just(3_000_000_000)].prop_map(Act::Advance),
        1 => prop_oneof![1..30_u64, 3_000..1_000_000_u64].prop_map(Act::StepBack),
        8 => (endpoint(), kid()).prop_map(|(endpoint, kid)| Act::Verify { endpoint, kid }),
        3 => (endpoint(), kid(), 0..8_u64).prop_map(|(endpoint, kid, ago)| Act::VerifyAgain { endpoint, kid, ago }),
        6 => (endpoint(), prop_oneof![4 => Just(0), 1 => 0..20_u64], 0..8_u64, prop::option::of(kid()), outcome)
            .prop_map(|(endpoint, lag, began, requested_kid, outcome)| Act::End { endpoint, lag, began, requested_kid, outcome }),
        5 => Just(Act::Maintain),
        1 => (endpoint(), published(), prop_oneof![0..1_000_u64, Just(10_000_000)])
            .prop_map(|(endpoint, published, age)| Act::Load { endpoint, published, age }),
    ]
}

/// A model of the verifier, independent of its code.
struct Model {
    policy: KeyPolicy,
    /// The last time of the clock that the verifier used, and the sum of the clock's steps forward.
    last_clock: u64,
    monotonic: u64,
    endpoints: [Endpoint; ENDPOINTS],
}

#[derive(Default)]
struct Endpoint {
    key_set: Option<(Published, u64)>,
    fetch: Option<(u64, u64)>,
    not_before: u64,
    unknown_kid_fetches: Vec<u64>,
    /// For each successful fetch: when it started, and which keys it returned.
    returned: Vec<(u64, Published)>,
    /// When a fetch last did not return the key.
    unknown_since: HashMap<Kid, u64>,
    generation: u64,
}

impl Model {
    /// Far from zero, so that the age of a key set can be subtracted.
    const START: u64 = 1 << 33;

    fn tick(&mut self, clock: u64) {
        self.monotonic += clock.saturating_sub(self.last_clock);
        self.last_clock = clock;
    }

    /// Returns the keys that verify tokens now.
    fn live(&self, endpoint: usize) -> Option<Published> {
        let (published, obtained) = self.endpoints[endpoint].key_set?;
        (self.monotonic - obtained < u64::from(self.policy.hard_ttl)).then_some(published)
    }

    fn fetch_starts(&mut self, endpoint: usize) {
        let (monotonic, deadline) = (self.monotonic, self.monotonic + u64::from(self.policy.fetch_deadline));
        let endpoint = &mut self.endpoints[endpoint];
        if let Some((_, deadline)) = endpoint.fetch {
            assert!(monotonic >= deadline, "a second fetch is requested while one is in progress");
        }
        assert!(monotonic >= endpoint.not_before, "a fetch during the back-off");
        endpoint.fetch = Some((monotonic, deadline));
    }

    /// Checks that in any period, the token bucket allows no more fetches than its size plus one per interval.
    fn unknown_kid_is_fetched(&mut self, endpoint: usize) {
        let (monotonic, policy) = (self.monotonic, self.policy);
        let asks = &mut self.endpoints[endpoint].unknown_kid_fetches;
        asks.push(monotonic);
        for (earlier, started) in asks.iter().enumerate() {
            let (made, since) = (asks.len() - earlier, monotonic - started);
            let allowed = u64::from(policy.unknown_key_fetches) + since / u64::from(policy.unknown_key_interval) + 1;
            assert!(made as u64 <= allowed, "{made} fetches for unknown kids in {since} seconds");
            if since == 0 {
                assert!(
                    made as u64 <= u64::from(policy.unknown_key_fetches),
                    "more fetches at once than the size of the bucket"
                );
            }
        }
    }

    /// Accepts a key set that was obtained at this monotonic time.
    fn accept(&mut self, endpoint: usize, published: Published, obtained: u64) {
        let endpoint = &mut self.endpoints[endpoint];
        if endpoint.key_set.is_none_or(|(_, earlier)| earlier <= obtained) {
            endpoint.generation += u64::from(endpoint.key_set.is_none_or(|(earlier, _)| earlier != published));
            endpoint.key_set = Some((published, obtained));
        }
    }
}

struct Run {
    bench: Bench,
    model: Model,
    clock: u64,
    /// The number of actions so far, which serves as logical time.
    acts: u64,
}

impl Run {
    fn new(policy: KeyPolicy) -> Self {
        let (mut bench, clock) = (Bench::new(ENDPOINTS, policy), Bench::BEGIN);
        bench.verifier.key_reports(clock);
        Self {
            bench,
            clock,
            acts: 100,
            model: Model { policy, last_clock: clock, monotonic: Model::START, endpoints: Default::default() },
        }
    }

    fn act(&mut self, act: &Act) {
        self.acts += 1;
        match act {
            // All tokens expire in the year 9999.
            Act::Advance(seconds) => self.clock = (self.clock + seconds).min(200_000_000_000),
            Act::StepBack(seconds) => self.clock = self.clock.saturating_sub(*seconds).max(10_000_000),
            Act::Verify { endpoint, kid } => self.verify(*endpoint, *kid),
            Act::VerifyAgain { endpoint, kid, ago } => self.verify_after_fetch(*endpoint, *kid, self.acts - ago),
            Act::End { endpoint, lag, began, requested_kid, outcome } => {
                self.complete(*endpoint, (self.acts - began, *lag), *requested_kid, outcome);
            }
            Act::Maintain => self.maintain(),
            Act::Load { endpoint, published, age } => self.load(*endpoint, *published, *age),
        }
        self.check();
    }

    fn is_known(&self, endpoint: usize, kid: Kid) -> bool {
        self.model.live(endpoint).is_some_and(|published| published.has(kid))
    }

    fn token(&self, endpoint: usize, kid: Kid) -> &'static str {
        match kid {
            Kid::First => self.bench.token(endpoint, 0),
            Kid::Second => self.bench.token(endpoint, 1),
            Kid::Unknown(number) => self.bench.unknown_kid(endpoint, number),
        }
    }

    fn verify(&mut self, endpoint: usize, kid: Kid) {
        self.model.tick(self.clock);
        let is_known = self.is_known(endpoint, kid);
        let step = self.bench.verifier.verify(self.clock, self.token(endpoint, kid));
        match step {
            Step::Done(Ok(_)) => {
                assert!(is_known, "verified with a removed key, or one older than its hard lifetime")
            }
            _ if is_known => panic!("a token with a known key is rejected or waits: {step:?}"),
            Step::NeedsKeys(fetch) => {
                assert_eq!(fetch.url, self.bench.url(endpoint));
                self.model.fetch_starts(endpoint);
                if self.model.live(endpoint).is_some() {
                    self.model.unknown_kid_is_fetched(endpoint);
                }
            }
            Step::PendingFetch(url) => {
                assert_eq!(url, self.bench.url(endpoint));
                assert!(self.model.endpoints[endpoint].fetch.is_some(), "no fetch is in progress");
            }
            Step::Done(Err(reason)) => self.check_rejection(endpoint, kid, reason),
            Step::PendingRevocation(_) => panic!("no revocation store is configured"),
        }
    }

    /// Records that a fetch did not return this kid.
    fn record_unknown(&mut self, endpoint: usize, kid: Kid, at: u64) {
        if !self.is_known(endpoint, kid) {
            let unknown_since = self.model.endpoints[endpoint].unknown_since.entry(kid).or_insert(at);
            *unknown_since = at.max(*unknown_since);
        }
    }

    /// Checks that a key is unknown only if a fetch that started after the token arrived did not return it.
    fn verify_after_fetch(&mut self, endpoint: usize, kid: Kid, received_at: u64) {
        self.model.tick(self.clock);
        let is_known = self.is_known(endpoint, kid);
        let returned = &self.model.endpoints[endpoint].returned;
        let is_proved = returned.iter().any(|(started_at, published)| *started_at > received_at && !published.has(kid));
        match self.bench.verifier.verify_after_fetch(self.clock, self.token(endpoint, kid), LogicalTime(received_at)) {
            Step::Done(Ok(_)) => {
                assert!(is_known, "verified with a removed key, or one older than its hard lifetime")
            }
            step if is_known => panic!("a token with a known key is rejected or waits: {step:?}"),
            Step::NeedsKeys(fetch) => {
                assert_eq!((&*fetch.url, fetch.key_id.as_deref()), (self.bench.url(endpoint), Some(&*kid.name())));
                self.model.fetch_starts(endpoint);
                self.model.unknown_kid_is_fetched(endpoint);
            }
            Step::PendingFetch(_) => assert!(self.model.endpoints[endpoint].fetch.is_some(), "no fetch is in progress"),
            Step::Done(Err(reason)) => {
                if reason == Reason::KeyUnknown && is_proved {
                    self.record_unknown(endpoint, kid, self.model.monotonic);
                } else if reason == Reason::KeyUnknown {
                    assert_eq!(self.model.policy.unknown_key_fetches, 0, "{kid:?} may have been published since");
                }
                self.check_rejection(endpoint, kid, reason);
            }
            Step::PendingRevocation(_) => panic!("no revocation store is configured"),
        }
    }

    fn check_rejection(&self, endpoint: usize, kid: Kid, reason: Reason) {
        match reason {
            Reason::KeysUnavailable => {}
            Reason::KeyUnknown | Reason::KeyUnknownCached | Reason::KeyUnknownLimited => {
                assert!(self.model.live(endpoint).is_some(), "401 without keys: {reason:?}");
                if reason == Reason::KeyUnknownCached {
                    let age =
                        self.model.endpoints[endpoint].unknown_since.get(&kid).map(|at| self.model.monotonic - at);
                    let ttl = u64::from(self.model.policy.unknown_key_ttl);
                    assert!(age.is_some_and(|age| age < ttl), "{kid:?} was last fetched {age:?} seconds ago");
                }
            }
            other => panic!("rejected with {other:?}"),
        }
    }

    fn maintain(&mut self) {
        self.model.tick(self.clock);
        for fetch in self.bench.verifier.maintain(self.clock) {
            let endpoint = (0..ENDPOINTS).find(|endpoint| self.bench.url(*endpoint) == fetch.url).expect("a known URL");
            self.model.fetch_starts(endpoint);
        }
    }

    fn complete(
        &mut self,
        endpoint: usize,
        (started_at, lag): (u64, u64),
        requested_kid: Option<Kid>,
        outcome: &Outcome,
    ) {
        self.model.tick(self.clock);
        let obtained = self.model.monotonic - lag;
        let body = match outcome {
            Outcome::Keys { published, .. } => Some(self.bench.set(*published)),
            Outcome::Malformed => Some("{\"keys\":"),
            Outcome::Empty => Some("{\"keys\":[]}"),
            Outcome::NotModified | Outcome::Fault(_) => None,
        };
        let max_age = match outcome {
            Outcome::Keys { max_age, .. } => *max_age,
            _ => None,
        };
        let response = match outcome {
            Outcome::Fault(fault) => Err(*fault),
            _ => Ok(Response { body: body.map(str::as_bytes), max_age, etag: Some("\"tag\"") }),
        };
        let url = self.bench.url(endpoint).to_owned();
        let before = self.report(endpoint).failures;
        let kid = requested_kid.map(Kid::name);
        let (kid, ended_at) = (kid.as_deref(), self.clock - lag);
        let result = self.bench.verifier.fetched(self.clock, &url, kid, LogicalTime(started_at), ended_at, response);
        self.model.endpoints[endpoint].fetch = None;
        match (outcome, self.model.endpoints[endpoint].key_set) {
            (Outcome::Keys { published, .. }, _) => self.model.accept(endpoint, *published, obtained),
            (Outcome::NotModified, Some((key_set, _))) => self.model.accept(endpoint, key_set, obtained),
            _ => assert!(result.is_err() || matches!(outcome, Outcome::Fault(_)), "{outcome:?} was accepted"),
        }
        if let (Ok(()), Outcome::Keys { .. } | Outcome::NotModified) = (result, outcome) {
            let returned = self.model.endpoints[endpoint].key_set.map(|(published, _)| (started_at, published));
            self.model.endpoints[endpoint].returned.extend(returned);
            requested_kid.into_iter().for_each(|kid| self.record_unknown(endpoint, kid, obtained));
        }
        let failures = self.report(endpoint).failures;
        self.model.endpoints[endpoint].not_before = match failures {
            0 => 0,
            // A late result of an older fetch does not count as a failure.
            same if same == before => self.model.endpoints[endpoint].not_before,
            failures => {
                let doubled = u64::from(self.model.policy.retry_min) << (failures - 1).min(20);
                obtained + doubled.min(self.model.policy.retry_max.into()).div_ceil(2)
            }
        };
    }

    fn load(&mut self, endpoint: usize, published: Published, age: u64) {
        self.model.tick(self.clock);
        let obtained = self.model.monotonic - age;
        let body = self.bench.set(published).as_bytes();
        let result = self.bench.verifier.load_key_set(
            self.clock,
            &self.bench.issuer(endpoint),
            body,
            self.clock.saturating_sub(age),
        );
        if result.is_ok() {
            assert!(age < self.model.policy.hard_ttl.into(), "a key set older than its hard lifetime was accepted");
            self.model.accept(endpoint, published, obtained);
            // A host that cannot wait in an import may pass a fetched key set this way, so it completes the fetch.
            let endpoint = &mut self.model.endpoints[endpoint];
            if endpoint.fetch.is_some_and(|(began, _)| began <= obtained) {
                (endpoint.fetch, endpoint.not_before) = (None, 0);
            }
        }
    }

    fn report(&mut self, endpoint: usize) -> KeyReport {
        self.bench.verifier.key_reports(self.clock).swap_remove(endpoint)
    }

    /// Checks the invariants.
    fn check(&mut self) {
        self.model.tick(self.clock);
        let policy = self.model.policy;
        let cached = self.bench.verifier.negative_cache_len();
        assert!(cached <= policy.unknown_key_entries as usize, "{cached} unknown kids are cached");
        for endpoint in 0..ENDPOINTS {
            let report = self.report(endpoint);
            let model = &self.model.endpoints[endpoint];
            assert_eq!(report.generation, model.generation, "the generation changes with the keys");
            assert!(report.key_ids.len() + report.skipped.len() <= 2, "keys of two key sets at the same time");
            assert_eq!(report.age, model.key_set.map(|(_, obtained)| self.model.monotonic - obtained));
            let is_live = self.model.live(endpoint).is_some();
            assert_eq!(matches!(report.state, KeyState::Fresh | KeyState::Stale), is_live, "{report:?}");
            if let (KeyState::Fresh, Some(age)) = (report.state, report.age) {
                assert!(age < policy.soft_ttl_max.into(), "fresh at the age of {age}");
            }
        }
    }

    /// Checks that after the issuers respond again, all keys are fresh within a bounded time.
    fn recovers(&mut self) {
        let policy = self.model.policy;
        let set = self.bench.set(Published::Both).to_owned();
        for _ in 0..policy.retry_max + policy.fetch_deadline + policy.soft_ttl_max + 2 {
            self.clock += 1;
            self.model.tick(self.clock);
            for fetch in self.bench.verifier.maintain(self.clock) {
                let response = Response { body: Some(set.as_bytes()), max_age: None, etag: None };
                let (url, now) = (&fetch.url, self.clock);
                let result = self.bench.verifier.fetched(now, url, None, LogicalTime(self.acts), now, Ok(response));
                assert_eq!(result, Ok(()));
            }
        }
        for endpoint in 0..ENDPOINTS {
            let report = self.report(endpoint);
            assert_eq!((report.state, report.failures, report.last_error), (KeyState::Fresh, 0, None), "{report:?}");
            let step = self.bench.verifier.verify(self.clock, self.bench.token(endpoint, 0));
            assert!(matches!(step, Step::Done(Ok(_))), "{step:?}");
        }
    }
}

#[test]
fn under_random_schedules_the_invariants_hold_after_every_action() {
    let from_environment = Settings::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { from_environment.cases } else { CASES };
    let settings =
        Settings { cases, rng_seed: RngSeed::Fixed(0x6b65_7973), failure_persistence: None, ..from_environment };
    let (verified, fetches) = (Cell::new(0_usize), Cell::new(0_usize));
    let schedules = (policy(), prop::collection::vec(act(), 1..STEPS));
    let outcome = TestRunner::new(settings).run(&schedules, |(policy, acts)| {
        let mut run = Run::new(policy);
        for act in &acts {
            run.act(act);
        }
        verified.set(verified.get() + run.model.endpoints.iter().filter(|endpoint| endpoint.key_set.is_some()).count());
        fetches.set(
            fetches.get()
                + run.model.endpoints.iter().map(|endpoint| endpoint.unknown_kid_fetches.len()).sum::<usize>(),
        );
        run.recovers();
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(verified.get() > cases as usize / 2, "too few schedules load keys: {}", verified.get());
    assert!(fetches.get() > cases as usize / 2, "too few schedules fetch unknown kids: {}", fetches.get());
}

#[test]
fn the_failure_of_one_issuer_does_not_affect_another() {
    let mut bench = Bench::new(2, hour_long());
    let mut now = Bench::BEGIN;
    for fetch in bench.verifier.maintain(now) {
        let body = Some(bench.set(Published::First).as_bytes());
        let response = Response { body, max_age: None, etag: None };
        bench
            .verifier
            .fetched(now, &fetch.url, fetch.key_id.as_deref(), LogicalTime(1), now, Ok(response))
            .expect("the keys are accepted");
    }
    // The endpoint of the first issuer fails for a day, and tokens with unknown key IDs of this issuer arrive all the time.
    for _ in 0..86_500 / 50 {
        now += 50;
        for fetch in bench.verifier.maintain(now) {
            let body = Some(bench.set(Published::First).as_bytes());
            let outcome = match fetch.url == bench.url(0) {
                true => Err(FetchError::Unreachable),
                false => Ok(Response { body, max_age: None, etag: None }),
            };
            let (url, key_id) = (&fetch.url, fetch.key_id.as_deref());
            bench.verifier.fetched(now, url, key_id, LogicalTime(now), now, outcome).expect("a known URL");
        }
        let _ = bench.verifier.verify(now, bench.unknown_kid(0, 1));
        let step = bench.verifier.verify(now, bench.token(1, 0));
        assert!(matches!(step, Step::Done(Ok(_))), "{step:?}");
    }
    let states = bench.verifier.key_reports(now).into_iter().map(|report| report.state);
    assert_eq!(states.collect::<Vec<_>>(), [KeyState::Expired, KeyState::Fresh]);
}
