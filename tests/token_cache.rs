//! The cache of verified tokens. A cache hit needs no signature check, and the token is still rejected when its key is
//! removed, when the policy changes, and when it expires. Tested in the core, and through the component with the host.

use poolgate::{TokenUseRule, Verifier as HostVerifier};
use poolgate_core::{
    Algorithm, CacheHit, CacheLimits, ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientRule, Config, IssuerRule,
    IssuerTemplate, KeyPolicy, Limits, LogicalTime, Membership, Pool, Reason, Response, Step,
    TokenUseRule as CoreTokenUse, Verifier, VerifyOutcome,
};
use poolgate_tests::{
    corpus::{cases, pool},
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
    rng::Rng,
};
use std::{num::NonZeroUsize, sync::Arc};

mod manual_clock;

fn key_set(key: &'static TestKey, key_id: &str) -> String {
    jwks(&[key.jwk_for(Algorithm::Rs256, key_id)])
}

fn without_keys(pool: Pool, cache: CacheLimits) -> Verifier {
    let config = Config {
        pools: vec![pool],
        limits: Limits::default(),
        key_policy: KeyPolicy::default(),
        cache,
        requirements: Vec::new(),
    };
    Verifier::new(config).expect("a valid configuration")
}

fn verifier_of(pool: Pool, cache: CacheLimits) -> Verifier {
    let mut verifier = without_keys(pool, cache);
    verifier.load_key_set(NOW, ISSUER, key_set(&RSA_2048, KEY_ID).as_bytes(), NOW).expect("a valid key");
    verifier
}

fn verifier() -> Verifier {
    verifier_of(pool(), CacheLimits::default())
}

fn token(jti: usize) -> String {
    Draft::access(&RSA_2048).claim("jti", format!("\"{jti}\"")).compact()
}

/// Returns whether the token was a cache hit, or the reason if it was rejected.
fn is_cache_hit(verifier: &mut Verifier, now: u64, token: &str) -> Result<bool, Reason> {
    match verifier.verify_cached(now, token) {
        Step::Done(Ok(VerifyOutcome::Cached(_))) => Ok(true),
        Step::Done(Ok(VerifyOutcome::Verified(..))) => Ok(false),
        Step::Done(Err(reason)) => Err(reason),
        step => panic!("keys are needed: {step:?}"),
    }
}

#[test]
fn a_repeated_token_is_a_cache_hit_with_the_same_claims() {
    let mut verifier = verifier();
    let token = token(0);
    let Step::Done(Ok(first)) = verifier.verify(NOW, &token) else { panic!("a valid token") };
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(true));
    let Step::Done(Ok(again)) = verifier.verify(NOW, &token) else { panic!("a valid token") };
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
fn only_the_exact_bytes_are_a_cache_hit() {
    let mut verifier = verifier();
    let token = token(0);
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    // Tokens with a changed character, shortened tokens and extended tokens are neither cache hits nor accepted.
    for position in (0..token.len()).filter(|position| position % 7 == 0) {
        let mut other = token.clone().into_bytes();
        other[position] = if other[position] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).expect("ASCII");
        assert!(is_cache_hit(&mut verifier, NOW, &other).is_err(), "a change at {position} is accepted");
    }
    for other in [&token[1..], &token[..token.len() - 1], &format!("{token}="), &format!(" {token}")] {
        assert!(is_cache_hit(&mut verifier, NOW, other).is_err());
    }
    // The same signature with another payload.
    let (head, signature) = token.rsplit_once('.').expect("three parts");
    let (header, _) = head.split_once('.').expect("three parts");
    let forged = Draft::access(&RSA_2048).claim("username", "\"root\"").compact();
    let payload = forged.split('.').nth(1).expect("three parts");
    assert_eq!(
        is_cache_hit(&mut verifier, NOW, &format!("{header}.{payload}.{signature}")),
        Err(Reason::SignatureInvalid)
    );
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(true));
}

#[test]
fn a_cached_token_is_rejected_and_evicted_when_it_expires() {
    let mut verifier = verifier();
    let token = token(0);
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(is_cache_hit(&mut verifier, NOW + 3_539, &token), Ok(true), "a second before it expires");
    assert_eq!(is_cache_hit(&mut verifier, NOW + 3_540, &token), Err(Reason::Expired));
    assert_eq!(verifier.cached_tokens(), (0, 0));
}

#[test]
fn after_a_clock_jump_a_cached_token_is_rejected_like_any_other() {
    let mut verifier = verifier_of(Pool { max_age: Some(600), ..pool() }, CacheLimits::default());
    let token = token(0);
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(
        is_cache_hit(&mut verifier, NOW - 1_000, &token),
        Err(Reason::IssuedInFuture),
        "a jump back to before it was issued"
    );
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(true));
    assert_eq!(
        is_cache_hit(&mut verifier, NOW + 541, &token),
        Err(Reason::TooOld),
        "a jump ahead past the maximum age"
    );
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(true));
}

#[test]
fn the_cached_tokens_of_a_removed_key_are_evicted() {
    let mut verifier = verifier();
    let token = token(0);
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    // The same key set again, fetched later.
    verifier.load_key_set(NOW + 1, ISSUER, key_set(&RSA_2048, KEY_ID).as_bytes(), NOW + 1).expect("a valid key");
    assert_eq!(is_cache_hit(&mut verifier, NOW + 1, &token), Ok(true));
    verifier
        .load_key_set(NOW + 2, ISSUER, key_set(&OTHER_RSA_2048, "another").as_bytes(), NOW + 2)
        .expect("a valid key");
    assert_eq!(verifier.cached_tokens(), (0, 0), "immediately, not when the token is presented again");
    assert_eq!(is_cache_hit(&mut verifier, NOW + 2, &token), Err(Reason::KeyUnknown));
    // Another key with the same key ID does not verify it.
    verifier.load_key_set(NOW + 3, ISSUER, key_set(&OTHER_RSA_2048, KEY_ID).as_bytes(), NOW + 3).expect("a valid key");
    // The modulus of this key may be smaller than the signature.
    let rejected = is_cache_hit(&mut verifier, NOW + 3, &token);
    assert!(matches!(rejected, Err(Reason::SignatureInvalid | Reason::SignatureOutOfRange)), "{rejected:?}");
}

#[test]
fn a_key_past_its_hard_lifetime_verifies_no_cached_token() {
    let mut verifier = verifier();
    let hard_ttl = u64::from(KeyPolicy::default().hard_ttl);
    let token = Draft::access(&RSA_2048).claim("exp", NOW + 10 * hard_ttl).compact();
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(is_cache_hit(&mut verifier, NOW + hard_ttl - 1, &token), Ok(true));
    assert_eq!(is_cache_hit(&mut verifier, NOW + hard_ttl, &token), Err(Reason::KeysUnavailable));
}

#[test]
fn a_cache_hit_reports_whether_the_key_is_stale_now() {
    let mut verifier = {
        let pool = Pool { keys: poolgate_core::KeyOrigin::Url("https://keys.example/".into()), ..pool() };
        let config = Config {
            pools: vec![pool],
            limits: Limits::default(),
            key_policy: KeyPolicy::default(),
            cache: CacheLimits::default(),
            requirements: Vec::new(),
        };
        Verifier::new(config).expect("a valid configuration")
    };
    let body = key_set(&RSA_2048, KEY_ID);
    let response = Response { body: Some(body.as_bytes()), max_age: None, etag: None };
    verifier.fetched(NOW, "https://keys.example/", None, LogicalTime::UNKNOWN, NOW, Ok(response)).expect("a valid key");
    let token = Draft::access(&RSA_2048).claim("exp", NOW + 100_000).compact();
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    let stale = |verifier: &mut Verifier, now| match verifier.verify_cached(now, &token) {
        Step::Done(Ok(VerifyOutcome::Cached(CacheHit { keys_are_stale, .. }))) => keys_are_stale,
        step => panic!("no cache hit: {step:?}"),
    };
    assert!(!stale(&mut verifier, NOW + 10));
    assert!(stale(&mut verifier, NOW + 3_600));
}

#[test]
fn a_changed_policy_applies_to_cached_tokens() {
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
        assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
        verifier.change_policy(&[changed], &[]).expect("the same issuers");
        assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Err(reason));
        verifier.change_policy(&[pool()], &[]).expect("the same issuers");
        assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    }
    // The claim `client_id` depends on the policy, so it changes with the policy.
    let mut verifier = verifier();
    let of_any_use = |client: &str| Pool {
        token_use: CoreTokenUse::Unchecked,
        client: ClientRule::OneOf(vec![client.into()]),
        ..pool()
    };
    let two = Draft::id(&RSA_2048).claim("aud", format!("[\"first\",\"{CLIENT_ID}\"]")).compact();
    verifier.change_policy(&[of_any_use(CLIENT_ID)], &[]).expect("the same issuers");
    assert_eq!(is_cache_hit(&mut verifier, NOW, &two), Ok(false));
    verifier.change_policy(&[of_any_use("first")], &[]).expect("the same issuers");
    let Step::Done(Ok(verified)) = verifier.verify(NOW, &two) else { panic!("a valid token") };
    assert_eq!(verified.client_id.as_deref(), Some("first"));
    let elsewhere = Pool { issuer: IssuerRule::Exactly("https://example.org".into()), ..pool() };
    assert!(verifier.change_policy(&[elsewhere], &[]).is_err());
}

#[test]
fn changed_claim_rules_apply_to_cached_tokens() {
    let rule = |user: &str| ClaimRule {
        name: None,
        claim: "username".into(),
        path: vec![],
        selector: ClaimSelector::Value,
        test: ClaimTest::AnyOf(vec![ClaimValue::Text(user.into())]),
        fits_if_absent: false,
    };
    let (ada, bob) = (rule("ada"), rule("bob"));
    let token = token(0);
    let mut verifier = verifier();
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    let pool_with = |rule: &ClaimRule| [Pool { claims: vec![rule.clone()], ..pool() }];
    verifier.change_policy(&pool_with(&bob), &[]).expect("the same issuers");
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Err(Reason::ClaimMismatch));
    // Every list of the caller's rules is judged, also for a cached token.
    verifier
        .change_policy(&pool_with(&ada), &[vec![bob], vec![ada.clone()], vec![ada.clone()]])
        .expect("the same issuers");
    for _ in 0..2 {
        let Step::Done(Ok(verified)) = verifier.verify(NOW, &token) else { panic!("a valid token") };
        assert_eq!(verified.requirements, 0b110);
    }
    verifier.change_policy(&pool_with(&ada), &[vec![ada]]).expect("the same issuers");
    let Step::Done(Ok(verified)) = verifier.verify(NOW, &token) else { panic!("a valid token") };
    assert_eq!(verified.requirements, 0b1);
}

#[test]
fn changed_tenants_apply_to_cached_tokens() {
    const TEMPLATE: &str = "https://login.microsoftonline.com/{tid}/v2.0";
    const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const OTHER_TENANT: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
    let pool_of = |tenants: Option<&[&str]>| {
        let tenants = tenants.map(|tenants| tenants.iter().map(|tenant| (*tenant).into()).collect());
        let issuer = IssuerRule::Tenants(IssuerTemplate { template: TEMPLATE.into(), tenants });
        [Pool { issuer, token_use: CoreTokenUse::Unchecked, client: ClientRule::Unchecked, ..pool() }]
    };
    let token_of = |tenant: &str| {
        let draft = Draft::of_issuer(&RSA_2048, &TEMPLATE.replace("{tid}", tenant));
        draft.claim("tid", format!("\"{tenant}\"")).compact()
    };
    let mut key = RSA_2048.jwk(KEY_ID);
    key["issuer"] = TEMPLATE.into();
    let [both] = pool_of(Some(&[TENANT, OTHER_TENANT]));
    let mut verifier = without_keys(both, CacheLimits::default());
    verifier.load_key_set(NOW, TEMPLATE, jwks(&[key]).as_bytes(), NOW).expect("a valid key");
    let (token, other) = (token_of(TENANT), token_of(OTHER_TENANT));
    for token in [&token, &other] {
        assert_eq!(is_cache_hit(&mut verifier, NOW, token), Ok(false));
        assert_eq!(is_cache_hit(&mut verifier, NOW, token), Ok(true));
    }
    verifier.change_policy(&pool_of(Some(&[TENANT])), &[]).expect("the same issuers");
    assert_eq!(is_cache_hit(&mut verifier, NOW, &token), Ok(false));
    assert_eq!(is_cache_hit(&mut verifier, NOW, &other), Err(Reason::IssuerUnknown));
    verifier.change_policy(&pool_of(None), &[]).expect("the same issuers");
    assert_eq!(is_cache_hit(&mut verifier, NOW, &other), Ok(false));
}

#[test]
fn every_token_of_the_corpus_gets_the_same_result_the_second_time() {
    for case in cases() {
        let mut verifier = case.verifier();
        let mut verify = || match verifier.verify(case.now, &case.token) {
            Step::Done(verdict) => verdict.map(|verified| verified.payload),
            step => panic!("{}: a pool with local keys waits for keys: {step:?}", case.name),
        };
        let (first, second, third) = (verify(), verify(), verify());
        // An unknown key ID is cached too, which is another reason code with the same error code.
        let answer = |verdict: &Result<String, Reason>| verdict.clone().map_err(Reason::error_code);
        assert!(
            answer(&first) == answer(&second) && second == third,
            "{}: {first:?}, {second:?}, {third:?}",
            case.name
        );
    }
}

#[test]
fn memory_and_entries_are_limited_and_a_scan_does_not_evict_frequent_tokens() {
    let limits = CacheLimits { bytes: 128 * 1024, entries: 30 };
    let mut verifier = verifier_of(pool(), limits);
    let frequent: Vec<String> = (0..10).map(token).collect();
    for _ in 0..3 {
        for token in &frequent {
            assert!(is_cache_hit(&mut verifier, NOW, token).is_ok());
        }
    }
    for jti in 100..300 {
        assert_eq!(is_cache_hit(&mut verifier, NOW, &token(jti)), Ok(false));
        let (entries, bytes) = verifier.cached_tokens();
        assert!(entries <= 30 && bytes <= 128 * 1024, "{entries} tokens, {bytes} bytes");
    }
    for token in &frequent {
        assert_eq!(is_cache_hit(&mut verifier, NOW, token), Ok(true));
    }
    let mut none = verifier_of(pool(), CacheLimits::NONE);
    let token = token(0);
    assert_eq!((is_cache_hit(&mut none, NOW, &token), is_cache_hit(&mut none, NOW, &token)), (Ok(false), Ok(false)));
    let huge = Draft::access(&RSA_2048).claim("more", format!("\"{}\"", "x".repeat(9_000))).compact();
    let mut small = verifier_of(pool(), CacheLimits { bytes: 64 * 1024, entries: 30 });
    assert_eq!(is_cache_hit(&mut small, NOW, &huge), Ok(false));
    assert_eq!(
        is_cache_hit(&mut small, NOW, &huge),
        Ok(false),
        "a token larger than an eighth of the cache is not cached"
    );
}

#[test]
fn under_a_random_schedule_the_results_are_those_of_a_verifier_without_a_cache() {
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
                let loaded =
                    [&mut with, &mut without].map(|it| it.load_key_set(now, ISSUER, set.as_bytes(), newest).is_ok());
                assert_eq!(loaded[0], loaded[1]);
            }
            1 => {
                let policy = &policies[usize::from(rng.draw(10) == 0)];
                for verifier in [&mut with, &mut without] {
                    verifier.change_policy(std::slice::from_ref(policy), &[]).expect("the same issuers");
                }
            }
            2 => now = (now + rng.draw(220) as u64).saturating_sub(100).max(NOW - 100),
            _ => {
                let token = &tokens[rng.draw(tokens.len()).min(rng.draw(tokens.len()))];
                let one = is_cache_hit(&mut with, now, token);
                let other = is_cache_hit(&mut without, now, token);
                assert_eq!(one.map(drop), other.map(drop), "at {now}");
                hits += usize::from(one == Ok(true));
            }
        }
    }
    println!("{hits} cache hits");
    assert!(hits > 1_000, "only {hits} cache hits");
}

/// A verifier of the host, which stores the claims of cached tokens itself.
async fn host(clock: manual_clock::ManualClock) -> HostVerifier {
    let pool = poolgate::Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let builder = HostVerifier::builder().pool(pool.local_keys_only()).clock(clock).instances(NonZeroUsize::MIN);
    let builder =
        builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled")).disable_background_refresh();
    let verifier = builder.token_cache(64 * 1024, 16).build().await.expect("the verifier builds");
    verifier.load_key_set(ISSUER, key_set(&RSA_2048, KEY_ID), NOW).await.expect("a valid key");
    verifier
}

#[tokio::test]
async fn through_the_component_a_cache_hit_has_the_same_claims_and_is_rejected_like_any_other_token() {
    let clock = manual_clock::ManualClock::at(NOW);
    let verifier = host(clock.clone()).await;
    let tokens: Vec<Arc<str>> = (0..50).map(|jti| token(jti).into()).collect();
    let mut first = Vec::new();
    for token in &tokens {
        first.push(verifier.verify(token).await.expect("a valid token"));
    }
    // Some of the tokens are cached and some are not. All have the same claims as before.
    for round in 0..3 {
        for (token, claims) in tokens.iter().zip(&first) {
            assert_eq!(verifier.verify(token).await.as_ref(), Ok(claims), "round {round}");
        }
    }
    let last = &tokens[49];
    assert!(verifier.verify(last).await.is_ok());
    verifier.load_key_set(ISSUER, key_set(&OTHER_RSA_2048, "another"), NOW + 1).await.expect("a valid key");
    let rejected = verifier.verify(last).await.expect_err("its key is removed");
    assert_eq!(rejected.reason, poolgate::Reason::KeyUnknown);
    clock.advance(10);
    verifier.load_key_set(ISSUER, key_set(&RSA_2048, KEY_ID), NOW + 10).await.expect("a valid key");
    assert!(verifier.verify(last).await.is_ok());
    clock.advance(3_530);
    assert_eq!(verifier.verify(last).await.expect_err("it has expired").reason, poolgate::Reason::Expired);
}
