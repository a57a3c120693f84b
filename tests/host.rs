//! The host around the sandbox: key fetches before they are needed, one fetch for all instances, limits on calls, graceful shutdown, and
//! metrics.

#[path = "manual_clock.rs"]
mod manual_clock;

use manual_clock::ManualClock;
use poolgate::{
    ClaimRule, Denial, ErrorCode, FetchError, KeyRefreshError, KeyState, LoadKeySetError, Pool, Reason, Requirement,
    TokenUseRule, Verifier, VerifierBuilder,
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, NOW},
};
use std::{num::NonZeroUsize, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// A timeout that is not reached even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn pool_id(number: usize) -> String {
    format!("eu-west-1_Pool{number:05}")
}

fn path(number: usize) -> String {
    format!("/{number}")
}

fn builder(server: &FaultyServer, clock: &ManualClock, pools: usize) -> VerifierBuilder {
    let mut builder = Verifier::builder();
    for number in 0..pools {
        let pool = Pool::user_pool(pool_id(number)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        builder = builder.pool(pool.jwks_url(server.url(&path(number))));
    }
    builder
        .allow_http_loopback(true)
        .clock(clock.clone())
        .connect_timeout(PATIENCE)
        .fetch_timeout(PATIENCE)
        .queue_deadline(PATIENCE)
        .call_deadline(PATIENCE)
        .disable_background_refresh()
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

fn good_keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

fn draft(number: usize) -> Draft {
    let issuer = format!("https://cognito-idp.eu-west-1.amazonaws.com/{}", pool_id(number));
    Draft::access(&RSA_2048).claim("iss", format!("\"{issuer}\"")).claim("exp", NOW + 100 * 86_400)
}

fn token(number: usize) -> String {
    draft(number).compact()
}

/// A token with a `kid` that is in no key set.
fn unknown_kid(number: usize) -> String {
    draft(0).header("kid", format!("\"unknown {number}\"")).compact()
}

fn instances(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("at least one")
}

/// Starts calls with valid tokens, and returns when all of them wait for keys.
async fn calls_that_wait(verifier: &Verifier, count: u64) -> Vec<JoinHandle<Result<(), Denial>>> {
    let call = |_| {
        let verifier = verifier.clone();
        tokio::spawn(async move { verifier.verify(&token(0)).await.map(|_| ()) })
    };
    let calls = (0..count).map(call).collect();
    while verifier.key_waits() < count {
        tokio::task::yield_now().await;
    }
    calls
}

fn metric(verifier: &Verifier, line: &str) -> u64 {
    let text = verifier.metrics();
    let found = text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in\n{text}")).parse().expect("a number")
}

#[tokio::test]
async fn a_failed_endpoint_does_not_affect_the_others_and_the_report_names_it() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    server.path_does(&path(1), Behaviour::Status(403, good_keys()));
    server.path_does(&path(2), Behaviour::Serve("{\"keys\":[]}".into()));
    let verifier = builder(&server, &ManualClock::at(NOW), 4).build().await.expect("it builds");
    let reports = verifier.hydrate().await.expect("the sandbox works");
    let states: Vec<_> = reports.iter().map(|report| (report.state, report.last_error)).collect();
    let empty = KeyRefreshError::KeySet(poolgate::KeySetError::NoUsableKey);
    assert_eq!(
        states,
        [
            (KeyState::Fresh, None),
            (KeyState::Missing, Some(KeyRefreshError::Fetch(FetchError::BadStatus))),
            (KeyState::Missing, Some(empty)),
            (KeyState::Fresh, None),
        ]
    );
    for (number, is_good) in [(0, true), (1, false), (2, false), (3, true)] {
        assert_eq!(verifier.verify(&token(number)).await.is_ok(), is_good, "pool {number}");
    }
    assert_eq!(verifier.key_waits(), 0, "no token waits after hydrate");
    assert_eq!(server.fetches(), 4);
}

/// An endpoint that fails is retried indefinitely, and `hydrate` does not wait for the retries.
#[tokio::test]
async fn hydrate_waits_once_for_the_fetches_in_progress_when_it_was_called() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    server.path_does(&path(0), Behaviour::Held(Box::new(Behaviour::Serve(good_keys()))));
    server.path_does(&path(1), Behaviour::InTurn(vec![Behaviour::Status(500, good_keys()), Behaviour::Stall]));
    let clock = ManualClock::at(NOW);
    let builder = builder(&server, &clock, 2).refresh_check_interval(Duration::from_millis(5));
    let verifier = builder.build().await.expect("it builds");
    let hydrating = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifier.hydrate().await }
    });
    server.wait_for_fetches(2).await;
    // A retry is due as soon as the failure is known.
    while server.fetches_of(&path(1)) < 2 {
        clock.advance(1);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!hydrating.is_finished(), "one endpoint has not responded");
    server.release();
    // The retry takes as long as a fetch may take.
    let reports =
        timeout(PATIENCE / 2, hydrating).await.expect("hydrate does not wait for the retry").expect("no panic");
    let states = reports.expect("the sandbox works").into_iter().map(|report| report.state).collect::<Vec<_>>();
    assert_eq!(states, [KeyState::Fresh, KeyState::Missing]);
}

#[tokio::test]
async fn both_lists_of_groups_must_be_met_and_each_may_be_set_once() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let pool = || {
        let pool = Pool::user_pool(pool_id(0)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        pool.jwks_url(server.url(&path(0)))
    };
    let build = async |pool: Pool| builder(&server, &ManualClock::at(NOW), 0).pool(pool).build().await;
    // The token has the groups readers and writers.
    for (pool, expected) in [
        (pool().any_of_groups(["admins", "readers"]).all_of_groups(["writers"]), Ok(())),
        (pool().any_of_groups(["admins"]).all_of_groups(["writers"]), Err(Reason::GroupMissing)),
        (pool().all_of_groups(["admins"]).any_of_groups(["writers"]), Err(Reason::GroupMissing)),
        (pool().any_of_scopes(["openid"]).all_of_scopes(["orders/delete"]), Err(Reason::ScopeMissing)),
        (pool().any_of_groups(["readers"]).any_of_scopes(["orders/delete"]), Err(Reason::ScopeMissing)),
    ] {
        let verifier = build(pool).await.expect("it builds");
        assert_eq!(verifier.verify(&token(0)).await.map(|_| ()).map_err(|denial| denial.reason), expected);
    }
    let no_names: [&str; 0] = [];
    for (pool, problem) in [
        (pool().any_of_groups(["a"]).any_of_groups(["b"]), "any_of_groups is set twice"),
        (pool().all_of_groups(["a"]).all_of_groups(["b"]), "all_of_groups is set twice"),
        (pool().any_of_scopes(["a"]).any_of_scopes(["b"]), "any_of_scopes is set twice"),
        (pool().all_of_scopes(["a"]).all_of_scopes(["b"]), "all_of_scopes is set twice"),
        (pool().any_of_groups(no_names), "empty-list"),
        (pool().all_of_groups(no_names), "empty-list"),
        (pool().any_of_groups(["a"]).all_of_groups([""]), "empty-list"),
        (pool().all_of_scopes(no_names), "empty-list"),
        (pool().resources(no_names), "empty-list"),
        (pool().resources(["https://api"]).token_use(TokenUseRule::Id), "resource-of-id-tokens"),
    ] {
        let error = build(pool).await.expect_err("it is rejected").to_string();
        assert!(error.contains(problem), "{problem}: {error}");
    }
}

#[tokio::test]
async fn in_steady_state_no_token_waits_for_a_fetch() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let clock = ManualClock::at(NOW);
    let verifier = builder(&server, &clock, 3).build().await.expect("it builds");
    verifier.hydrate().await.expect("the keys are fetched");
    // Two days, in steps of ten minutes. Several times, the issuer fails for hours.
    for step in 0..288 {
        clock.advance(600);
        let is_down = step % 48 >= 36;
        server.now_does(if is_down { Behaviour::Status(500, good_keys()) } else { Behaviour::Serve(good_keys()) });
        verifier.hydrate().await.expect("the sandbox works");
        for number in 0..3 {
            verifier.verify(&token(number)).await.unwrap_or_else(|denial| panic!("step {step}: {denial}"));
        }
    }
    assert_eq!(verifier.key_waits(), 0);
    assert_eq!(metric(&verifier, "poolgate_key_waits_total"), 0);
    assert!(
        metric(&verifier, "poolgate_stale_key_verifications_total") > 0,
        "the outages were longer than the soft lifetime"
    );
    assert_eq!(metric(&verifier, "poolgate_verdicts_total{verdict=\"allow\",reason=\"\"}"), 288 * 3);
}

#[tokio::test]
async fn the_verifier_refreshes_its_keys_in_the_background() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let clock = ManualClock::at(NOW);
    let builder = builder(&server, &clock, 1).refresh_check_interval(Duration::from_millis(5));
    let verifier = builder.build().await.expect("it builds");
    server.wait_for_fetches(1).await;
    verifier.hydrate().await.expect("the first fetch ends");
    clock.advance(3_600);
    server.wait_for_fetches(2).await;
    verifier.hydrate().await.expect("the sandbox works");
    verifier.verify(&token(0)).await.expect("the keys are fresh");
    assert_eq!(verifier.key_waits(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_waits_for_keys_does_not_delay_others() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let clock = ManualClock::at(NOW);
    let verifier = builder(&server, &clock, 2).instances(instances(1)).build().await.expect("it builds");
    verifier.hydrate().await.expect("the keys are fetched");
    server.now_does(Behaviour::Held(Box::new(Behaviour::Serve(good_keys()))));
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let verifier = verifier.clone();
            tokio::spawn(async move { verifier.verify(&unknown_kid(number)).await })
        })
        .collect();
    server.wait_for_fetches(3).await;
    // The only instance is free. The fetch stays in progress.
    for number in 0..50 {
        verifier.verify(&token(number % 2)).await.expect("a known key does not wait");
    }
    assert!(waiting.iter().all(|task| !task.is_finished()), "a token got a result before the fetch completed");
    server.release();
    for task in waiting {
        let denial = timeout(PATIENCE, task).await.expect("it ends").expect("no panic").expect_err("no such key");
        assert_eq!(denial.reason, Reason::KeyUnknown);
    }
    // Calls that arrived after the first fetch had started wait for one more, because the key could have been published since.
    assert!((3..=4).contains(&server.fetches()), "{} fetches for all of them", server.fetches());
    assert_eq!(verifier.key_waits(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_one_fetch_every_instance_has_the_key_id_cached_as_unknown() {
    let (server, clock) = (FaultyServer::start(Behaviour::Serve(good_keys())).await, ManualClock::at(NOW));
    let verifier = builder(&server, &clock, 1).instances(instances(4)).build().await.expect("it builds");
    verifier.hydrate().await.expect("the keys are fetched");
    let denial = verifier.verify(&unknown_kid(0)).await.expect_err("no such key");
    assert_eq!((denial.reason, server.fetches()), (Reason::KeyUnknown, 2));
    // Valid tokens keep one instance busy, so that the other tokens get other instances.
    let calls: Vec<_> = (0..8)
        .map(|task| {
            let verifier = verifier.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    match task % 2 {
                        0 => verifier.verify(&token(0)).await.map(|_| ()).expect("a valid token"),
                        _ => {
                            let denial = verifier.verify(&unknown_kid(0)).await.expect_err("no such key");
                            assert_eq!(denial.reason, Reason::KeyUnknownCached);
                        }
                    }
                }
            })
        })
        .collect();
    for call in calls {
        call.await.expect("the expected results");
    }
    assert_eq!(server.fetches(), 2, "an instance did not apply the result of the fetch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_key_is_removed_in_every_instance() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let clock = ManualClock::at(NOW);
    let verifier = builder(&server, &clock, 1).instances(instances(4)).build().await.expect("it builds");
    verifier.hydrate().await.expect("the keys are fetched");
    let verify_often = async || {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let verifier = verifier.clone();
                tokio::spawn(async move { verifier.verify(&token(0)).await.map(|_| ()) })
            })
            .collect();
        let mut verdicts = Vec::new();
        for task in tasks {
            verdicts.push(task.await.expect("no panic"));
        }
        verdicts
    };
    assert!(verify_often().await.iter().all(Result::is_ok));
    server.now_does(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")])));
    clock.advance(3_600);
    verifier.hydrate().await.expect("the new keys are fetched");
    let verdicts = verify_often().await;
    assert!(verdicts.iter().all(Result::is_err), "{verdicts:?}");
    let new = Draft::access(&OTHER_RSA_2048)
        .claim("iss", "\"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool00000\"");
    let new = new.claim("exp", NOW + 100 * 86_400).header("kid", "\"new\"").compact();
    for _ in 0..16 {
        verifier.verify(&new).await.expect("the new key verifies");
    }
}

#[tokio::test]
async fn calls_above_the_limit_are_denied_immediately() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(good_keys())))).await;
    let builder = builder(&server, &ManualClock::at(NOW), 1).call_limit(instances(8));
    let verifier = builder.build().await.expect("it builds");
    let waiting = calls_that_wait(&verifier, 2).await;
    let denial = verifier.verify(&token(0)).await.expect_err("a quarter of eight may wait for keys");
    assert_eq!(
        denial,
        Denial { reason: Reason::KeysUnavailable, error: ErrorCode::Unavailable, hint: None, misfit: None }
    );
    let malformed = verifier.verify("a.b").await.expect_err("no token");
    assert_eq!(malformed.reason, Reason::TokenNotThreeParts, "a call that needs no keys gets a result");
    server.release();
    for task in waiting {
        assert_eq!(task.await.expect("no panic"), Ok(()));
    }
}

#[tokio::test]
async fn a_call_limit_of_one_admits_one_call() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(good_keys())))).await;
    let verifier =
        builder(&server, &ManualClock::at(NOW), 1).call_limit(instances(1)).build().await.expect("it builds");
    let inside = calls_that_wait(&verifier, 1).await.remove(0);
    let denial = verifier.verify(&token(0)).await.expect_err("the limit is reached");
    assert_eq!(denial, Denial { reason: Reason::Overloaded, error: ErrorCode::Unavailable, hint: None, misfit: None });
    server.release();
    assert_eq!(inside.await.expect("no panic"), Ok(()));
    assert_eq!(metric(&verifier, "poolgate_verdicts_total{verdict=\"deny\",reason=\"overloaded\"}"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_too_long_for_an_instance_is_denied_and_the_metrics_wait_for_none() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let clock = ManualClock::at(NOW);
    let builder = builder(&server, &clock, 1).instances(instances(1)).jwks_limits(1 << 24, 10_000);
    let verifier = builder.queue_deadline(Duration::from_millis(1)).build().await.expect("it builds");
    verifier.hydrate().await.expect("the keys are fetched");
    // Preparing 10,000 keys takes the only instance about half a second. On a busy machine, all calls of this task may come before or after it,
    // so it is repeated with other keys.
    let keys = |name: &str| -> Vec<_> {
        (0..10_000).map(|n| RSA_2048.jwk_for(Algorithm::Rs256, &format!("{name} {n}"))).collect()
    };
    let sets = [jwks(&keys("key")), jwks(&keys("other key"))];
    let mut overloaded = 0;
    for set in sets.iter().cycle().take(40) {
        let seeding = tokio::spawn({
            let (verifier, set) = (verifier.clone(), set.clone());
            async move {
                let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool00000";
                verifier.load_key_set(issuer, set, NOW).await
            }
        });
        while !seeding.is_finished() {
            match verifier.verify(&token(0)).await {
                Err(Denial { reason: Reason::Overloaded, .. }) => {
                    overloaded += 1;
                    // The metrics are available while all instances are busy.
                    clock.advance(1);
                    let age = metric(
                        &verifier,
                        "poolgate_key_age_seconds{issuer=\"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool00000\"}",
                    );
                    assert_eq!(age, overloaded, "the age of the keys");
                }
                Err(denial) => {
                    let is_expected = matches!(
                        denial.reason,
                        Reason::KeyUnknown | Reason::KeyUnknownCached | Reason::KeyUnknownLimited
                    );
                    assert!(is_expected, "the loaded key set has other keys: {denial}");
                }
                Ok(_) => {}
            }
            tokio::task::yield_now().await;
        }
        // The call of `load_key_set` may itself wait too long for the instance.
        match seeding.await.expect("no panic") {
            Ok(_) if overloaded > 0 => break,
            Ok(_) | Err(LoadKeySetError::Sandbox) => {}
            Err(error) => panic!("the key set is valid: {error}"),
        }
    }
    assert!(overloaded > 0, "no call waited longer than a millisecond for the instance");
    assert_eq!(verifier.sandbox_failures(), 0);
}

#[tokio::test]
async fn a_shutdown_finishes_the_calls_in_progress_and_rejects_new_ones() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(good_keys())))).await;
    let verifier = builder(&server, &ManualClock::at(NOW), 1).build().await.expect("it builds");
    let inside = calls_that_wait(&verifier, 5).await;
    let closing = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifier.shut_down().await }
    });
    // The shutdown has started when a call is denied because of it.
    while verifier.verify("a.b").await.expect_err("no token").reason != Reason::ShuttingDown {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished(), "calls are still waiting for their keys");
    server.release();
    for task in inside {
        assert_eq!(task.await.expect("no panic"), Ok(()), "a call in progress is finished");
    }
    timeout(PATIENCE, closing).await.expect("the shutdown ends").expect("no panic");
    let denial = verifier.verify(&token(0)).await.expect_err("it is shut down");
    assert_eq!(
        denial,
        Denial { reason: Reason::ShuttingDown, error: ErrorCode::Unavailable, hint: None, misfit: None }
    );
    timeout(PATIENCE, verifier.shut_down()).await.expect("a second shutdown returns");
}

#[tokio::test]
async fn a_token_that_does_not_fit_a_claim_rule_is_counted_by_rule_and_names_are_required_per_call() {
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    let pool = Pool::user_pool(pool_id(0)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let pool = pool
        .claim(ClaimRule::new("username").any_of(["ada"]))
        .claim(ClaimRule::new("tenant").name("tenants").any_of(["acme"]));
    let rules = |value: &str| [ClaimRule::new("tenant").any_of([value])];
    let verifier = builder(&server, &ManualClock::at(NOW), 0)
        .pool(pool.jwks_url(server.url(&path(0))))
        .claim_rules("acme", rules("acme"))
        .claim_rules("other", rules("other"))
        .build()
        .await
        .expect("it builds");
    verifier.hydrate().await.expect("the sandbox works");
    let metrics = verifier.metrics();
    assert_eq!(metrics.matches("poolgate_claim_rule_misfits_total{").count(), 4, "from the start: {metrics}");
    for (draft, rule, is_absent) in [
        (draft(0), 1, true),
        (draft(0).claim("tenant", "\"evil\""), 1, false),
        (draft(0).claim("tenant", "\"acme\"").claim("username", "\"eve\""), 0, false),
    ] {
        let denial = verifier.verify(&draft.compact()).await.expect_err("a rule does not fit");
        let misfit = denial.misfit.expect("the rule is named");
        assert_eq!((denial.reason, misfit.pool, misfit.rule), (Reason::ClaimMismatch, 0, rule));
        assert_eq!(misfit.is_absent, is_absent);
    }
    let token = draft(0).claim("tenant", "\"acme\"").compact();
    for _ in 0..2 {
        let verified = verifier.verify(&token).await.expect("all rules fit");
        assert!(verified.fits_claim_rules("acme"), "also from the cache");
        assert!(!verified.fits_claim_rules("other") && !verified.fits_claim_rules("unknown"));
        assert_eq!(Requirement::new().claim_rules("acme").check(&verified), Ok(()));
        let denial =
            Requirement::new().claim_rules("acme").claim_rules("other").check(&verified).expect_err("it does not fit");
        assert_eq!((denial.reason, denial.error), (Reason::ClaimForbidden, ErrorCode::InsufficientScope));
    }
    let metrics = verifier.metrics();
    for line in [
        "poolgate_claim_rule_misfits_total{rule=\"tenants\",claim=\"absent\"} 1",
        "poolgate_claim_rule_misfits_total{rule=\"tenants\",claim=\"present\"} 1",
        "poolgate_claim_rule_misfits_total{rule=\"pools[0].claims[0]\",claim=\"present\"} 1",
        "poolgate_claim_rule_misfits_total{rule=\"pools[0].claims[0]\",claim=\"absent\"} 0",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}: {metrics}");
    }
    let twice = builder(&server, &ManualClock::at(NOW), 1).claim_rules("a", rules("a")).claim_rules("a", rules("b"));
    assert!(twice.build().await.expect_err("a name occurs twice").to_string().contains("claim_rules"));
}

#[tokio::test]
async fn the_book_lists_exactly_the_existing_metrics() {
    let page = include_str!("../docs/operations.md");
    let server = FaultyServer::start(Behaviour::Serve(good_keys())).await;
    server.path_does(&path(1), Behaviour::Serve("{}".into()));
    let verifier = builder(&server, &ManualClock::at(NOW), 2).build().await.expect("it builds");
    verifier.hydrate().await.expect("the sandbox works");
    verifier.verify(&token(0)).await.expect("the token is valid");
    verifier.verify(&unknown_kid(1)).await.expect_err("no such key");
    verifier.verify(&unknown_kid(1)).await.expect_err("no such key");
    let text = verifier.metrics();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut names: Vec<String> =
        types.map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() }).collect();
    names.sort_unstable();
    let section = page.split("## Metrics").nth(1).and_then(|rest| rest.split("## ").next()).expect("the section");
    let mut documented: Vec<String> = section
        .split('`')
        .filter(|word| word.starts_with("poolgate_"))
        .map(|word| word.split('{').next().unwrap_or_default().to_owned())
        // This metric is tested in `accounts.rs`; this verifier has no account flows.
        .filter(|name| name != "poolgate_account_flows_total")
        // This metric is tested in `discovery/verifier.rs`; this verifier reads no discovery document.
        .filter(|name| name != "poolgate_discovery_fetches_total")
        // These metrics are tested in `revocation_feed.rs`; this verifier has no feed.
        .filter(|name| !name.starts_with("poolgate_revocation_feed_"))
        // This metric is tested below; this verifier has no claim rules.
        .filter(|name| name != "poolgate_claim_rule_misfits_total")
        .collect();
    documented.sort_unstable();
    assert_eq!(documented, names);
    for (line, value) in [
        ("poolgate_unknown_key_cache_hits_total", 1),
        ("poolgate_verdicts_total{verdict=\"deny\",reason=\"key-unknown-cached\"}", 1),
        ("poolgate_key_waits_total", 1),
        ("poolgate_keys{issuer=\"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool00000\"}", 1),
        ("poolgate_key_age_seconds{issuer=\"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool00000\"}", 0),
        (
            "poolgate_key_sets_rejected_total{issuer=\"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool00001\",error=\"malformed\"}",
            1,
        ),
    ] {
        assert_eq!(metric(&verifier, line), value, "{line}");
    }
    assert!(metric(&verifier, "poolgate_instance_memory_bytes") > 1 << 16);
    assert!(!text.contains(&token(0)) && !text.contains("unknown ") && !text.contains(KEY_ID), "{text}");
}
