//! Keys that are published while a fetch is in progress, and fetches whose result never arrives.

use super::{One, is_verified, rejection};
use crate::pools::{Published, hour_long};
use poolgate_core::{FetchError, KeyPolicy, KeySetError, LogicalTime, Reason, Response, Step};

/// Returns a verifier with the first key, and with a fetch in progress that started before a token of the second key
/// arrived. Also returns the time at which that token arrived.
fn late(policy: KeyPolicy) -> (One, LogicalTime) {
    let mut one = One::new(policy);
    one.due();
    one.fetches(Published::First).expect("the key is valid");
    assert!(matches!(one.after(200).unknown_kid(0), Step::NeedsKeys(_)));
    let received_at = one.tick();
    assert!(matches!(one.verify(1), Step::PendingFetch(_)));
    (one, received_at)
}

impl One {
    fn again(&mut self, key: usize, received_at: LogicalTime) -> Step {
        let step = self.bench.verifier.verify_after_fetch(self.now, self.bench.token(0, key), received_at);
        if let Step::NeedsKeys(_) = step {
            self.started_at = self.tick();
        }
        step
    }
}

#[test]
fn a_fetch_that_started_before_the_token_arrived_does_not_make_its_key_unknown() {
    let (mut one, received_at) = late(hour_long());
    one.after(3).fetches(Published::First).expect("the key set before the second key was published");
    assert_eq!(one.unknown_kid_after_fetch(0), Reason::KeyUnknown, "the fetch started after this token arrived");
    assert_eq!(rejection(one.unknown_kid(0)), Reason::KeyUnknownCached);
    let joined_at = one.tick();
    assert!(matches!(one.again(1, received_at), Step::NeedsKeys(fetch) if fetch.key_id.as_deref() == Some("second")));
    assert!(matches!(one.again(1, joined_at), Step::PendingFetch(_)), "one fetch for all waiting tokens");
    one.fetches(Published::Both).expect("the keys are valid");
    assert!(is_verified(&one.again(1, received_at)) && is_verified(&one.again(1, joined_at)));
}

#[test]
fn a_key_is_unknown_after_a_later_fetch_did_not_return_it() {
    let (mut one, received_at) = late(hour_long());
    one.fetches(Published::First).expect("the key is valid");
    assert!(matches!(one.again(1, received_at), Step::NeedsKeys(_)));
    one.fetches(Published::First).expect("the key is valid");
    assert_eq!(rejection(one.again(1, received_at)), Reason::KeyUnknown);
    assert_eq!(rejection(one.verify(1)), Reason::KeyUnknownCached);
}

/// The first token with a key ID arrives before the key is published, and the fetch shows this. The second arrives after the fetch has
/// started.
#[test]
fn a_fetch_decides_about_an_earlier_token_and_not_about_a_later_one_with_the_same_key_id() {
    let mut one = One::new(hour_long());
    one.due();
    one.fetches(Published::First).expect("the key is valid");
    let early = one.after(200).tick();
    let Step::NeedsKeys(fetch) = one.verify(1) else { panic!("the key is unknown") };
    let later = one.tick();
    assert!(matches!(one.verify(1), Step::PendingFetch(_)));
    let body = Some(one.bench.set(Published::First).as_bytes());
    let response = Ok(Response { body, max_age: None, etag: None });
    let (now, key_id) = (one.now, fetch.key_id.as_deref());
    one.bench.verifier.fetched(now, &fetch.url, key_id, one.started_at, now, response).expect("the key is valid");
    assert_eq!(rejection(one.again(1, early)), Reason::KeyUnknown);
    assert!(matches!(one.again(1, later), Step::NeedsKeys(_)));
    assert!(matches!(one.verify(1), Step::PendingFetch(_)), "the negative cache is not used while it is uncertain");
    one.fetches(Published::Both).expect("the keys are valid");
    assert!(is_verified(&one.again(1, later)) && is_verified(&one.verify(1)));
}

/// The event after the older fetch has completed, and whether it shows that the second key does not exist.
#[test]
fn only_a_fetch_of_the_current_keys_shows_that_a_key_does_not_exist() {
    type Event = fn(&mut One);
    let same: Event = |one| one.fetches(Published::First).expect("the key is valid");
    let not_modified: Event =
        |one| one.completes(Ok(Response { body: None, max_age: None, etag: None })).expect("there are keys");
    let loaded: Event = |one| {
        let (issuer, body) = (one.bench.issuer(0), one.bench.set(Published::First).as_bytes());
        one.bench.verifier.load_key_set(one.now, &issuer, body, one.now).expect("the key is valid");
    };
    let unknown_start: Event = |one| {
        one.started_at = LogicalTime::UNKNOWN;
        one.fetches(Published::First).expect("the key is valid");
    };
    let malformed: Event = |one| assert_eq!(one.fetches_text("{}"), Err(KeySetError::Malformed));
    let failed: Event = |one| one.fails();
    for (name, event, reason) in [
        ("the same keys", same, Some(Reason::KeyUnknown)),
        ("not modified", not_modified, Some(Reason::KeyUnknown)),
        ("a loaded key set", loaded, None),
        ("a fetch with an unknown start", unknown_start, None),
        ("a body that is not a key set", malformed, Some(Reason::KeysUnavailable)),
        ("a failure", failed, Some(Reason::KeysUnavailable)),
    ] {
        let (mut one, received_at) = late(hour_long());
        one.fetches(Published::First).expect("the key is valid");
        assert!(matches!(one.again(1, received_at), Step::NeedsKeys(_)), "{name}");
        event(&mut one);
        match (one.again(1, received_at), reason) {
            (Step::Done(Err(actual)), Some(expected)) => assert_eq!(actual, expected, "{name}"),
            (Step::NeedsKeys(_), None) => (),
            (step, _) => panic!("{name}: {step:?}"),
        }
        let is_cached = reason == Some(Reason::KeyUnknown);
        assert_eq!(one.bench.verifier.negative_cache_len() == 1, is_cached, "{name}");
    }
}

#[test]
fn a_rejection_because_of_the_rate_limit_is_not_cached() {
    let (mut one, received_at) = late(KeyPolicy { unknown_key_fetches: 1, ..hour_long() });
    one.fetches(Published::First).expect("the key is valid");
    assert_eq!(rejection(one.again(1, received_at)), Reason::KeyUnknownLimited);
    assert_eq!(one.bench.verifier.negative_cache_len(), 0);
    assert!(matches!(one.after(10).verify(1), Step::NeedsKeys(_)), "the bucket allows one more fetch");
}

#[test]
fn all_tokens_that_waited_for_an_older_fetch_cause_one_more() {
    let (mut one, _) = late(hour_long());
    let waiting: Vec<_> = (1..30).map(|number| (number, one.tick(), one.unknown_kid(number))).collect();
    one.fetches(Published::First).expect("the key is valid");
    let again = |one: &mut One| {
        let step = |(number, received_at, _): &(u8, LogicalTime, Step)| {
            one.bench.verifier.verify_after_fetch(one.now, one.bench.unknown_kid(0, *number), *received_at)
        };
        waiting.iter().map(step).collect::<Vec<_>>()
    };
    let steps = again(&mut one);
    assert!(
        matches!(steps[0], Step::NeedsKeys(_)) && steps[1..].iter().all(|step| matches!(step, Step::PendingFetch(_)))
    );
    one.started_at = one.tick();
    one.fetches(Published::First).expect("the key is valid");
    assert!(again(&mut one).into_iter().all(|step| rejection(step) == Reason::KeyUnknown));
}

/// For example after a jump of the clock.
#[test]
fn a_fetch_without_a_result_is_repeated_also_if_it_was_for_a_token() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(200).unknown_kid(0), Step::NeedsKeys(_)));
    assert!(one.after(29).due().is_empty(), "the fetch is in progress");
    assert!(one.after(1).due().is_empty(), "the fetch has just failed");
    assert_eq!(one.report().refresh_in, Some(1));
    assert_eq!(one.after(1).due().len(), 1);
    one.fetches(Published::Both).expect("the keys are valid");
    assert!(one.after(60).due().is_empty(), "no more fetches after a success");
}

#[test]
fn a_failed_fetch_for_a_token_is_repeated_without_a_token() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(200).unknown_kid(0), Step::NeedsKeys(_)));
    one.completes(Err(FetchError::BadStatus)).expect("a known URL");
    assert!(one.due().is_empty());
    assert_eq!(one.after(1).due().len(), 1, "the keys are uncertain until a fetch succeeds");
}
