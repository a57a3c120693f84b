//! Random schedules of time, tokens, fetch results and faults, and what must hold after every step.

use super::pools::{Bench, Published, hour_long};
use poolgate_core::{FetchError, KeyPolicy, KeyReport, KeyState, LogicalTime, Reason, Response, Step};
use proptest::{
    prelude::*,
    test_runner::{Config as Settings, RngSeed, TestRunner},
};
use std::{cell::Cell, collections::HashMap};

/// How many schedules are tried unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 400;
const STEPS: usize = 120;
const PLACES: usize = 2;

/// What happens next.
#[derive(Clone, Debug)]
enum Act {
    Advance(u64),
    StepBack(u64),
    Verify {
        place: usize,
        kid: Kid,
    },
    /// A token that came so many acts ago.
    VerifyAgain {
        place: usize,
        kid: Kid,
        came: u64,
    },
    /// Of a fetch that began so many acts ago.
    End {
        place: usize,
        lag: u64,
        began: u64,
        asked_for: Option<Kid>,
        outcome: Outcome,
    },
    Maintain,
    Seed {
        place: usize,
        published: Published,
        age: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kid {
    First,
    Second,
    Stranger(u8),
}

impl Kid {
    fn name(self) -> String {
        match self {
            Kid::First => "first".into(),
            Kid::Second => "second".into(),
            Kid::Stranger(number) => format!("stranger {number}"),
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
    let place = || 0..PLACES;
    let published = || prop_oneof![Just(Published::First), Just(Published::Second), Just(Published::Both)];
    let kid = || prop_oneof![3 => Just(Kid::First), 2 => Just(Kid::Second), 3 => (0..20_u8).prop_map(Kid::Stranger)];
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
        8 => (place(), kid()).prop_map(|(place, kid)| Act::Verify { place, kid }),
        3 => (place(), kid(), 0..8_u64).prop_map(|(place, kid, came)| Act::VerifyAgain { place, kid, came }),
        6 => (place(), prop_oneof![4 => Just(0), 1 => 0..20_u64], 0..8_u64, prop::option::of(kid()), outcome)
            .prop_map(|(place, lag, began, asked_for, outcome)| Act::End { place, lag, began, asked_for, outcome }),
        5 => Just(Act::Maintain),
        1 => (place(), published(), prop_oneof![0..1_000_u64, Just(10_000_000)])
            .prop_map(|(place, published, age)| Act::Seed { place, published, age }),
    ]
}

/// What must be true, kept apart from the code that makes it true.
struct Model {
    policy: KeyPolicy,
    /// The last that the verifier saw of the clock, and the sum of its steps forward.
    seen: u64,
    line: u64,
    places: [Place; PLACES],
}

#[derive(Default)]
struct Place {
    held: Option<(Published, u64)>,
    flight: Option<(u64, u64)>,
    not_before: u64,
    unknown_asks: Vec<u64>,
    /// When it began, and what it showed: of each fetch that did.
    shown: Vec<(u64, Published)>,
    /// When a fetch last showed that there is no such key.
    looked_for: HashMap<Kid, u64>,
    generation: u64,
}

impl Model {
    /// Far from zero, so that ages fit before it.
    const START: u64 = 1 << 33;

    fn tick(&mut self, clock: u64) {
        self.line += clock.saturating_sub(self.seen);
        self.seen = clock;
    }

    /// The keys that verify now.
    fn live(&self, place: usize) -> Option<Published> {
        let (published, obtained) = self.places[place].held?;
        (self.line - obtained < u64::from(self.policy.hard_ttl)).then_some(published)
    }

    fn fetch_begins(&mut self, place: usize) {
        let (line, deadline) = (self.line, self.line + u64::from(self.policy.fetch_deadline));
        let place = &mut self.places[place];
        if let Some((_, deadline)) = place.flight {
            assert!(line >= deadline, "a second fetch is asked for while one is under way");
        }
        assert!(line >= place.not_before, "a fetch within the wait after a failure");
        place.flight = Some((line, deadline));
    }

    /// The bucket never gives more than it holds, and one an interval, in any stretch of time.
    fn unknown_kid_asks(&mut self, place: usize) {
        let (line, policy) = (self.line, self.policy);
        let asks = &mut self.places[place].unknown_asks;
        asks.push(line);
        for (earlier, begun) in asks.iter().enumerate() {
            let (made, since) = (asks.len() - earlier, line - begun);
            let allowed = u64::from(policy.unknown_key_fetches) + since / u64::from(policy.unknown_key_interval) + 1;
            assert!(made as u64 <= allowed, "{made} fetches for unknown kids in {since} seconds");
            if since == 0 {
                assert!(made as u64 <= u64::from(policy.unknown_key_fetches), "more at once than the bucket holds");
            }
        }
    }

    /// The keys are as of this moment of the line.
    fn take(&mut self, place: usize, published: Published, obtained: u64) {
        let place = &mut self.places[place];
        if place.held.is_none_or(|(_, earlier)| earlier <= obtained) {
            place.generation += u64::from(place.held.is_none_or(|(earlier, _)| earlier != published));
            place.held = Some((published, obtained));
        }
    }
}

struct Run {
    bench: Bench,
    model: Model,
    clock: u64,
    /// Goes up with each act.
    acts: u64,
}

impl Run {
    fn new(policy: KeyPolicy) -> Self {
        let (mut bench, clock) = (Bench::new(PLACES, policy), Bench::BEGIN);
        bench.verifier.key_reports(clock);
        Self {
            bench,
            clock,
            acts: 100,
            model: Model { policy, seen: clock, line: Model::START, places: Default::default() },
        }
    }

    fn act(&mut self, act: &Act) {
        self.acts += 1;
        match act {
            // The year 9999 is the end of every token.
            Act::Advance(seconds) => self.clock = (self.clock + seconds).min(200_000_000_000),
            Act::StepBack(seconds) => self.clock = self.clock.saturating_sub(*seconds).max(10_000_000),
            Act::Verify { place, kid } => self.verify(*place, *kid),
            Act::VerifyAgain { place, kid, came } => self.verify_after_fetch(*place, *kid, self.acts - came),
            Act::End { place, lag, began, asked_for, outcome } => {
                self.end(*place, (self.acts - began, *lag), *asked_for, outcome);
            }
            Act::Maintain => self.maintain(),
            Act::Seed { place, published, age } => self.seed(*place, *published, *age),
        }
        self.check();
    }

    fn is_known(&self, place: usize, kid: Kid) -> bool {
        self.model.live(place).is_some_and(|published| published.has(kid))
    }

    fn token(&self, place: usize, kid: Kid) -> &'static str {
        match kid {
            Kid::First => self.bench.token(place, 0),
            Kid::Second => self.bench.token(place, 1),
            Kid::Stranger(number) => self.bench.stranger(place, number),
        }
    }

    fn verify(&mut self, place: usize, kid: Kid) {
        self.model.tick(self.clock);
        let is_known = self.is_known(place, kid);
        let step = self.bench.verifier.verify(self.clock, self.token(place, kid));
        match step {
            Step::Done(Ok(_)) => assert!(is_known, "verified with a key that is past its hard lifetime, or gone"),
            _ if is_known => panic!("a token with a known key is refused or delayed: {step:?}"),
            Step::NeedsKeys(fetch) => {
                assert_eq!(fetch.url, self.bench.url(place));
                self.model.fetch_begins(place);
                if self.model.live(place).is_some() {
                    self.model.unknown_kid_asks(place);
                }
            }
            Step::PendingFetch(url) => {
                assert_eq!(url, self.bench.url(place));
                assert!(self.model.places[place].flight.is_some(), "nothing is under way");
            }
            Step::Done(Err(reason)) => self.check_refusal(place, kid, reason),
            Step::PendingRevocation(_) => panic!("nobody wants revocation asked about"),
        }
    }

    /// A fetch for a kid has ended.
    fn was_looked_for(&mut self, place: usize, kid: Kid, at: u64) {
        if !self.is_known(place, kid) {
            let looked_for = self.model.places[place].looked_for.entry(kid).or_insert(at);
            *looked_for = at.max(*looked_for);
        }
    }

    /// A key is unknown only if a fetch that began after its token came has ended without it.
    fn verify_after_fetch(&mut self, place: usize, kid: Kid, received_at: u64) {
        self.model.tick(self.clock);
        let is_known = self.is_known(place, kid);
        let shown = &self.model.places[place].shown;
        let is_proved = shown.iter().any(|(started_at, published)| *started_at > received_at && !published.has(kid));
        match self.bench.verifier.verify_after_fetch(self.clock, self.token(place, kid), LogicalTime(received_at)) {
            Step::Done(Ok(_)) => assert!(is_known, "verified with a key that is past its hard lifetime, or gone"),
            step if is_known => panic!("a token with a known key is refused or delayed: {step:?}"),
            Step::NeedsKeys(fetch) => {
                assert_eq!((&*fetch.url, fetch.key_id.as_deref()), (self.bench.url(place), Some(&*kid.name())));
                self.model.fetch_begins(place);
                self.model.unknown_kid_asks(place);
            }
            Step::PendingFetch(_) => assert!(self.model.places[place].flight.is_some(), "nothing is under way"),
            Step::Done(Err(reason)) => {
                if reason == Reason::KeyUnknown && is_proved {
                    self.was_looked_for(place, kid, self.model.line);
                } else if reason == Reason::KeyUnknown {
                    assert_eq!(self.model.policy.unknown_key_fetches, 0, "{kid:?} may be there by now");
                }
                self.check_refusal(place, kid, reason);
            }
            Step::PendingRevocation(_) => panic!("nobody wants revocation asked about"),
        }
    }

    fn check_refusal(&self, place: usize, kid: Kid, reason: Reason) {
        match reason {
            Reason::KeysUnavailable => {}
            Reason::KeyUnknown | Reason::KeyUnknownCached | Reason::KeyUnknownLimited => {
                assert!(self.model.live(place).is_some(), "401 where there are no keys: {reason:?}");
                if reason == Reason::KeyUnknownCached {
                    let age = self.model.places[place].looked_for.get(&kid).map(|at| self.model.line - at);
                    let ttl = u64::from(self.model.policy.unknown_key_ttl);
                    assert!(age.is_some_and(|age| age < ttl), "{kid:?} was looked for {age:?} seconds ago");
                }
            }
            other => panic!("refused for {other:?}"),
        }
    }

    fn maintain(&mut self) {
        self.model.tick(self.clock);
        for fetch in self.bench.verifier.maintain(self.clock) {
            let place = (0..PLACES).find(|place| self.bench.url(*place) == fetch.url).expect("a known URL");
            self.model.fetch_begins(place);
        }
    }

    fn end(&mut self, place: usize, (started_at, lag): (u64, u64), asked_for: Option<Kid>, outcome: &Outcome) {
        self.model.tick(self.clock);
        let obtained = self.model.line - lag;
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
        let url = self.bench.url(place).to_owned();
        let before = self.report(place).failures;
        let kid = asked_for.map(Kid::name);
        let (kid, ended_at) = (kid.as_deref(), self.clock - lag);
        let taken = self.bench.verifier.fetched(self.clock, &url, kid, LogicalTime(started_at), ended_at, response);
        self.model.places[place].flight = None;
        match (outcome, self.model.places[place].held) {
            (Outcome::Keys { published, .. }, _) => self.model.take(place, *published, obtained),
            (Outcome::NotModified, Some((held, _))) => self.model.take(place, held, obtained),
            _ => assert!(taken.is_err() || matches!(outcome, Outcome::Fault(_)), "{outcome:?} was taken"),
        }
        if let (Ok(()), Outcome::Keys { .. } | Outcome::NotModified) = (taken, outcome) {
            let shown = self.model.places[place].held.map(|(published, _)| (started_at, published));
            self.model.places[place].shown.extend(shown);
            asked_for.into_iter().for_each(|kid| self.was_looked_for(place, kid, obtained));
        }
        let failures = self.report(place).failures;
        self.model.places[place].not_before = match failures {
            0 => 0,
            // An old story, told late, is no failure.
            same if same == before => self.model.places[place].not_before,
            failures => {
                let doubled = u64::from(self.model.policy.retry_min) << (failures - 1).min(20);
                obtained + doubled.min(self.model.policy.retry_max.into()).div_ceil(2)
            }
        };
    }

    fn seed(&mut self, place: usize, published: Published, age: u64) {
        self.model.tick(self.clock);
        let obtained = self.model.line - age;
        let body = self.bench.set(published).as_bytes();
        let taken = self.bench.verifier.load_key_set(
            self.clock,
            &self.bench.issuer(place),
            body,
            self.clock.saturating_sub(age),
        );
        if taken.is_ok() {
            assert!(age < self.model.policy.hard_ttl.into(), "a seed past its hard lifetime was taken");
            self.model.take(place, published, obtained);
            // Who can't wait in an import may bring what it fetched this way.
            let place = &mut self.model.places[place];
            if place.flight.is_some_and(|(began, _)| began <= obtained) {
                (place.flight, place.not_before) = (None, 0);
            }
        }
    }

    fn report(&mut self, place: usize) -> KeyReport {
        self.bench.verifier.key_reports(self.clock).swap_remove(place)
    }

    /// What holds after every step.
    fn check(&mut self) {
        self.model.tick(self.clock);
        let policy = self.model.policy;
        let remembered = self.bench.verifier.negative_cache_len();
        assert!(remembered <= policy.unknown_key_entries as usize, "{remembered} unknown kids are remembered");
        for place in 0..PLACES {
            let report = self.report(place);
            let model = &self.model.places[place];
            assert_eq!(report.generation, model.generation, "the generation changes with the keys");
            assert!(report.key_ids.len() + report.skipped.len() <= 2, "keys of two sets at once");
            assert_eq!(report.age, model.held.map(|(_, obtained)| self.model.line - obtained));
            let is_live = self.model.live(place).is_some();
            assert_eq!(matches!(report.state, KeyState::Fresh | KeyState::Stale), is_live, "{report:?}");
            if let (KeyState::Fresh, Some(age)) = (report.state, report.age) {
                assert!(age < policy.soft_ttl_max.into(), "fresh at the age of {age}");
            }
        }
    }

    /// However bad it was: when the issuers answer again, everything is well again in bounded time.
    fn recovers(&mut self) {
        let policy = self.model.policy;
        let set = self.bench.set(Published::Both).to_owned();
        for _ in 0..policy.retry_max + policy.fetch_deadline + policy.soft_ttl_max + 2 {
            self.clock += 1;
            self.model.tick(self.clock);
            for fetch in self.bench.verifier.maintain(self.clock) {
                let response = Response { body: Some(set.as_bytes()), max_age: None, etag: None };
                let (url, now) = (&fetch.url, self.clock);
                let taken = self.bench.verifier.fetched(now, url, None, LogicalTime(self.acts), now, Ok(response));
                assert_eq!(taken, Ok(()));
            }
        }
        for place in 0..PLACES {
            let report = self.report(place);
            assert_eq!((report.state, report.failures, report.last_error), (KeyState::Fresh, 0, None), "{report:?}");
            let step = self.bench.verifier.verify(self.clock, self.bench.token(place, 0));
            assert!(matches!(step, Step::Done(Ok(_))), "{step:?}");
        }
    }
}

#[test]
fn under_random_schedules_the_promises_hold_after_every_step() {
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
        verified.set(verified.get() + run.model.places.iter().filter(|place| place.held.is_some()).count());
        fetches.set(fetches.get() + run.model.places.iter().map(|place| place.unknown_asks.len()).sum::<usize>());
        run.recovers();
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(verified.get() > cases as usize / 2, "hardly a schedule brings keys: {}", verified.get());
    assert!(fetches.get() > cases as usize / 2, "hardly a schedule asks for unknown kids: {}", fetches.get());
}

#[test]
fn one_issuers_trouble_is_not_anothers() {
    let mut bench = Bench::new(2, hour_long());
    let mut now = Bench::BEGIN;
    for fetch in bench.verifier.maintain(now) {
        let body = Some(bench.set(Published::First).as_bytes());
        let response = Response { body, max_age: None, etag: None };
        bench
            .verifier
            .fetched(now, &fetch.url, fetch.key_id.as_deref(), LogicalTime(1), now, Ok(response))
            .expect("the keys are taken");
    }
    // The first one's endpoint is down for a day, and strangers knock at its door all the time.
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
        let _ = bench.verifier.verify(now, bench.stranger(0, 1));
        let step = bench.verifier.verify(now, bench.token(1, 0));
        assert!(matches!(step, Step::Done(Ok(_))), "{step:?}");
    }
    let states = bench.verifier.key_reports(now).into_iter().map(|report| report.state);
    assert_eq!(states.collect::<Vec<_>>(), [KeyState::Expired, KeyState::Fresh]);
}
