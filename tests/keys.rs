//! The life of keys in the core, as a deterministic state machine: each clause of the policy by example, and all of them
//! under random schedules.

#[path = "keys/late.rs"]
mod late;
#[path = "keys/pools.rs"]
mod pools;
#[path = "keys/schedule.rs"]
mod schedule;

use poolgate_core::{
    Algorithm, CacheLimits, Config, Fetch, FetchError, KeyError, KeyOrigin, KeyPolicy, KeyRefreshError, KeyReport,
    KeySetError, KeyState, Limits, LogicalTime, Pool, Reason, Response, Step, Verifier,
};
use poolgate_tests::{
    corpus::pool,
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
};
use pools::{Bench, Published, hour_long};
use std::collections::HashMap;

const BEGIN: u64 = Bench::BEGIN;

/// One issuer, its keys, and the time.
struct One {
    bench: Bench,
    now: u64,
    last_tick: u64,
    /// When the last fetch began.
    started_at: LogicalTime,
    /// When the tokens came for whose keys a fetch was begun.
    received_at: HashMap<String, LogicalTime>,
}

impl One {
    fn new(policy: KeyPolicy) -> Self {
        let bench = Bench::new(1, policy);
        Self { bench, now: BEGIN, last_tick: 0, started_at: LogicalTime::UNKNOWN, received_at: HashMap::new() }
    }

    /// With both keys, fetched at the beginning.
    fn with_keys(policy: KeyPolicy) -> Self {
        let mut one = Self::new(policy);
        assert_eq!(one.due().len(), 1);
        one.brings(Published::Both).expect("the keys are good");
        one
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now += seconds;
        self
    }

    fn tick(&mut self) -> LogicalTime {
        self.last_tick += 1;
        LogicalTime(self.last_tick)
    }

    fn due(&mut self) -> Vec<Fetch> {
        let fetches = self.bench.verifier.maintain(self.now);
        if !fetches.is_empty() {
            self.started_at = self.tick();
        }
        fetches
    }

    fn ends(&mut self, outcome: Result<Response<'_>, FetchError>) -> Result<(), KeySetError> {
        let url = self.bench.url(0).to_owned();
        self.bench.verifier.fetched(self.now, &url, None, self.started_at, self.now, outcome)
    }

    fn brings(&mut self, published: Published) -> Result<(), KeySetError> {
        let body = Some(self.bench.set(published).as_bytes());
        self.ends(Ok(Response { body, max_age: None, etag: None }))
    }

    fn brings_text(&mut self, body: &str) -> Result<(), KeySetError> {
        self.ends(Ok(Response { body: Some(body.as_bytes()), max_age: None, etag: None }))
    }

    fn fails(&mut self) {
        self.ends(Err(FetchError::Unreachable)).expect("a known URL");
    }

    fn verify(&mut self, key: usize) -> Step {
        self.comes(self.bench.token(0, key))
    }

    fn stranger(&mut self, number: u8) -> Step {
        self.comes(self.bench.stranger(0, number))
    }

    fn comes(&mut self, token: &str) -> Step {
        let received_at = self.tick();
        let step = self.bench.verifier.verify(self.now, token);
        if let Step::NeedsKeys(_) = step {
            self.received_at.insert(token.to_owned(), received_at);
            self.started_at = self.tick();
        }
        step
    }

    /// After the fetch that it has begun.
    fn stranger_again(&mut self, number: u8) -> Reason {
        let token = self.bench.stranger(0, number);
        refusal(self.bench.verifier.verify_after_fetch(self.now, token, self.received_at[token]))
    }

    fn report(&mut self) -> KeyReport {
        self.bench.verifier.key_reports(self.now).remove(0)
    }
}

fn is_verified(step: &Step) -> bool {
    matches!(step, Step::Done(Ok(_)))
}

fn refusal(step: Step) -> Reason {
    match step {
        Step::Done(Err(reason)) => reason,
        step => panic!("not refused: {step:?}"),
    }
}

#[test]
fn max_age_makes_the_soft_lifetime_within_the_bounds() {
    for (max_age, soft_ttl) in [
        (None, 3_600),
        (Some(0), 300),
        (Some(299), 300),
        (Some(1_000), 1_000),
        (Some(86_400), 3_600),
        (Some(u64::MAX), 3_600),
    ] {
        for jitter_seed in 0..20 {
            let mut one = One::new(KeyPolicy { jitter_seed, ..hour_long() });
            one.due();
            let body = Some(one.bench.set(Published::Both).as_bytes());
            one.ends(Ok(Response { body, max_age, etag: None })).expect("the keys are good");
            let refresh_in = one.report().refresh_in.expect("it is fetched");
            assert!((soft_ttl - soft_ttl / 10..=soft_ttl).contains(&refresh_in), "{max_age:?}: {refresh_in}");
            assert!(one.after(refresh_in - 1).due().is_empty(), "{max_age:?}: a second early");
            assert_eq!(one.after(1).due().len(), 1, "{max_age:?}: it is time");
        }
    }
}

#[test]
fn past_the_soft_lifetime_keys_serve_and_say_that_they_are_stale_until_the_hard_one_ends() {
    let mut one = One::with_keys(hour_long());
    let stale = |step: Step| match step {
        Step::Done(Ok(verified)) => verified.keys_are_stale,
        step => panic!("not verified: {step:?}"),
    };
    assert!(!stale(one.verify(0)));
    assert!(stale(one.after(3_600).verify(0)));
    assert_eq!(one.report().state, KeyState::Stale);
    assert!(stale(one.after(86_400 - 3_600 - 1).verify(0)), "a second before the end");
    assert!(matches!(one.after(1).verify(0), Step::NeedsKeys(_)), "the end");
    one.fails();
    assert_eq!(refusal(one.verify(0)), Reason::KeysUnavailable);
    assert_eq!(one.report().state, KeyState::Expired);
    one.brings(Published::Both).expect("the keys are good");
    assert!(is_verified(&one.verify(0)));
}

#[test]
fn not_modified_renews_both_lifetimes_and_means_nothing_without_keys() {
    let mut one = One::new(hour_long());
    assert_eq!(one.due()[0].etag, None);
    assert_eq!(
        one.ends(Ok(Response { body: None, max_age: None, etag: None })),
        Err(KeySetError::NotModifiedWithoutKeys)
    );
    assert_eq!(one.report().last_error, Some(KeyRefreshError::KeySet(KeySetError::NotModifiedWithoutKeys)));
    let body = Some(one.bench.set(Published::Both).as_bytes());
    one.ends(Ok(Response { body, max_age: None, etag: Some("\"a\"") })).expect("the keys are good");
    for _ in 0..100 {
        let fetch = one.after(3_600).due().remove(0);
        assert_eq!(fetch.etag.as_deref(), Some("\"a\""));
        one.ends(Ok(Response { body: None, max_age: None, etag: None })).expect("they are as they were");
        let report = one.report();
        assert_eq!((report.state, report.age, report.generation), (KeyState::Fresh, Some(0), 1));
        assert!(is_verified(&one.verify(1)));
    }
}

#[test]
fn an_etag_over_256_bytes_is_not_kept() {
    for (length, is_kept) in [(256, true), (257, false)] {
        let mut one = One::new(hour_long());
        one.due();
        let (body, etag) = (Some(one.bench.set(Published::Both).as_bytes()), "e".repeat(length));
        one.ends(Ok(Response { body, max_age: None, etag: Some(&etag) })).expect("the keys are good");
        assert_eq!(one.after(3_600).due()[0].etag.is_some(), is_kept, "{length}");
    }
}

#[test]
fn retries_back_off_twofold_and_begin_anew_after_a_success() {
    let mut one = One::new(hour_long());
    for round in 0..2 {
        for full in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            one.fails();
            let waited = (1..=full).find(|_| one.after(1).due().len() == 1);
            let waited = waited.unwrap_or_else(|| panic!("round {round}: no try after {full} seconds"));
            assert!(waited * 2 >= full, "round {round}: a try after {waited} of {full} seconds");
        }
        one.brings(Published::Both).expect("the keys are good");
        assert_eq!((one.report().failures, one.report().last_error), (0, None));
        assert_eq!(one.after(86_400).due().len(), 1);
    }
}

#[test]
fn a_fetch_past_its_deadline_has_failed_and_its_late_answer_is_taken() {
    let mut one = One::new(hour_long());
    assert_eq!(one.due().len(), 1);
    assert!(one.after(29).due().is_empty(), "it is under way");
    assert!(matches!(one.verify(0), Step::PendingFetch(_)));
    assert!(one.after(1).due().is_empty(), "it has failed just now");
    let report = one.report();
    assert_eq!((report.failures, report.last_error), (1, Some(KeyRefreshError::Fetch(FetchError::TimedOut))));
    one.brings(Published::Both).expect("better late than never");
    assert!(is_verified(&one.verify(0)));
    assert_eq!(one.report().failures, 0);
}

#[test]
fn an_unknown_kid_makes_one_fetch_and_is_remembered_for_a_minute() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(100).stranger(0), Step::NeedsKeys(_)));
    assert!(matches!(one.stranger(0), Step::PendingFetch(_)), "it is under way");
    assert!(matches!(one.stranger(1), Step::PendingFetch(_)), "for others, too");
    assert!(is_verified(&one.verify(0)), "a known key does not wait");
    one.brings(Published::Both).expect("the same keys");
    assert_eq!(one.stranger_again(0), Reason::KeyUnknown);
    assert_eq!(refusal(one.stranger(0)), Reason::KeyUnknownCached);
    assert_eq!(refusal(one.after(59).stranger(0)), Reason::KeyUnknownCached);
    assert!(matches!(one.after(1).stranger(0), Step::NeedsKeys(_)), "a minute is over");
}

#[test]
fn a_new_key_is_found_by_the_fetch_that_its_first_token_makes() {
    let mut one = One::new(hour_long());
    one.due();
    one.brings(Published::First).expect("the keys are good");
    assert!(matches!(one.verify(1), Step::NeedsKeys(_)), "at once, however young the keys are");
    one.brings(Published::Both).expect("the keys are good");
    assert!(is_verified(&one.verify(1)));
    assert_eq!(one.report().generation, 2);
}

#[test]
fn the_bucket_gives_five_fetches_and_one_more_every_ten_seconds() {
    let mut one = One::with_keys(hour_long());
    one.now += 100;
    let mut strangers = (0_u8..).map(|number| number % 30);
    let mut ask = |one: &mut One| match one.stranger(strangers.next().expect("endless")) {
        Step::NeedsKeys(_) => {
            one.brings(Published::Both).expect("the same keys");
            true
        }
        step => {
            assert_eq!(refusal(step), Reason::KeyUnknownLimited);
            false
        }
    };
    assert_eq!((0..8).filter(|_| ask(&mut one)).count(), 5);
    one.now += 9;
    assert!(!ask(&mut one));
    one.now += 1;
    assert_eq!((0..8).filter(|_| ask(&mut one)).count(), 1);
    assert!(is_verified(&one.verify(0)) && is_verified(&one.verify(1)));
}

#[test]
fn while_the_issuer_fails_unknown_kids_get_503_and_known_ones_go_on() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(100).stranger(0), Step::NeedsKeys(_)));
    one.fails();
    assert_eq!(one.stranger_again(0), Reason::KeysUnavailable, "nobody knows which keys there are");
    assert_eq!(refusal(one.stranger(1)), Reason::KeysUnavailable);
    assert!(is_verified(&one.verify(0)));
}

#[test]
fn a_policy_of_no_fetches_for_unknown_kids_makes_none() {
    let mut one = One::with_keys(KeyPolicy { unknown_key_fetches: 0, ..hour_long() });
    assert_eq!(refusal(one.after(100).stranger(0)), Reason::KeyUnknown);
}

#[test]
fn a_removed_key_stops_at_once_and_a_set_without_keys_removes_none() {
    let mut one = One::with_keys(hour_long());
    one.after(3_600).due();
    one.brings(Published::Second).expect("the keys are good");
    assert!(is_verified(&one.verify(1)));
    assert!(matches!(one.verify(0), Step::NeedsKeys(_)), "it is as unknown as any");
    let unusable = jwks(&[{
        let mut key = RSA_2048.jwk_for(Algorithm::Rs256, "first");
        key["use"] = "enc".into();
        key
    }]);
    for text in ["{\"keys\":[]}", unusable.as_str()] {
        assert_eq!(one.brings_text(text), Err(KeySetError::NoUsableKey));
        assert!(is_verified(&one.verify(1)));
        assert_eq!(one.report().last_error, Some(KeyRefreshError::KeySet(KeySetError::NoUsableKey)));
    }
}

#[test]
fn bad_keys_are_skipped_and_counted_and_long_kids_are_refused() {
    let mut one = One::new(hour_long());
    one.due();
    let good = RSA_2048.jwk_for(Algorithm::Rs256, "first");
    let mut symmetric = good.clone();
    symmetric["kty"] = "oct".into();
    symmetric["kid"] = "shared".into();
    let long = OTHER_RSA_2048.jwk_for(Algorithm::Rs256, &"k".repeat(257));
    one.brings_text(&jwks(&[symmetric, long, good])).expect("one of them is good");
    let report = one.report();
    assert_eq!(report.key_ids.iter().map(|key_id| &**key_id).collect::<Vec<_>>(), ["first"]);
    let faults: Vec<_> = report.skipped.iter().map(|skipped| (skipped.index, skipped.error)).collect();
    assert_eq!(faults, [(0, KeyError::Symmetric), (1, KeyError::KeyIdTooLong)]);
    assert!(is_verified(&one.verify(0)));
}

#[test]
fn every_bad_set_leaves_the_keys_and_is_reported() {
    let many: Vec<_> = (0..101).map(|n| RSA_2048.jwk_for(Algorithm::Rs256, &format!("{n}"))).collect();
    for (text, fault) in [
        ("".to_owned(), KeySetError::Malformed),
        ("{\"keys\":{}}".to_owned(), KeySetError::Malformed),
        ("{\"keys\":[],\"keys\":[]}".to_owned(), KeySetError::DuplicateMember),
        (format!("{{\"keys\":[{}]}}", " ".repeat(256 * 1024)), KeySetError::TooLarge),
        (jwks(&many), KeySetError::TooManyKeys),
    ] {
        let mut one = One::with_keys(hour_long());
        one.after(3_600).due();
        assert_eq!(one.brings_text(&text), Err(fault));
        let report = one.report();
        assert_eq!((report.failures, report.last_error), (1, Some(KeyRefreshError::KeySet(fault))));
        assert!(is_verified(&one.verify(0)) && is_verified(&one.verify(1)), "{fault:?}");
    }
}

#[test]
fn a_clock_that_steps_back_or_far_ahead_does_no_harm() {
    let mut one = One::with_keys(hour_long());
    one.now -= 1_000_000;
    assert!(is_verified(&one.verify(0)), "eleven days back");
    assert_eq!(one.report().age, Some(0));
    assert_eq!(one.after(3_600).due().len(), 1, "an hour is an hour, wherever it lies");
    one.brings(Published::Both).expect("the keys are good");

    one.now += 3_000_000_000;
    assert!(matches!(one.verify(0), Step::NeedsKeys(_)), "a century ahead: older than the hard lifetime");
    one.brings(Published::Both).expect("the keys are good");
    assert!(is_verified(&one.verify(0)));
    one.now -= 3_000_000_000;
    assert!(is_verified(&one.verify(0)), "and back again");
    assert_eq!(one.report().age, Some(0), "keys fetched in the future are not trusted for a century");
    assert_eq!(one.after(3_600).due().len(), 1);
    one.fails();
    assert!(one.after(86_400 - 3_600).due().len() == 1 && !is_verified(&one.verify(0)), "nor for more than a day");
}

#[test]
fn a_clock_that_was_at_the_end_of_time_for_a_moment_leaves_the_keys_fetched_after_it_good() {
    let mut one = One::with_keys(hour_long());
    for _ in 0..3 {
        let now = std::mem::replace(&mut one.now, u64::MAX);
        assert!(!is_verified(&one.verify(0)), "the token has expired");
        one.now = now + 100;
        assert!(
            matches!(one.verify(0), Step::NeedsKeys(_)),
            "the keys are older than the hard lifetime, as far as anyone knows"
        );
        one.brings(Published::Both).expect("the keys are good");
        assert!(is_verified(&one.verify(0)) && is_verified(&one.after(3_000).verify(0)));
        one.now = now + 200;
    }
}

#[test]
fn a_seed_is_as_old_as_it_is() {
    for (age, expected) in [
        (0, Ok(KeyState::Fresh)),
        (3_599 - 360, Ok(KeyState::Fresh)),
        (3_600, Ok(KeyState::Stale)),
        (86_399, Ok(KeyState::Stale)),
        (86_400, Err(KeySetError::TooOld)),
        (BEGIN, Err(KeySetError::TooOld)),
    ] {
        let mut one = One::new(hour_long());
        let (issuer, body) = (one.bench.issuer(0), one.bench.set(Published::Both).as_bytes());
        let seeded = one.bench.verifier.load_key_set(BEGIN, &issuer, body, BEGIN - age);
        assert_eq!(seeded.map(|report| report.state), expected, "{age}");
        assert_eq!(is_verified(&one.verify(0)), expected.is_ok(), "{age}");
        if expected.is_ok() {
            assert_eq!(one.report().age, Some(age));
            one.now += 86_400 - age;
            assert!(!is_verified(&one.verify(0)), "{age}: its day is over");
        }
    }
}

#[test]
fn a_seed_from_the_future_is_of_now_and_one_older_than_what_is_held_is_refused() {
    let mut one = One::new(hour_long());
    let (issuer, both) = (one.bench.issuer(0), one.bench.set(Published::Both).as_bytes());
    let report = one.bench.verifier.load_key_set(BEGIN, &issuer, both, u64::MAX).expect("the keys are good");
    assert_eq!(report.age, Some(0));
    let older = one.bench.verifier.load_key_set(BEGIN, &issuer, both, BEGIN - 1);
    assert_eq!(older.err(), Some(KeySetError::OlderThanCurrent));
    let elsewhere = one.bench.verifier.load_key_set(BEGIN, "https://example.org", both, BEGIN);
    assert_eq!(elsewhere.err(), Some(KeySetError::UnknownIssuer));
    assert!(is_verified(&one.after(1).verify(0)));
    assert_eq!(one.after(3_600).due().len(), 1, "a seeded place is refreshed as any");
}

#[test]
fn the_second_issuer_form_of_a_user_pool_is_fetched_when_a_token_needs_it() {
    let config = Config {
        pools: vec![Pool { keys: KeyOrigin::Derived, ..pool() }],
        limits: Limits::default(),
        key_policy: hour_long(),
        cache: CacheLimits::default(),
    };
    let mut verifier = Verifier::new(config).expect("a good configuration");
    let urls = |fetches: Vec<Fetch>| fetches.into_iter().map(|fetch| fetch.url).collect::<Vec<_>>();
    let [first, second] = ["cognito-idp", "issuer-cognito-idp"]
        .map(|host| format!("https://{host}.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01/.well-known/jwks.json"));
    let now = poolgate_tests::minting::NOW;
    assert_eq!(urls(verifier.maintain(now)), [first]);
    let report = verifier.key_reports(now).remove(1);
    assert_eq!((report.is_on_demand, report.refresh_in), (true, None));
    let draft = poolgate_tests::minting::Draft::access(&RSA_2048);
    let token =
        draft.claim("iss", "\"https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01\"").compact();
    match verifier.verify(now, &token) {
        Step::NeedsKeys(fetch) => assert_eq!(fetch.url, second),
        step => panic!("{step:?}"),
    }
    verifier.fetched(now, &second, None, LogicalTime(1), now, Err(FetchError::BadStatus)).expect("a known URL");
    assert!(verifier.maintain(now + 20).is_empty(), "nobody has asked again, and the first is under way");
    let set = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, poolgate_tests::minting::KEY_ID)]);
    let response = Response { body: Some(set.as_bytes()), max_age: None, etag: None };
    verifier.fetched(now + 20, &second, None, LogicalTime(2), now + 20, Ok(response)).expect("the keys are good");
    assert!(urls(verifier.maintain(now + 3_620)).contains(&second), "keys that are in use are refreshed");
}

#[test]
fn a_policy_out_of_its_bounds_is_refused() {
    let with = |change: &dyn Fn(&mut KeyPolicy)| {
        let mut key_policy = hour_long();
        change(&mut key_policy);
        Verifier::new(Config { pools: vec![pool()], limits: Limits::default(), key_policy, cache: CacheLimits::NONE })
            .is_ok()
    };
    assert!(with(&|_| {}));
    assert!(with(&|policy| policy.hard_ttl = u32::MAX));
    assert!(!with(&|policy| policy.soft_ttl_min = 0));
    assert!(!with(&|policy| policy.soft_ttl = 3_601));
    assert!(!with(&|policy| policy.soft_ttl = 299));
    assert!(!with(&|policy| policy.hard_ttl = 3_599));
    assert!(!with(&|policy| policy.retry_min = 0));
    assert!(!with(&|policy| policy.retry_min = 61));
    assert!(!with(&|policy| policy.fetch_deadline = 0));
    assert!(!with(&|policy| policy.unknown_key_interval = 0));
    assert!(!with(&|policy| policy.unknown_key_entries = 65_537));
    assert!(!with(&|policy| policy.unknown_key_fetches = 1_001));
}
