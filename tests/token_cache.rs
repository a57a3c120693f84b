//! Verified tokens that are remembered: they cost no signature, and stop working as any other does: when their key is gone, when the
//! policy changes, when they expire, when the clock steps. In the core, and through the component with the host.

use poolgate::{TokenUseRule, Verifier as HostVerifier};
use poolgate_core::{
    Algorithm, CacheHit, CacheLimits, ClientRule, Config, KeyPolicy, Limits, LogicalTime, Membership, Pool, Reason,
    Response, Step, TokenUseRule as CoreTokenUse, Verifier, VerifyOutcome,
};
use poolgate_tests::{
    corpus::{cases, pool},
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
    rng::Rng,
};
use std::{num::NonZeroUsize, sync::Arc};

mod hand;

fn key_set(key: &'static TestKey, key_id: &str) -> String {
    jwks(&[key.jwk_for(Algorithm::Rs256, key_id)])
}

fn verifier_of(pool: Pool, cache: CacheLimits) -> Verifier {
    let config = Config { pools: vec![pool], limits: Limits::default(), key_policy: KeyPolicy::default(), cache };
    let mut verifier = Verifier::new(config).expect("a good configuration");
    verifier.load_key_set(NOW, ISSUER, key_set(&RSA_2048, KEY_ID).as_bytes(), NOW).expect("a good key");
    verifier
}

fn verifier() -> Verifier {
    verifier_of(pool(), CacheLimits::default())
}

fn token(jti: usize) -> String {
    Draft::access(&RSA_2048).claim("jti", format!("\"{jti}\"")).compact()
}

/// Whether the token was recalled; the reason if it is refused.
fn recalled(verifier: &mut Verifier, now: u64, token: &str) -> Result<bool, Reason> {
    match verifier.verify_cached(now, token) {
        Step::Done(Ok(VerifyOutcome::Cached(_))) => Ok(true),
        Step::Done(Ok(VerifyOutcome::Verified(..))) => Ok(false),
        Step::Done(Err(reason)) => Err(reason),
        step => panic!("keys are asked for: {step:?}"),
    }
}

#[test]
fn a_token_that_comes_again_is_recalled_and_says_the_same() {
    let mut verifier = verifier();
    let token = token(0);
    let Step::Done(Ok(first)) = verifier.verify(NOW, &token) else { panic!("a good token") };
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(true));
    let Step::Done(Ok(again)) = verifier.verify(NOW, &token) else { panic!("a good token") };
    assert_eq!(
        (first.subject, first.username, first.token_use, first.issuer, first.client_id, first.groups, first.scopes),
        (again.subject, again.username, again.token_use, again.issuer, again.client_id, again.groups, again.scopes)
    );
    assert_eq!(
        (first.issued_at, first.expires_at, first.auth_time, first.payload, first.keys_are_stale),
        (again.issued_at, again.expires_at, again.auth_time, again.payload, again.keys_are_stale)
    );
}

#[test]
fn only_the_exact_bytes_are_recalled() {
    let mut verifier = verifier();
    let token = token(0);
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
    // Every character that can be another one, and the token cut and stretched: none is recalled, none is accepted.
    for place in (0..token.len()).filter(|place| place % 7 == 0) {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).expect("ASCII");
        assert!(recalled(&mut verifier, NOW, &other).is_err(), "a change at {place} is accepted");
    }
    for other in [&token[1..], &token[..token.len() - 1], &format!("{token}="), &format!(" {token}")] {
        assert!(recalled(&mut verifier, NOW, other).is_err());
    }
    // The same signature's end behind another payload.
    let (head, signature) = token.rsplit_once('.').expect("three parts");
    let (header, _) = head.split_once('.').expect("three parts");
    let forged = Draft::access(&RSA_2048).claim("username", "\"root\"").compact();
    let payload = forged.split('.').nth(1).expect("three parts");
    assert_eq!(recalled(&mut verifier, NOW, &format!("{header}.{payload}.{signature}")), Err(Reason::SignatureInvalid));
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(true));
}

#[test]
fn an_expired_one_stops_working_at_its_second_and_is_forgotten() {
    let mut verifier = verifier();
    let token = token(0);
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(recalled(&mut verifier, NOW + 3_539, &token), Ok(true), "a second before");
    assert_eq!(recalled(&mut verifier, NOW + 3_540, &token), Err(Reason::Expired));
    assert_eq!(verifier.cached_tokens(), (0, 0));
}

#[test]
fn a_clock_that_steps_stops_it_as_it_does_every_token() {
    let mut verifier = verifier_of(Pool { max_age: Some(600), ..pool() }, CacheLimits::default());
    let token = token(0);
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(recalled(&mut verifier, NOW - 1_000, &token), Err(Reason::IssuedInFuture), "back before it was issued");
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(true));
    assert_eq!(recalled(&mut verifier, NOW + 541, &token), Err(Reason::TooOld), "ahead past the maximum age");
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(true));
}

#[test]
fn a_removed_key_takes_its_tokens_with_it() {
    let mut verifier = verifier();
    let token = token(0);
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
    // The same set again, fetched later: the key is the same.
    verifier.load_key_set(NOW + 1, ISSUER, key_set(&RSA_2048, KEY_ID).as_bytes(), NOW + 1).expect("a good key");
    assert_eq!(recalled(&mut verifier, NOW + 1, &token), Ok(true));
    verifier
        .load_key_set(NOW + 2, ISSUER, key_set(&OTHER_RSA_2048, "another").as_bytes(), NOW + 2)
        .expect("a good key");
    assert_eq!(verifier.cached_tokens(), (0, 0), "at once, not when it comes again");
    assert_eq!(recalled(&mut verifier, NOW + 2, &token), Err(Reason::KeyUnknown));
    // Another key of the same name does not verify it.
    verifier.load_key_set(NOW + 3, ISSUER, key_set(&OTHER_RSA_2048, KEY_ID).as_bytes(), NOW + 3).expect("a good key");
    // Its modulus may be smaller than the signature.
    let refused = recalled(&mut verifier, NOW + 3, &token);
    assert!(matches!(refused, Err(Reason::SignatureInvalid | Reason::SignatureOutOfRange)), "{refused:?}");
}

#[test]
fn a_key_past_its_hard_lifetime_verifies_nothing_that_is_remembered() {
    let mut verifier = verifier();
    let hard_ttl = u64::from(KeyPolicy::default().hard_ttl);
    let token = Draft::access(&RSA_2048).claim("exp", NOW + 10 * hard_ttl).compact();
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(recalled(&mut verifier, NOW + hard_ttl - 1, &token), Ok(true));
    assert_eq!(recalled(&mut verifier, NOW + hard_ttl, &token), Err(Reason::KeysUnavailable));
}

#[test]
fn a_recalled_token_says_whether_its_key_is_stale_now() {
    let mut verifier = {
        let pool = Pool { keys: poolgate_core::KeyOrigin::Url("https://keys.example/".into()), ..pool() };
        let config = Config {
            pools: vec![pool],
            limits: Limits::default(),
            key_policy: KeyPolicy::default(),
            cache: CacheLimits::default(),
        };
        Verifier::new(config).expect("a good configuration")
    };
    let body = key_set(&RSA_2048, KEY_ID);
    let response = Response { body: Some(body.as_bytes()), max_age: None, etag: None };
    verifier.fetched(NOW, "https://keys.example/", None, LogicalTime::UNKNOWN, NOW, Ok(response)).expect("a good key");
    let token = Draft::access(&RSA_2048).claim("exp", NOW + 100_000).compact();
    assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
    let stale = |verifier: &mut Verifier, now| match verifier.verify_cached(now, &token) {
        Step::Done(Ok(VerifyOutcome::Cached(CacheHit { keys_are_stale, .. }))) => keys_are_stale,
        step => panic!("not recalled: {step:?}"),
    };
    assert!(!stale(&mut verifier, NOW + 10));
    assert!(stale(&mut verifier, NOW + 3_600));
}

#[test]
fn a_changed_policy_is_asked_at_the_next_time() {
    let token = token(0);
    let changes: [(Pool, Reason); 6] = [
        (Pool { client: ClientRule::OneOf(vec!["another".into()]), ..pool() }, Reason::ClientMismatch),
        (Pool { token_use: CoreTokenUse::Id, ..pool() }, Reason::TokenUseMismatch),
        (Pool { groups: Membership::any_of(vec!["admins".into()]), ..pool() }, Reason::GroupMissing),
        (Pool { scopes: Membership::all_of(vec!["a/b".into()]), ..pool() }, Reason::ScopeMissing),
        (Pool { algorithms: vec![Algorithm::Ps256], ..pool() }, Reason::AlgorithmNotAllowed),
        (Pool { max_age: Some(1), ..pool() }, Reason::TooOld),
    ];
    for (changed, reason) in changes {
        let mut verifier = verifier();
        assert_eq!(recalled(&mut verifier, NOW, &token), Ok(false));
        verifier.change_policy(&[changed]).expect("the same issuers");
        assert_eq!(recalled(&mut verifier, NOW, &token), Err(reason));
        verifier.change_policy(&[pool()]).expect("the same issuers");
        assert_eq!(recalled(&mut verifier, NOW, &token), Ok(true));
    }
    // What the policy finds out is part of what a token says.
    let mut verifier = verifier();
    let two = Draft::id(&RSA_2048).claim("aud", format!("[\"first\",\"{CLIENT_ID}\"]")).compact();
    verifier.change_policy(&[Pool { token_use: CoreTokenUse::AccessOrId, ..pool() }]).expect("the same issuers");
    assert_eq!(recalled(&mut verifier, NOW, &two), Ok(false));
    let first = ClientRule::OneOf(vec!["first".into()]);
    let changed = Pool { token_use: CoreTokenUse::AccessOrId, client: first, ..pool() };
    verifier.change_policy(&[changed]).expect("the same issuers");
    let Step::Done(Ok(verified)) = verifier.verify(NOW, &two) else { panic!("a good token") };
    assert_eq!(verified.client_id.as_deref(), Some("first"));
    let elsewhere = Pool { issuer: poolgate_core::IssuerRule::Exactly("https://example.org".into()), ..pool() };
    assert!(verifier.change_policy(&[elsewhere]).is_err());
}

#[test]
fn no_token_of_the_corpus_is_judged_otherwise_the_second_time() {
    for case in cases() {
        let mut verifier = case.verifier();
        let mut judge = || match verifier.verify(case.now, &case.token) {
            Step::Done(verdict) => verdict.map(|verified| verified.payload),
            step => panic!("{}: a seeded pool waits for keys: {step:?}", case.name),
        };
        let (first, second, third) = (judge(), judge(), judge());
        // An unknown key ID is remembered too, which is another reason for the same answer.
        let answer = |verdict: &Result<String, Reason>| verdict.clone().map_err(Reason::error_code);
        assert!(
            answer(&first) == answer(&second) && second == third,
            "{}: {first:?}, {second:?}, {third:?}",
            case.name
        );
    }
}

#[test]
fn its_memory_is_bounded_by_bytes_and_by_entries_and_a_scan_pushes_out_no_favourite() {
    let limits = CacheLimits { bytes: 128 * 1024, entries: 30 };
    let mut verifier = verifier_of(pool(), limits);
    let favourites: Vec<String> = (0..10).map(token).collect();
    for _ in 0..3 {
        for token in &favourites {
            assert!(recalled(&mut verifier, NOW, token).is_ok());
        }
    }
    for jti in 100..300 {
        assert_eq!(recalled(&mut verifier, NOW, &token(jti)), Ok(false));
        let (entries, bytes) = verifier.cached_tokens();
        assert!(entries <= 30 && bytes <= 128 * 1024, "{entries} tokens, {bytes} bytes");
    }
    for token in &favourites {
        assert_eq!(recalled(&mut verifier, NOW, token), Ok(true));
    }
    let mut none = verifier_of(pool(), CacheLimits::NONE);
    let token = token(0);
    assert_eq!((recalled(&mut none, NOW, &token), recalled(&mut none, NOW, &token)), (Ok(false), Ok(false)));
    let huge = Draft::access(&RSA_2048).claim("more", format!("\"{}\"", "x".repeat(9_000))).compact();
    let mut small = verifier_of(pool(), CacheLimits { bytes: 64 * 1024, entries: 30 });
    assert_eq!(recalled(&mut small, NOW, &huge), Ok(false));
    assert_eq!(recalled(&mut small, NOW, &huge), Ok(false), "more than an eighth of all is not remembered");
}

#[test]
fn under_a_random_schedule_it_says_what_a_verifier_without_memory_says() {
    let mut rng = Rng::new(20_261_124);
    let tokens: Vec<String> = (0..40)
        .map(|jti| {
            let expires = NOW + 100 + 40 * jti as u64;
            Draft::access(&RSA_2048).claim("jti", format!("\"{jti}\"")).claim("exp", expires).compact()
        })
        .collect();
    let (mut with, mut without) =
        (verifier_of(pool(), CacheLimits { bytes: 48 * 1024, entries: 12 }), verifier_of(pool(), CacheLimits::NONE));
    let sets = [key_set(&RSA_2048, KEY_ID), key_set(&OTHER_RSA_2048, "another")];
    let policies = [pool(), Pool { scopes: Membership::any_of(vec!["nobody/has".into()]), ..pool() }];
    let (mut now, mut newest, mut hits) = (NOW, NOW, 0);
    for _ in 0..20_000 {
        match rng.draw(400) {
            0 => {
                newest = newest.max(now) + 1;
                let set = &sets[usize::from(rng.draw(10) == 0)];
                let seeded =
                    [&mut with, &mut without].map(|it| it.load_key_set(now, ISSUER, set.as_bytes(), newest).is_ok());
                assert_eq!(seeded[0], seeded[1]);
            }
            1 => {
                let policy = &policies[usize::from(rng.draw(10) == 0)];
                for verifier in [&mut with, &mut without] {
                    verifier.change_policy(std::slice::from_ref(policy)).expect("the same issuers");
                }
            }
            2 => now = (now + rng.draw(220) as u64).saturating_sub(100).max(NOW - 100),
            _ => {
                let token = &tokens[rng.draw(tokens.len()).min(rng.draw(tokens.len()))];
                let one = recalled(&mut with, now, token);
                let other = recalled(&mut without, now, token);
                assert_eq!(one.map(drop), other.map(drop), "at {now}");
                hits += usize::from(one == Ok(true));
            }
        }
    }
    println!("{hits} were recalled");
    assert!(hits > 1_000, "only {hits} were recalled");
}

/// Through the component, with the host's own memory of what was said.
async fn host(clock: hand::Hand) -> HostVerifier {
    let pool = poolgate::Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let builder = HostVerifier::builder().pool(pool.local_keys_only()).clock(clock).instances(NonZeroUsize::MIN);
    let builder =
        builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled")).disable_background_refresh();
    let verifier = builder.token_cache(64 * 1024, 16).build().await.expect("the verifier builds");
    verifier.load_key_set(ISSUER, key_set(&RSA_2048, KEY_ID), NOW).await.expect("a good key");
    verifier
}

#[tokio::test]
async fn through_the_component_a_recalled_token_says_the_same_and_stops_working_as_any_other() {
    let clock = hand::Hand::at(NOW);
    let verifier = host(clock.clone()).await;
    let tokens: Vec<Arc<str>> = (0..50).map(|jti| token(jti).into()).collect();
    let mut first = Vec::new();
    for token in &tokens {
        first.push(verifier.verify(token).await.expect("a good token"));
    }
    // Some are remembered and some are not: all say what they said.
    for round in 0..3 {
        for (token, said) in tokens.iter().zip(&first) {
            assert_eq!(verifier.verify(token).await.as_ref(), Ok(said), "round {round}");
        }
    }
    let last = &tokens[49];
    assert!(verifier.verify(last).await.is_ok());
    verifier.load_key_set(ISSUER, key_set(&OTHER_RSA_2048, "another"), NOW + 1).await.expect("a good key");
    let gone = verifier.verify(last).await.expect_err("its key is gone");
    assert_eq!(gone.reason, poolgate::Reason::KeyUnknown);
    clock.advance(10);
    verifier.load_key_set(ISSUER, key_set(&RSA_2048, KEY_ID), NOW + 10).await.expect("a good key");
    assert!(verifier.verify(last).await.is_ok());
    clock.advance(3_530);
    assert_eq!(verifier.verify(last).await.expect_err("it has expired").reason, poolgate::Reason::Expired);
}
