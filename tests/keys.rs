//! Key caching and rotation in the core, as a deterministic state machine: an example for each rule of the key policy, and all rules under
//! random schedules.

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
    minting::Draft,
};
use pools::{Bench, Published, hour_long};
use std::collections::HashMap;

const BEGIN: u64 = Bench::BEGIN;

/// A verifier with one issuer, and the current time.
struct One {
    bench: Bench,
    now: u64,
    last_tick: u64,
    /// When the last fetch started.
    started_at: LogicalTime,
    /// When the tokens arrived for which a fetch was started.
    received_at: HashMap<String, LogicalTime>,
}

impl One {
    fn new(policy: KeyPolicy) -> Self {
        let bench = Bench::new(1, policy);
        Self { bench, now: BEGIN, last_tick: 0, started_at: LogicalTime::UNKNOWN, received_at: HashMap::new() }
    }

    /// Creates a verifier that has fetched both keys at the start.
    fn with_keys(policy: KeyPolicy) -> Self {
        let mut one = Self::new(policy);
        assert_eq!(one.due().len(), 1);
        one.fetches(Published::Both).expect("the keys are valid");
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

    fn completes(&mut self, outcome: Result<Response<'_>, FetchError>) -> Result<(), KeySetError> {
        let url = self.bench.url(0).to_owned();
        self.bench.verifier.fetched(self.now, &url, None, self.started_at, self.now, outcome)
    }

    fn fetches(&mut self, published: Published) -> Result<(), KeySetError> {
        let body = Some(self.bench.set(published).as_bytes());
        self.completes(Ok(Response { body, max_age: None, etag: None }))
    }

    fn fetches_text(&mut self, body: &str) -> Result<(), KeySetError> {
        self.completes(Ok(Response { body: Some(body.as_bytes()), max_age: None, etag: None }))
    }

    fn fails(&mut self) {
        self.completes(Err(FetchError::Unreachable)).expect("a known URL");
    }

    fn verify(&mut self, key: usize) -> Step {
        self.arrives(self.bench.token(0, key))
    }

    fn unknown_kid(&mut self, number: u8) -> Step {
        self.arrives(self.bench.unknown_kid(0, number))
    }

    fn arrives(&mut self, token: &str) -> Step {
        let received_at = self.tick();
        let step = self.bench.verifier.verify(self.now, token);
        if let Step::NeedsKeys(_) = step {
            self.received_at.insert(token.to_owned(), received_at);
            self.started_at = self.tick();
        }
        step
    }

    /// Verifies the token again after the fetch that it has started.
    fn unknown_kid_after_fetch(&mut self, number: u8) -> Reason {
        let token = self.bench.unknown_kid(0, number);
        rejection(self.bench.verifier.verify_after_fetch(self.now, token, self.received_at[token]))
    }

    fn report(&mut self) -> KeyReport {
        self.bench.verifier.key_reports(self.now).remove(0)
    }
}

fn is_verified(step: &Step) -> bool {
    matches!(step, Step::Done(Ok(_)))
}

fn rejection(step: Step) -> Reason {
    match step {
        Step::Done(Err(reason)) => reason,
        step => panic!("not rejected: {step:?}"),
    }
}

#[test]
fn max_age_sets_the_soft_lifetime_within_its_range() {
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
            one.completes(Ok(Response { body, max_age, etag: None })).expect("the keys are valid");
            let refresh_in = one.report().refresh_in.expect("it is fetched");
            assert!((soft_ttl - soft_ttl / 10..=soft_ttl).contains(&refresh_in), "{max_age:?}: {refresh_in}");
            assert!(one.after(refresh_in - 1).due().is_empty(), "{max_age:?}: a second early");
            assert_eq!(one.after(1).due().len(), 1, "{max_age:?}: due");
        }
    }
}

#[test]
fn after_the_soft_lifetime_keys_verify_as_stale_until_the_hard_lifetime_ends() {
    let mut one = One::with_keys(hour_long());
    let stale = |step: Step| match step {
        Step::Done(Ok(verified)) => verified.keys_are_stale,
        step => panic!("not verified: {step:?}"),
    };
    assert!(!stale(one.verify(0)));
    assert!(stale(one.after(3_600).verify(0)));
    assert_eq!(one.report().state, KeyState::Stale);
    assert!(stale(one.after(86_400 - 3_600 - 1).verify(0)), "a second before the hard lifetime ends");
    assert!(matches!(one.after(1).verify(0), Step::NeedsKeys(_)), "the hard lifetime has ended");
    one.fails();
    assert_eq!(rejection(one.verify(0)), Reason::KeysUnavailable);
    assert_eq!(one.report().state, KeyState::Expired);
    one.fetches(Published::Both).expect("the keys are valid");
    assert!(is_verified(&one.verify(0)));
}

#[test]
fn not_modified_renews_both_lifetimes_and_is_an_error_without_keys() {
    let mut one = One::new(hour_long());
    assert_eq!(one.due()[0].etag, None);
    assert_eq!(
        one.completes(Ok(Response { body: None, max_age: None, etag: None })),
        Err(KeySetError::NotModifiedWithoutKeys)
    );
    assert_eq!(one.report().last_error, Some(KeyRefreshError::KeySet(KeySetError::NotModifiedWithoutKeys)));
    let body = Some(one.bench.set(Published::Both).as_bytes());
    one.completes(Ok(Response { body, max_age: None, etag: Some("\"a\"") })).expect("the keys are valid");
    for _ in 0..100 {
        let fetch = one.after(3_600).due().remove(0);
        assert_eq!(fetch.etag.as_deref(), Some("\"a\""));
        one.completes(Ok(Response { body: None, max_age: None, etag: None })).expect("the keys have not changed");
        let report = one.report();
        assert_eq!((report.state, report.age, report.generation), (KeyState::Fresh, Some(0), 1));
        assert!(is_verified(&one.verify(1)));
    }
}

#[test]
fn an_etag_over_256_bytes_is_not_used() {
    for (length, is_kept) in [(256, true), (257, false)] {
        let mut one = One::new(hour_long());
        one.due();
        let (body, etag) = (Some(one.bench.set(Published::Both).as_bytes()), "e".repeat(length));
        one.completes(Ok(Response { body, max_age: None, etag: Some(&etag) })).expect("the keys are valid");
        assert_eq!(one.after(3_600).due()[0].etag.is_some(), is_kept, "{length}");
    }
}

#[test]
fn the_back_off_doubles_and_is_reset_by_a_success() {
    let mut one = One::new(hour_long());
    for round in 0..2 {
        for full in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            one.fails();
            let waited = (1..=full).find(|_| one.after(1).due().len() == 1);
            let waited = waited.unwrap_or_else(|| panic!("round {round}: no attempt after {full} seconds"));
            assert!(waited * 2 >= full, "round {round}: an attempt after {waited} of {full} seconds");
        }
        one.fetches(Published::Both).expect("the keys are valid");
        assert_eq!((one.report().failures, one.report().last_error), (0, None));
        assert_eq!(one.after(86_400).due().len(), 1);
    }
}

#[test]
fn a_fetch_past_its_deadline_has_failed_and_its_late_response_is_accepted() {
    let mut one = One::new(hour_long());
    assert_eq!(one.due().len(), 1);
    assert!(one.after(29).due().is_empty(), "the fetch is in progress");
    assert!(matches!(one.verify(0), Step::PendingFetch(_)));
    assert!(one.after(1).due().is_empty(), "the fetch has just failed");
    let report = one.report();
    assert_eq!((report.failures, report.last_error), (1, Some(KeyRefreshError::Fetch(FetchError::TimedOut))));
    one.fetches(Published::Both).expect("a late response");
    assert!(is_verified(&one.verify(0)));
    assert_eq!(one.report().failures, 0);
}

#[test]
fn an_unknown_kid_causes_one_fetch_and_is_cached_for_a_minute() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(100).unknown_kid(0), Step::NeedsKeys(_)));
    assert!(matches!(one.unknown_kid(0), Step::PendingFetch(_)), "the fetch is in progress");
    assert!(matches!(one.unknown_kid(1), Step::PendingFetch(_)), "for other key IDs too");
    assert!(is_verified(&one.verify(0)), "a known key does not wait");
    one.fetches(Published::Both).expect("the same keys");
    assert_eq!(one.unknown_kid_after_fetch(0), Reason::KeyUnknown);
    assert_eq!(rejection(one.unknown_kid(0)), Reason::KeyUnknownCached);
    assert_eq!(rejection(one.after(59).unknown_kid(0)), Reason::KeyUnknownCached);
    assert!(matches!(one.after(1).unknown_kid(0), Step::NeedsKeys(_)), "after a minute");
}

#[test]
fn a_token_without_kid_causes_no_fetch_and_enters_no_cache() {
    let mut one = One::with_keys(hour_long());
    let issuer = one.bench.issuer(0);
    let unnamed = |key| Draft::access(key).claim("iss", format!("\"{issuer}\"")).without_header("kid");
    let at = |draft: Draft, now: u64| draft.claim("iat", now).claim("auth_time", now).claim("exp", now + 10_000);
    // Two keys fit.
    for draft in [unnamed(&RSA_2048), unnamed(&OTHER_RSA_2048)] {
        assert_eq!(rejection(one.arrives(&at(draft, BEGIN).compact())), Reason::KeyIdMissing);
    }
    one.after(3_600);
    assert_eq!(one.due().len(), 1);
    one.fetches(Published::First).expect("the key is valid");
    let now = one.now;
    assert!(is_verified(&one.arrives(&at(unnamed(&RSA_2048), now).compact())));
    // The signature is of a key that was removed. Anyone could send such a token, so it causes no fetch.
    let removed = at(unnamed(&OTHER_RSA_2048), now).with_signature_below(&RSA_2048);
    assert_eq!(rejection(one.arrives(&removed)), Reason::SignatureInvalid);
    assert_eq!(one.bench.verifier.negative_cache_len(), 0);
    // Without a key set, every token causes the fetch of one.
    let mut one = One::new(hour_long());
    let first = at(unnamed(&RSA_2048), BEGIN).compact();
    assert!(matches!(one.arrives(&first), Step::NeedsKeys(fetch) if fetch.key_id.is_none()));
}

#[test]
fn ambiguous_keys_cause_no_fetch() {
    let mut one = One::with_keys(hour_long());
    one.after(3_600);
    assert_eq!(one.due().len(), 1);
    one.fetches_text(&jwks(&[RSA_2048.jwk("first"), OTHER_RSA_2048.jwk("first"), OTHER_RSA_2048.jwk("second")]))
        .expect("a usable key");
    for _ in 0..10 {
        assert_eq!(rejection(one.verify(0)), Reason::KeyAmbiguous);
    }
    assert!(is_verified(&one.verify(1)));
    assert_eq!(one.bench.verifier.negative_cache_len(), 0);
    let report = one.report();
    assert_eq!(report.key_ids, ["second".into()]);
    let skipped: Vec<_> = report.skipped.iter().map(|key| (key.index, key.error, key.member)).collect();
    assert_eq!(skipped, [(0, KeyError::DuplicateKeyId, Some("kid")), (1, KeyError::DuplicateKeyId, Some("kid"))]);
}

#[test]
fn the_first_token_of_a_new_key_causes_a_fetch() {
    let mut one = One::new(hour_long());
    one.due();
    one.fetches(Published::First).expect("the keys are valid");
    assert!(matches!(one.verify(1), Step::NeedsKeys(_)), "immediately, even if the key set is new");
    one.fetches(Published::Both).expect("the keys are valid");
    assert!(is_verified(&one.verify(1)));
    assert_eq!(one.report().generation, 2);
}

#[test]
fn the_bucket_allows_five_fetches_and_one_more_every_ten_seconds() {
    let mut one = One::with_keys(hour_long());
    one.now += 100;
    let mut unknown_kids = (0_u8..).map(|number| number % 30);
    let mut fetches = |one: &mut One| match one.unknown_kid(unknown_kids.next().expect("endless")) {
        Step::NeedsKeys(_) => {
            one.fetches(Published::Both).expect("the same keys");
            true
        }
        step => {
            assert_eq!(rejection(step), Reason::KeyUnknownLimited);
            false
        }
    };
    assert_eq!((0..8).filter(|_| fetches(&mut one)).count(), 5);
    one.now += 9;
    assert!(!fetches(&mut one));
    one.now += 1;
    assert_eq!((0..8).filter(|_| fetches(&mut one)).count(), 1);
    assert!(is_verified(&one.verify(0)) && is_verified(&one.verify(1)));
}

#[test]
fn while_the_issuer_fails_unknown_kids_get_503_and_known_keys_verify() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(100).unknown_kid(0), Step::NeedsKeys(_)));
    one.fails();
    assert_eq!(one.unknown_kid_after_fetch(0), Reason::KeysUnavailable, "the current keys are uncertain");
    assert_eq!(rejection(one.unknown_kid(1)), Reason::KeysUnavailable);
    assert!(is_verified(&one.verify(0)));
}

#[test]
fn a_policy_without_fetches_for_unknown_kids_causes_none() {
    let mut one = One::with_keys(KeyPolicy { unknown_key_fetches: 0, ..hour_long() });
    assert_eq!(rejection(one.after(100).unknown_kid(0)), Reason::KeyUnknown);
}

#[test]
fn a_removed_key_is_rejected_immediately_and_a_set_without_keys_removes_none() {
    let mut one = One::with_keys(hour_long());
    one.after(3_600).due();
    one.fetches(Published::Second).expect("the keys are valid");
    assert!(is_verified(&one.verify(1)));
    assert!(matches!(one.verify(0), Step::NeedsKeys(_)), "the removed key is unknown");
    let unusable = jwks(&[{
        let mut key = RSA_2048.jwk_for(Algorithm::Rs256, "first");
        key["use"] = "enc".into();
        key
    }]);
    for text in ["{\"keys\":[]}", unusable.as_str()] {
        assert_eq!(one.fetches_text(text), Err(KeySetError::NoUsableKey));
        assert!(is_verified(&one.verify(1)));
        assert_eq!(one.report().last_error, Some(KeyRefreshError::KeySet(KeySetError::NoUsableKey)));
    }
}

#[test]
fn unusable_keys_and_keys_with_long_kids_are_skipped_and_reported() {
    let mut one = One::new(hour_long());
    one.due();
    let good = RSA_2048.jwk_for(Algorithm::Rs256, "first");
    let mut symmetric = good.clone();
    symmetric["kty"] = "oct".into();
    symmetric["kid"] = "shared".into();
    let long = OTHER_RSA_2048.jwk_for(Algorithm::Rs256, &"k".repeat(257));
    one.fetches_text(&jwks(&[symmetric, long, good])).expect("one of them is usable");
    let report = one.report();
    assert_eq!(report.key_ids.iter().map(|key_id| &**key_id).collect::<Vec<_>>(), ["first"]);
    let faults: Vec<_> = report.skipped.iter().map(|skipped| (skipped.index, skipped.error)).collect();
    assert_eq!(faults, [(0, KeyError::Symmetric), (1, KeyError::KeyIdTooLong)]);
    assert!(is_verified(&one.verify(0)));
}

#[test]
fn an_invalid_key_set_leaves_the_keys_and_is_reported() {
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
        assert_eq!(one.fetches_text(&text), Err(fault));
        let report = one.report();
        assert_eq!((report.failures, report.last_error), (1, Some(KeyRefreshError::KeySet(fault))));
        assert!(is_verified(&one.verify(0)) && is_verified(&one.verify(1)), "{fault:?}");
    }
}

#[test]
fn clock_jumps_back_and_far_ahead_are_handled() {
    let mut one = One::with_keys(hour_long());
    one.now -= 1_000_000;
    assert!(is_verified(&one.verify(0)), "eleven days back");
    assert_eq!(one.report().age, Some(0));
    assert_eq!(one.after(3_600).due().len(), 1, "an hour later on the changed clock");
    one.fetches(Published::Both).expect("the keys are valid");

    one.now += 3_000_000_000;
    assert!(matches!(one.verify(0), Step::NeedsKeys(_)), "a century ahead: older than the hard lifetime");
    one.fetches(Published::Both).expect("the keys are valid");
    assert!(is_verified(&one.verify(0)));
    one.now -= 3_000_000_000;
    assert!(is_verified(&one.verify(0)), "after the jump back");
    assert_eq!(one.report().age, Some(0), "the age of keys fetched in the future starts at zero");
    assert_eq!(one.after(3_600).due().len(), 1);
    one.fails();
    assert!(one.after(86_400 - 3_600).due().len() == 1 && !is_verified(&one.verify(0)), "and they expire after a day");
}

#[test]
fn keys_fetched_after_a_short_jump_to_the_maximum_time_are_usable() {
    let mut one = One::with_keys(hour_long());
    for _ in 0..3 {
        let now = std::mem::replace(&mut one.now, u64::MAX);
        assert!(!is_verified(&one.verify(0)), "the token has expired");
        one.now = now + 100;
        assert!(matches!(one.verify(0), Step::NeedsKeys(_)), "the keys count as older than the hard lifetime");
        one.fetches(Published::Both).expect("the keys are valid");
        assert!(is_verified(&one.verify(0)) && is_verified(&one.after(3_000).verify(0)));
        one.now = now + 200;
    }
}

#[test]
fn the_age_of_a_loaded_key_set_counts_from_its_fetch() {
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
        let loaded = one.bench.verifier.load_key_set(BEGIN, &issuer, body, BEGIN - age);
        assert_eq!(loaded.map(|report| report.state), expected, "{age}");
        assert_eq!(is_verified(&one.verify(0)), expected.is_ok(), "{age}");
        if expected.is_ok() {
            assert_eq!(one.report().age, Some(age));
            one.now += 86_400 - age;
            assert!(!is_verified(&one.verify(0)), "{age}: the hard lifetime has ended");
        }
    }
}

#[test]
fn a_key_set_from_the_future_counts_as_new_and_one_older_than_the_current_is_rejected() {
    let mut one = One::new(hour_long());
    let (issuer, both) = (one.bench.issuer(0), one.bench.set(Published::Both).as_bytes());
    let report = one.bench.verifier.load_key_set(BEGIN, &issuer, both, u64::MAX).expect("the keys are valid");
    assert_eq!(report.age, Some(0));
    let older = one.bench.verifier.load_key_set(BEGIN, &issuer, both, BEGIN - 1);
    assert_eq!(older.err(), Some(KeySetError::OlderThanCurrent));
    let elsewhere = one.bench.verifier.load_key_set(BEGIN, "https://example.org", both, BEGIN);
    assert_eq!(elsewhere.err(), Some(KeySetError::UnknownIssuer));
    assert!(is_verified(&one.after(1).verify(0)));
    assert_eq!(one.after(3_600).due().len(), 1, "an endpoint with a loaded key set is refreshed");
}

#[test]
fn the_second_issuer_form_of_a_user_pool_is_fetched_when_a_token_needs_it() {
    let config = Config {
        pools: vec![Pool { keys: KeyOrigin::Derived, ..pool() }],
        limits: Limits::default(),
        key_policy: hour_long(),
        cache: CacheLimits::default(),
        requirements: Vec::new(),
    };
    let mut verifier = Verifier::new(config).expect("a valid configuration");
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
    assert!(verifier.maintain(now + 20).is_empty(), "no token has needed the keys again, and the first is in progress");
    let set = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, poolgate_tests::minting::KEY_ID)]);
    let response = Response { body: Some(set.as_bytes()), max_age: None, etag: None };
    verifier.fetched(now + 20, &second, None, LogicalTime(2), now + 20, Ok(response)).expect("the keys are valid");
    assert!(urls(verifier.maintain(now + 3_620)).contains(&second), "keys in use are refreshed");
}

#[test]
fn a_policy_out_of_range_is_rejected() {
    let with = |change: &dyn Fn(&mut KeyPolicy)| {
        let mut key_policy = hour_long();
        change(&mut key_policy);
        Verifier::new(Config {
            pools: vec![pool()],
            limits: Limits::default(),
            key_policy,
            cache: CacheLimits::NONE,
            requirements: Vec::new(),
        })
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
