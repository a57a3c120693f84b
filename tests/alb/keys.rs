//! The keys of load balancers in the core: fetches on demand, limits, lifetimes and eviction.

use poolgate_core::{
    CacheLimits, Config, ConfigError, Fetch, FetchError, IssuerRule, KeyOrigin, KeyPolicy, KeyRefreshError, KeyReport,
    KeySetError, KeyState, Limits, LoadBalancers, LogicalTime, Pool, Reason, Response, Step, Verifier,
};
use poolgate_tests::{
    corpus::{
        self,
        load_balancers::{ARN, KEY_ID, OTHER_ARN, draft, padded},
    },
    keys::{OTHER_P256, P256, pem},
    minting::{ISSUER, NOW},
};

const PREFIX: &str = "https://public-keys.auth.elb.eu-west-1.amazonaws.com";
const LIMIT: u64 = 64;

struct Scene {
    verifier: Verifier,
    now: u64,
}

impl Scene {
    fn new(policy: KeyPolicy, cache: CacheLimits) -> Self {
        let verifier = verifier(&[pool(|_| ())], policy, cache).expect("a valid configuration");
        Self { verifier, now: NOW }
    }

    fn default() -> Self {
        Self::new(KeyPolicy::default(), CacheLimits::NONE)
    }

    /// Verifies a token that was issued now.
    fn verify(&mut self, key_id: &str) -> Step {
        let token = self.token(key_id);
        self.verifier.verify(self.now, &token)
    }

    fn token(&self, key_id: &str) -> String {
        let exp = self.now + 120;
        padded(&draft().header("kid", format!("\"{key_id}\"")).header("exp", exp).claim("exp", exp))
    }

    fn needs(&mut self, key_id: &str) -> Fetch {
        match self.verify(key_id) {
            Step::NeedsKeys(fetch) => fetch,
            step => panic!("{key_id}: {step:?}"),
        }
    }

    fn reason(&mut self, key_id: &str) -> Option<Reason> {
        match self.verify(key_id) {
            Step::Done(verdict) => verdict.err(),
            step => panic!("{key_id}: {step:?}"),
        }
    }

    fn reason_after_fetch(&mut self, key_id: &str) -> Option<Reason> {
        let token = self.token(key_id);
        match self.verifier.verify_after_fetch(self.now, &token, LogicalTime(1)) {
            Step::Done(verdict) => verdict.err(),
            step => panic!("{key_id}: {step:?}"),
        }
    }

    fn ends(&mut self, key_id: &str, outcome: Result<Response<'_>, FetchError>) -> Result<(), KeySetError> {
        let url = format!("{PREFIX}/{key_id}");
        self.verifier.fetched(self.now, &url, Some(key_id), LogicalTime(2), self.now, outcome)
    }

    /// Publishes the key of the load balancers under a key ID.
    fn publishes(&mut self, key_id: &str) {
        let body = pem(&P256.jwk(""));
        self.ends(key_id, Ok(of(&body))).expect("the key is valid");
    }

    fn report(&mut self) -> KeyReport {
        let mut reports = self.verifier.key_reports(self.now);
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }

    /// Waits until the token bucket has gained a fetch.
    fn waits(&mut self) -> &mut Self {
        self.now += u64::from(KeyPolicy::default().unknown_key_interval);
        self
    }
}

fn of(body: &str) -> Response<'_> {
    Response { body: Some(body.as_bytes()), max_age: None, etag: Some("\"1\"") }
}

fn pool(change: impl FnOnce(&mut Pool)) -> Pool {
    let mut pool = corpus::pool();
    corpus::load_balancers::rules(&mut pool);
    pool.keys = KeyOrigin::Derived;
    change(&mut pool);
    pool
}

fn verifier(pools: &[Pool], key_policy: KeyPolicy, cache: CacheLimits) -> Result<Verifier, ConfigError> {
    let (pools, limits) = (pools.to_vec(), Limits::default());
    Verifier::new(Config { pools, limits, key_policy, cache, requirements: vec![] })
}

fn id(number: u64) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

#[test]
fn a_key_is_fetched_from_the_region_of_the_arn_when_a_token_needs_it() {
    let mut scene = Scene::default();
    assert_eq!(scene.verifier.maintain(NOW), [], "no key is known before a token names it");
    let fetch = scene.needs(KEY_ID);
    assert_eq!((fetch.url.as_str(), fetch.key_id.as_deref()), (&*format!("{PREFIX}/{KEY_ID}"), Some(KEY_ID)));
    assert_eq!(fetch.etag, None);
    let token = scene.token(KEY_ID);
    let Step::PendingFetch(url) = scene.verifier.verify(NOW, &token) else { panic!("it is being fetched") };
    assert_eq!(url, fetch.url);
    scene.publishes(KEY_ID);
    assert_eq!(scene.reason_after_fetch(KEY_ID), None);
    assert_eq!(scene.reason(KEY_ID), None);
    let report = scene.report();
    assert_eq!(report.issuers, [ARN, OTHER_ARN]);
    assert_eq!((report.url.as_deref(), report.is_on_demand, report.state), (Some(PREFIX), true, KeyState::Fresh));
    assert_eq!(report.key_ids.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), [KEY_ID]);
}

#[test]
fn a_configured_url_replaces_that_of_the_region() {
    let with_url = |url: &str| pool(|pool| pool.keys = KeyOrigin::Url(url.to_owned()));
    for url in ["https://mirror.example/keys", "https://mirror.example/keys/"] {
        let mut verifier = verifier(&[with_url(url)], KeyPolicy::default(), CacheLimits::NONE).expect("valid");
        let Step::NeedsKeys(fetch) = verifier.verify(NOW, &padded(&draft())) else { panic!("no key is known") };
        assert_eq!(fetch.url, format!("https://mirror.example/keys/{KEY_ID}"));
    }
}

#[test]
fn each_load_balancer_has_the_keys_of_its_own_region() {
    let elsewhere = ARN.replace("eu-west-1", "us-east-2");
    let both = pool(|pool| {
        let (issuer, arns) = (ISSUER.to_owned(), vec![ARN.to_owned(), elsewhere.clone()]);
        pool.issuer = IssuerRule::LoadBalancers(LoadBalancers { issuer, arns });
    });
    let mut verifier = verifier(&[both], KeyPolicy::default(), CacheLimits::NONE).expect("valid");
    let here = format!("{PREFIX}/{KEY_ID}");
    let body = pem(&P256.jwk(""));
    verifier.fetched(NOW, &here, Some(KEY_ID), LogicalTime(1), NOW, Ok(of(&body))).expect("a key");
    assert!(verifier.verify(NOW, &padded(&draft())).verdict().is_ok());
    let token = padded(&draft().header("signer", format!("\"{elsewhere}\"")));
    let Step::NeedsKeys(fetch) = verifier.verify(NOW, &token) else { panic!("the other region has other keys") };
    assert_eq!(fetch.url, here.replace("eu-west-1", "us-east-2"));
}

#[test]
fn only_a_token_that_passes_all_other_checks_causes_a_fetch() {
    let mut scene = Scene::default();
    for token in [
        draft().header("signer", "\"arn:aws:elasticloadbalancing:eu-west-1:999999999999:loadbalancer/app/web/1\""),
        draft().header("client", "\"another\""),
        draft().header("exp", NOW + 1_000),
        draft().header("exp", NOW).claim("exp", NOW),
        draft().without_claim("sub"),
        draft().header("kid", "\"../../secret\""),
        draft().header("kid", format!("\"{KEY_ID}/x\"")),
    ] {
        let step = scene.verifier.verify(NOW, &padded(&token));
        assert!(matches!(step, Step::Done(Err(_))), "{step:?}");
    }
}

#[test]
fn an_invented_key_id_is_fetched_once_and_enters_the_negative_cache() {
    let mut scene = Scene::default();
    scene.needs(KEY_ID);
    assert_eq!(scene.ends(KEY_ID, Err(FetchError::BadStatus)), Ok(()));
    assert_eq!(scene.reason_after_fetch(KEY_ID), Some(Reason::KeyUnknown));
    assert_eq!(scene.reason(KEY_ID), Some(Reason::KeyUnknownCached));
    assert_eq!(scene.report().last_error, Some(KeyRefreshError::Fetch(FetchError::BadStatus)));
    scene.now += u64::from(KeyPolicy::default().unknown_key_ttl);
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    assert_eq!(scene.reason_after_fetch(KEY_ID), None);
}

#[test]
fn invented_key_ids_are_fetched_within_the_budget_and_evict_nothing() {
    let mut scene = Scene::default();
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    assert_eq!(scene.reason_after_fetch(KEY_ID), None);
    let mut fetches = 0;
    for number in 0..10_000 {
        match scene.verify(&id(number)) {
            Step::NeedsKeys(_) => {
                fetches += 1;
                scene.ends(&id(number), Err(FetchError::BadStatus)).expect("it was requested");
            }
            Step::Done(Err(Reason::KeyUnknownLimited)) => {}
            step => panic!("{step:?}"),
        }
        scene.now += u64::from(number % 100 == 0);
    }
    let (burst, interval) = (KeyPolicy::default().unknown_key_fetches, KeyPolicy::default().unknown_key_interval);
    assert_eq!(fetches, u64::from(burst - 1) + 100 / u64::from(interval));
    assert_eq!(scene.reason(KEY_ID), None);
    assert_eq!(scene.report().key_ids.len(), 1);
    assert!(scene.verifier.negative_cache_len() <= KeyPolicy::default().unknown_key_entries as usize);
}

#[test]
fn without_a_response_no_key_is_unknown_and_the_next_fetch_waits() {
    let mut scene = Scene::default();
    scene.needs(KEY_ID);
    assert_eq!(scene.ends(KEY_ID, Err(FetchError::Unreachable)), Ok(()));
    assert_eq!(scene.reason_after_fetch(KEY_ID), Some(Reason::KeysUnavailable));
    assert_eq!(scene.reason(KEY_ID), Some(Reason::KeysUnavailable), "the back-off has not passed");
    assert_eq!(scene.reason(&id(1)), Some(Reason::KeysUnavailable), "the other keys are at the same server");
    scene.now += u64::from(KeyPolicy::default().retry_max);
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    assert_eq!(scene.reason(KEY_ID), None);
    assert_eq!((scene.report().failures, scene.report().last_error), (0, None));
}

#[test]
fn a_fetch_without_a_result_ends_at_its_deadline() {
    let mut scene = Scene::default();
    scene.needs(KEY_ID);
    scene.now += u64::from(KeyPolicy::default().fetch_deadline);
    assert_eq!(scene.verifier.maintain(scene.now), []);
    assert_eq!(scene.report().last_error, Some(KeyRefreshError::Fetch(FetchError::TimedOut)));
    assert_eq!(scene.reason(KEY_ID), Some(Reason::KeysUnavailable));
}

#[test]
fn a_body_that_is_not_a_key_is_refused() {
    for body in ["", "{\"keys\":[]}", "<html>", &pem(&P256.jwk("")).repeat(2)] {
        let mut scene = Scene::default();
        scene.needs(KEY_ID);
        assert_eq!(scene.ends(KEY_ID, Ok(of(body))), Err(KeySetError::Malformed), "{body}");
        assert_eq!(scene.reason_after_fetch(KEY_ID), Some(Reason::KeyRefused));
        assert_eq!(scene.reason(KEY_ID), Some(Reason::KeyUnknownCached));
        assert_eq!(scene.report().key_ids.len(), 0);
    }
}

#[test]
fn a_refresh_for_another_verifier_does_not_make_a_key_unknown() {
    let unmodified = Response { body: None, max_age: None, etag: None };
    let error = Err(KeySetError::NotModifiedWithoutKeys);
    // This verifier has not asked for the key, or its key was evicted.
    let mut scene = Scene::default();
    for _ in 0..10 {
        assert_eq!(scene.ends(KEY_ID, Ok(unmodified)), error);
    }
    assert_eq!((scene.verifier.negative_cache_len(), scene.report().failures), (0, 0));
    scene.needs(KEY_ID);
    // This verifier has asked for the key while the other one refreshed it: there was one request for both.
    assert_eq!(scene.ends(KEY_ID, Ok(unmodified)), error);
    assert_eq!(scene.reason_after_fetch(KEY_ID), Some(Reason::KeysUnavailable));
    assert_eq!(scene.verifier.negative_cache_len(), 0);
    scene.now += u64::from(KeyPolicy::default().retry_max);
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    assert_eq!(scene.reason(KEY_ID), None);
}

#[test]
fn another_key_at_the_url_is_another_key() {
    let mut scene = Scene::default();
    scene.needs(KEY_ID);
    let other = pem(&OTHER_P256.jwk(""));
    scene.ends(KEY_ID, Ok(of(&other))).expect("a valid key");
    assert_eq!(scene.reason_after_fetch(KEY_ID), Some(Reason::SignatureInvalid));
}

#[test]
fn a_key_in_use_is_refreshed_after_its_soft_lifetime_and_others_are_not() {
    let policy = KeyPolicy::default();
    let mut scene = Scene::default();
    for key_id in [KEY_ID, &id(1)] {
        scene.needs(key_id);
        scene.publishes(key_id);
    }
    scene.now += u64::from(policy.soft_ttl) - 1;
    assert_eq!(scene.reason(KEY_ID), None, "the first is in use");
    scene.now += 1;
    let due = scene.verifier.maintain(scene.now);
    let [fetch] = due.as_slice() else { panic!("one key is in use: {due:?}") };
    assert_eq!((fetch.key_id.as_deref(), fetch.etag.as_deref()), (Some(KEY_ID), Some("\"1\"")));
    let unmodified = Response { body: None, max_age: None, etag: None };
    scene.ends(KEY_ID, Ok(unmodified)).expect("the key is held");
    assert_eq!(scene.report().age, Some(0));
    assert_eq!(scene.verifier.maintain(scene.now), []);
    // The second key is stale, and still in its hard lifetime.
    assert_eq!(scene.reason(&id(1)), None);
}

#[test]
fn a_refresh_that_fails_keeps_the_key_until_its_hard_lifetime_ends() {
    let policy = KeyPolicy::default();
    let mut scene = Scene::default();
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    while scene.now < NOW + u64::from(policy.hard_ttl) {
        assert_eq!(scene.reason(KEY_ID), None);
        for fetch in scene.verifier.maintain(scene.now) {
            let key_id = fetch.key_id.expect("each fetch is for one key");
            scene.ends(&key_id, Err(FetchError::Unreachable)).expect("the key is held");
        }
        scene.now += 600;
    }
    scene.needs(KEY_ID);
    scene.ends(KEY_ID, Err(FetchError::Unreachable)).expect("the key is held");
    assert_eq!(scene.reason_after_fetch(KEY_ID), Some(Reason::KeysUnavailable));
    scene.now += u64::from(policy.retry_max);
    let _ = scene.verifier.maintain(scene.now);
    assert_eq!(scene.report().key_ids.len(), 0, "a key past its hard lifetime loses its place");
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    assert_eq!(scene.reason(KEY_ID), None);
}

#[test]
fn a_cached_token_is_verified_again_when_its_key_has_changed() {
    let mut scene = Scene::new(KeyPolicy::default(), CacheLimits::default());
    scene.needs(KEY_ID);
    scene.publishes(KEY_ID);
    let token = scene.token(KEY_ID);
    let verify = |scene: &mut Scene| scene.verifier.verify(scene.now, &token).verdict().err();
    assert_eq!(verify(&mut scene), None);
    assert_eq!(scene.verifier.cached_tokens().0, 1);
    // A key that belongs to nobody here leaves the cached token alone.
    scene.needs(&id(1));
    scene.publishes(&id(1));
    assert_eq!((verify(&mut scene), scene.verifier.cached_tokens().0), (None, 1));
    let other = pem(&OTHER_P256.jwk(""));
    scene.ends(KEY_ID, Ok(of(&other))).expect("a valid key");
    assert_eq!(verify(&mut scene), Some(Reason::SignatureInvalid));
    assert_eq!(scene.verifier.cached_tokens().0, 0);
}

#[test]
fn a_new_key_replaces_one_that_verified_nothing_and_then_the_one_least_recently_used() {
    let mut scene = Scene::default();
    // All places are taken: the keys with an odd number have verified a signature, in the order of their numbers.
    for number in 0..LIMIT {
        scene.waits().needs(&id(number));
        scene.publishes(&id(number));
        if number % 2 == 1 {
            assert_eq!(scene.reason(&id(number)), None);
        }
    }
    assert_eq!(scene.report().key_ids.len(), LIMIT as usize);
    // Published keys that no token of ours is signed with, as another load balancer of the region has.
    for number in 0..LIMIT {
        scene.waits().needs(&id(1_000 + number));
        scene.publishes(&id(1_000 + number));
    }
    let held: Vec<String> = scene.report().key_ids.iter().map(ToString::to_string).collect();
    assert_eq!(held.len(), LIMIT as usize);
    for number in 0..LIMIT {
        assert_eq!(held.contains(&id(number)), number % 2 == 1, "{number}");
    }
    // Once all keys have verified a signature, the one that did so least recently goes.
    for key_id in &held {
        scene.now += 1;
        assert_eq!(scene.reason(key_id), None);
    }
    scene.waits().needs(&id(5_000));
    scene.publishes(&id(5_000));
    let now_held = scene.report().key_ids;
    assert!(!now_held.iter().any(|key_id| **key_id == held[0]) && now_held.len() == LIMIT as usize);
}

#[test]
fn a_result_for_a_key_that_this_verifier_did_not_ask_for_is_applied_and_takes_from_the_budget() {
    let mut scene = Scene::default();
    for number in 0..5 {
        scene.publishes(&id(number));
        assert_eq!(scene.reason(&id(number)), None);
    }
    assert_eq!(scene.reason(&id(9)), Some(Reason::KeyUnknownLimited), "verifiers that share fetches share the budget");
    for url in [
        PREFIX.to_owned(),
        format!("{PREFIX}/"),
        format!("{PREFIX}/x"),
        format!("{PREFIX}/{KEY_ID}/"),
        format!("{PREFIX}/a/{KEY_ID}"),
        format!("https://evil.example/{KEY_ID}"),
    ] {
        let body = pem(&P256.jwk(""));
        let result = scene.verifier.fetched(NOW, &url, Some(KEY_ID), LogicalTime(1), NOW, Ok(of(&body)));
        assert_eq!(result, Err(KeySetError::UnknownUrl), "{url}");
    }
}

#[test]
fn an_old_result_does_not_fill_the_negative_cache_of_a_new_verifier() {
    let mut scene = Scene::default();
    let (url, long_ago) = (format!("{PREFIX}/{KEY_ID}"), NOW - 3_600);
    let old = Err(FetchError::BadStatus);
    let _ = scene.verifier.maintain(NOW);
    assert_eq!(scene.verifier.fetched(NOW, &url, Some(KEY_ID), LogicalTime(1), long_ago, old), Ok(()));
    scene.needs(KEY_ID);
}

#[test]
fn an_incomplete_pool_with_load_balancers_is_rejected() {
    let arns = |arns: &[&str]| {
        let (issuer, arns) = (ISSUER.to_owned(), arns.iter().map(|arn| (*arn).to_owned()).collect());
        IssuerRule::LoadBalancers(LoadBalancers { issuer, arns })
    };
    let error = |pools: &[Pool], policy| verifier(pools, policy, CacheLimits::NONE).err();
    let of = |change: &dyn Fn(&mut Pool)| error(&[pool(change)], KeyPolicy::default());
    assert_eq!(of(&|_| ()), None);
    let invalid = Some(ConfigError::InvalidLoadBalancer);
    assert_eq!(of(&|pool| pool.issuer = arns(&[])), invalid);
    assert_eq!(of(&|pool| pool.issuer = arns(&["arn:aws:x"])), invalid);
    assert_eq!(of(&|pool| pool.token_use = poolgate_core::TokenUseRule::Id), invalid);
    assert_eq!(of(&|pool| pool.algorithms = vec![poolgate_core::Algorithm::Rs256]), invalid);
    assert_eq!(of(&|pool| pool.client_claim = Some(poolgate_core::ClientClaim::Aud)), invalid);
    assert_eq!(of(&|pool| pool.issuer = arns(&[ARN, ARN])), Some(ConfigError::DuplicateIssuer));
    let no_issuer = IssuerRule::LoadBalancers(LoadBalancers { issuer: String::new(), arns: vec![ARN.to_owned()] });
    assert_eq!(of(&|pool| pool.issuer = no_issuer.clone()), Some(ConfigError::InvalidIssuer));
    let never = KeyPolicy { unknown_key_fetches: 0, ..KeyPolicy::default() };
    assert_eq!(error(&[pool(|_| ())], never), invalid);
    assert_eq!(error(&[pool(|pool| pool.keys = KeyOrigin::Local)], never), None);
    // Two pools may differ by the issuer or by the load balancers.
    let duplicate = Some(ConfigError::DuplicateIssuer);
    assert_eq!(error(&[pool(|_| ()), pool(|_| ())], KeyPolicy::default()), duplicate);
    let other = pool(|pool| {
        let (issuer, arns) = ("https://id.example.com".to_owned(), vec![ARN.to_owned()]);
        pool.issuer = IssuerRule::LoadBalancers(LoadBalancers { issuer, arns });
    });
    assert_eq!(error(&[pool(|_| ()), other], KeyPolicy::default()), None);
    assert_eq!(error(&[pool(|_| ()), corpus::pool()], KeyPolicy::default()), None, "the user pool has the same issuer");
}

#[test]
fn a_rejection_is_explained_to_the_operator() {
    let blue = poolgate_core::ClaimRule {
        name: None,
        claim: "team".to_owned(),
        path: vec![],
        selector: poolgate_core::ClaimSelector::Value,
        test: poolgate_core::ClaimTest::Exists(true),
        fits_if_absent: false,
    };
    let pool = pool(|pool| pool.claims = vec![blue.clone()]);
    let verifier = verifier(&[corpus::pool(), pool], KeyPolicy::default(), CacheLimits::NONE).expect("valid");
    let slash = format!("\"{ISSUER}/\"");
    let token = padded(&draft().header("iss", &slash).claim("iss", &slash));
    assert_eq!(verifier.hint(&token, Reason::IssuerUnknown), Some(poolgate_core::Hint::IssuerSlash));
    let token = padded(&draft().claim("sub", 7));
    assert_eq!(verifier.hint(&token, Reason::ClaimInvalid), Some(poolgate_core::Hint::SubInvalid));
    let misfit = verifier.misfit(&padded(&draft()), Reason::ClaimMismatch).expect("the claim is absent");
    assert_eq!((misfit.pool, misfit.rule, misfit.is_absent), (1, 0, true));
}

#[test]
fn a_changed_policy_keeps_its_load_balancers() {
    let mut verifier = verifier(&[pool(|_| ())], KeyPolicy::default(), CacheLimits::NONE).expect("valid");
    let any_client = pool(|pool| pool.client = poolgate_core::ClientRule::Unchecked);
    assert_eq!(verifier.change_policy(&[any_client], &[]), Ok(()));
    let other = pool(|pool| {
        let (issuer, arns) = (ISSUER.to_owned(), vec![ARN.to_owned()]);
        pool.issuer = IssuerRule::LoadBalancers(LoadBalancers { issuer, arns });
    });
    assert_eq!(verifier.change_policy(&[other], &[]), Err(ConfigError::OtherIssuers));
    assert_eq!(verifier.change_policy(&[corpus::pool()], &[]), Err(ConfigError::OtherIssuers));
}
