//! Keys that are published while a fetch is under way, and fetches that nobody ends.

use super::{One, is_verified, refusal};
use crate::pools::{Published, hour_long};
use poolgate_core::{FetchError, KeyPolicy, KeySetError, LogicalTime, Reason, Response, Step};

/// With the first key, a while ago, and a fetch under way that began before a token of the second key came. When that came.
fn late(policy: KeyPolicy) -> (One, LogicalTime) {
    let mut one = One::new(policy);
    one.due();
    one.brings(Published::First).expect("the key is good");
    assert!(matches!(one.after(200).stranger(0), Step::NeedsKeys(_)));
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
fn an_older_fetch_makes_no_key_unknown() {
    let (mut one, received_at) = late(hour_long());
    one.after(3).brings(Published::First).expect("as it was before the second key was published");
    assert_eq!(one.stranger_again(0), Reason::KeyUnknown, "for who asked for it, it is proof");
    assert_eq!(refusal(one.stranger(0)), Reason::KeyUnknownCached);
    let joined_at = one.tick();
    assert!(matches!(one.again(1, received_at), Step::NeedsKeys(fetch) if fetch.key_id.as_deref() == Some("second")));
    assert!(matches!(one.again(1, joined_at), Step::PendingFetch(_)), "one fetch serves all who wait");
    one.brings(Published::Both).expect("the keys are good");
    assert!(is_verified(&one.again(1, received_at)) && is_verified(&one.again(1, joined_at)));
}

#[test]
fn it_is_unknown_when_a_younger_fetch_has_ended_without_it() {
    let (mut one, received_at) = late(hour_long());
    one.brings(Published::First).expect("the key is good");
    assert!(matches!(one.again(1, received_at), Step::NeedsKeys(_)));
    one.brings(Published::First).expect("the key is good");
    assert_eq!(refusal(one.again(1, received_at)), Reason::KeyUnknown);
    assert_eq!(refusal(one.verify(1)), Reason::KeyUnknownCached);
}

/// The first token of a key was too early, and is proved to be; the second came when the key was there.
#[test]
fn what_is_proved_of_a_token_is_not_of_a_later_one_with_the_same_key() {
    let mut one = One::new(hour_long());
    one.due();
    one.brings(Published::First).expect("the key is good");
    let early = one.after(200).tick();
    let Step::NeedsKeys(fetch) = one.verify(1) else { panic!("it is not known") };
    let later = one.tick();
    assert!(matches!(one.verify(1), Step::PendingFetch(_)));
    let body = Some(one.bench.set(Published::First).as_bytes());
    let response = Ok(Response { body, max_age: None, etag: None });
    let (now, key_id) = (one.now, fetch.key_id.as_deref());
    one.bench.verifier.fetched(now, &fetch.url, key_id, one.started_at, now, response).expect("the key is good");
    assert_eq!(refusal(one.again(1, early)), Reason::KeyUnknown);
    assert!(matches!(one.again(1, later), Step::NeedsKeys(_)));
    assert!(matches!(one.verify(1), Step::PendingFetch(_)), "in doubt, it is not refused for what was remembered");
    one.brings(Published::Both).expect("the keys are good");
    assert!(is_verified(&one.again(1, later)) && is_verified(&one.verify(1)));
}

/// What comes after the older fetch has ended, and whether it is proof that there is no second key.
#[test]
fn only_what_shows_the_keys_of_now_is_proof() {
    type Comes = fn(&mut One);
    let same: Comes = |one| one.brings(Published::First).expect("the key is good");
    let not_modified: Comes =
        |one| one.ends(Ok(Response { body: None, max_age: None, etag: None })).expect("there are keys");
    let seed: Comes = |one| {
        let (issuer, body) = (one.bench.issuer(0), one.bench.set(Published::First).as_bytes());
        one.bench.verifier.load_key_set(one.now, &issuer, body, one.now).expect("the key is good");
    };
    let nobody_knows_when: Comes = |one| {
        one.started_at = LogicalTime::UNKNOWN;
        one.brings(Published::First).expect("the key is good");
    };
    let malformed: Comes = |one| assert_eq!(one.brings_text("{}"), Err(KeySetError::Malformed));
    let failed: Comes = |one| one.fails();
    for (name, comes, reason) in [
        ("the same keys", same, Some(Reason::KeyUnknown)),
        ("not modified", not_modified, Some(Reason::KeyUnknown)),
        ("a seed", seed, None),
        ("a fetch that began nobody knows when", nobody_knows_when, None),
        ("what is no key set", malformed, Some(Reason::KeysUnavailable)),
        ("a failure", failed, Some(Reason::KeysUnavailable)),
    ] {
        let (mut one, received_at) = late(hour_long());
        one.brings(Published::First).expect("the key is good");
        assert!(matches!(one.again(1, received_at), Step::NeedsKeys(_)), "{name}");
        comes(&mut one);
        match (one.again(1, received_at), reason) {
            (Step::Done(Err(came)), Some(expected)) => assert_eq!(came, expected, "{name}"),
            (Step::NeedsKeys(_), None) => (),
            (step, _) => panic!("{name}: {step:?}"),
        }
        let is_remembered = reason == Some(Reason::KeyUnknown);
        assert_eq!(one.bench.verifier.negative_cache_len() == 1, is_remembered, "{name}");
    }
}

#[test]
fn where_no_more_may_be_fetched_the_refusal_is_not_remembered() {
    let (mut one, received_at) = late(KeyPolicy { unknown_key_fetches: 1, ..hour_long() });
    one.brings(Published::First).expect("the key is good");
    assert_eq!(refusal(one.again(1, received_at)), Reason::KeyUnknownLimited);
    assert_eq!(one.bench.verifier.negative_cache_len(), 0);
    assert!(matches!(one.after(10).verify(1), Step::NeedsKeys(_)), "the bucket has one again");
}

#[test]
fn however_many_joined_an_older_fetch_they_make_one_more() {
    let (mut one, _) = late(hour_long());
    let came: Vec<_> = (1..30).map(|number| (number, one.tick(), one.stranger(number))).collect();
    one.brings(Published::First).expect("the key is good");
    let again = |one: &mut One| {
        let step = |(number, received_at, _): &(u8, LogicalTime, Step)| {
            one.bench.verifier.verify_after_fetch(one.now, one.bench.stranger(0, *number), *received_at)
        };
        came.iter().map(step).collect::<Vec<_>>()
    };
    let steps = again(&mut one);
    assert!(
        matches!(steps[0], Step::NeedsKeys(_)) && steps[1..].iter().all(|step| matches!(step, Step::PendingFetch(_)))
    );
    one.started_at = one.tick();
    one.brings(Published::First).expect("the key is good");
    assert!(again(&mut one).into_iter().all(|step| refusal(step) == Reason::KeyUnknown));
}

/// As after a jump of the clock.
#[test]
fn a_fetch_that_nobody_ended_is_asked_for_again_also_where_it_was_for_a_token() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(200).stranger(0), Step::NeedsKeys(_)));
    assert!(one.after(29).due().is_empty(), "it is under way");
    assert!(one.after(1).due().is_empty(), "it has failed just now");
    assert_eq!(one.report().refresh_in, Some(1));
    assert_eq!(one.after(1).due().len(), 1);
    one.brings(Published::Both).expect("the keys are good");
    assert!(one.after(60).due().is_empty(), "and no more after a success");
}

#[test]
fn a_fetch_for_a_token_that_failed_is_tried_again_without_one() {
    let mut one = One::with_keys(hour_long());
    assert!(matches!(one.after(200).stranger(0), Step::NeedsKeys(_)));
    one.ends(Err(FetchError::BadStatus)).expect("a known URL");
    assert!(one.due().is_empty());
    assert_eq!(one.after(1).due().len(), 1, "until it succeeds, nobody can tell which keys there are");
}
