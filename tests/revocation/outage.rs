//! A Redis server that is unreachable, stalls, restarts, or rejects the password.

use crate::{
    manual_clock::ManualClock,
    scene::{PATIENCE, REVOKED, UNAVAILABLE, builder, draft, metric, redis, token, verdict, with_keys, with_store},
    stalling_proxy::StallingProxy,
};
use poolgate::{
    BuildError, Denial, Verifier,
    revocation::{
        MAX_COGNITO_TOKEN_LIFETIME, Redis, RedisUrlError, Revocation, RevocationClaims, RevocationError,
        RevocationFuture, RevocationMode, Revocations,
    },
};
use poolgate_tests::{
    faulty_server::Certificate,
    minting::NOW,
    redis::{PASSWORD, Redis as Server, url},
    server_process::free_port,
};
use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, interval, timeout};

/// Waits until the token gets this verdict.
async fn wait_for_verdict(verifier: &Verifier, expected: Result<(), Denial>) {
    let mut polls = interval(Duration::from_millis(20));
    let same = async {
        while verdict(verifier, draft()).await != expected {
            polls.tick().await;
        }
    };
    timeout(PATIENCE, same).await.unwrap_or_else(|_| panic!("the verdict never became {expected:?}"));
}

#[tokio::test]
async fn while_redis_is_unreachable_the_mode_decides() {
    let store = Arc::new(redis(&url(free_port())));
    let closed = with_store(store.clone(), RevocationMode::FailClosed).await;
    let open = with_store(store.clone(), RevocationMode::FailOpen).await;
    for _ in 0..2 {
        assert_eq!(verdict(&closed, draft()).await, Err(UNAVAILABLE));
        assert_eq!(verdict(&open, draft()).await, Ok(()));
    }
    assert_eq!(metric(&open, "poolgate_revocation_fail_open_total").await, 2);
    assert_eq!(metric(&closed, "poolgate_revocation_fail_open_total").await, 0);
    assert_eq!(closed.revoke(&token()).await, Err(RevocationError::Unreachable));
    // A token that is rejected for another reason is not accepted.
    assert!(verdict(&open, draft().claim("exp", NOW)).await.is_err());
}

#[tokio::test]
async fn a_restarted_redis_is_used_again_with_its_entries() {
    let mut server = Server::start().await;
    let verifier = with_store(Arc::new(redis(&server.url())), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Ok(()));
    verifier.revoke(&token()).await.expect("it is stored");
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    server.stop();
    for _ in 0..3 {
        assert_eq!(
            verdict(&verifier, draft()).await,
            Err(UNAVAILABLE),
            "the token is cached, and the store is still queried"
        );
    }
    server.restart().await;
    wait_for_verdict(&verifier, Err(REVOKED)).await;
}

#[tokio::test]
async fn a_stalled_redis_costs_at_most_the_deadline_and_its_connection_is_replaced() {
    let server = Server::start().await;
    let proxy = StallingProxy::start(server.port).await;
    let short = Duration::from_millis(200);
    let store =
        || Arc::new(Redis::open(&url(proxy.port).into(), MAX_COGNITO_TOKEN_LIFETIME, short).expect("a valid URL"));
    let verifier = |mode| builder(&ManualClock::at(NOW)).revocations(store(), mode).revocation_deadline(2 * short);
    let closed = with_keys(verifier(RevocationMode::FailClosed)).await;
    let open = with_keys(verifier(RevocationMode::FailOpen)).await;
    for verifier in [&closed, &open] {
        wait_for_verdict(verifier, Ok(())).await;
    }
    let connections = proxy.connections();
    proxy.stall(true);
    for (verifier, expected) in [(&closed, Err(UNAVAILABLE)), (&open, Ok(()))] {
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let verifier = verifier.clone();
                tokio::spawn(async move { (Instant::now(), verdict(&verifier, draft()).await, Instant::now()) })
            })
            .collect();
        for call in calls {
            let (begun, verdict, ended) = call.await.expect("no panic");
            assert_eq!(verdict, expected);
            // Far below the ten or more seconds of waiting for the stalled connection one after the other.
            assert!(ended - begun < Duration::from_secs(3), "{:?}", ended - begun);
        }
    }
    // Or there is no connection, during the pause after a failed attempt.
    let error = closed.revoke(&token()).await.expect_err("it stalls");
    assert!(matches!(error, RevocationError::TimedOut | RevocationError::Unreachable), "{error}");
    proxy.stall(false);
    wait_for_verdict(&closed, Ok(())).await;
    assert!(proxy.connections() > connections, "the stalled connection is still used");
    redis(&server.url()).revoke(&token(), NOW).await.expect("it is stored");
    wait_for_verdict(&open, Err(REVOKED)).await;
}

#[tokio::test]
async fn a_store_that_never_responds_is_abandoned_at_the_deadline() {
    let verifier =
        builder(&ManualClock::at(NOW)).revocations(Arc::new(Stalling::default()), RevocationMode::FailClosed);
    let verifier = with_keys(verifier.revocation_deadline(Duration::from_millis(10))).await;
    assert_eq!(timeout(PATIENCE, verdict(&verifier, draft())).await, Ok(Err(UNAVAILABLE)));
    assert_eq!(timeout(PATIENCE, verifier.revoke(&token())).await, Ok(Err(RevocationError::TimedOut)));
}

/// A store that responds only when `responds` is set, and counts the queries.
#[derive(Default)]
struct Stalling {
    queries: AtomicUsize,
    responds: AtomicBool,
}

impl Revocations for Stalling {
    fn is_revoked<'a>(&'a self, _: &'a RevocationClaims, _: u64) -> RevocationFuture<'a, bool> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        match self.responds.load(Ordering::SeqCst) {
            true => Box::pin(std::future::ready(Ok(true))),
            false => Box::pin(std::future::pending()),
        }
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_stalled_store_is_queried_rarely_until_it_responds() {
    for (mode, without_status) in [(RevocationMode::FailOpen, Ok(())), (RevocationMode::FailClosed, Err(UNAVAILABLE))] {
        let store = Arc::new(Stalling::default());
        let deadline = Duration::from_millis(50);
        let verifier = builder(&ManualClock::at(NOW)).revocations(store.clone(), mode).revocation_deadline(deadline);
        let verifier = with_keys(verifier).await;
        let begun = Instant::now();
        for _ in 0..200 {
            assert_eq!(verdict(&verifier, draft()).await, without_status);
        }
        // Five queries, and then one per quarter of a second. Without the circuit breaker there would be 200 queries of 50 ms each.
        let trials = begun.elapsed().as_millis() / 250 + 1;
        let queries = store.queries.load(Ordering::SeqCst);
        assert!(queries >= 5 && queries as u128 <= 5 + trials, "{mode:?}: {queries} queries in {:?}", begun.elapsed());
        assert!(metric(&verifier, "poolgate_revocation_checks_total{answer=\"circuit-open\"}").await > 100);
        store.responds.store(true, Ordering::SeqCst);
        wait_for_verdict(&verifier, Err(REVOKED)).await;
    }
}

/// A store that is unreachable at first. Its responses are not immediate.
#[derive(Default)]
struct Returning {
    queries: AtomicUsize,
    is_back: AtomicBool,
}

impl Revocations for Returning {
    fn is_revoked<'a>(&'a self, _: &'a RevocationClaims, _: u64) -> RevocationFuture<'a, bool> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        let is_back = self.is_back.load(Ordering::SeqCst);
        Box::pin(async move {
            tokio::task::yield_now().await;
            if is_back { Ok(true) } else { Err(RevocationError::Unreachable) }
        })
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn cancelled_callers_do_not_keep_the_circuit_open() {
    let store = Arc::new(Returning::default());
    // If a trial were cancelled with its caller, no other would follow before this deadline.
    let verifier = with_store(store.clone(), RevocationMode::FailOpen).await;
    for _ in 0..5 {
        assert_eq!(verdict(&verifier, draft()).await, Ok(()));
    }
    store.is_back.store(true, Ordering::SeqCst);
    let leaving = async {
        let mut polls = interval(Duration::from_millis(5));
        while store.queries.load(Ordering::SeqCst) < 8 {
            polls.tick().await;
            let mut call = Box::pin(verdict(&verifier, draft()));
            poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
        }
    };
    timeout(PATIENCE / 2, leaving).await.expect("the circuit closes");
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
}

#[tokio::test]
async fn a_store_whose_time_out_is_not_shorter_than_the_deadline_is_rejected() {
    let deadline = Duration::from_millis(250);
    for (timeout, is_accepted) in [(100, true), (249, true), (250, false), (5_000, false)] {
        let timeout = Duration::from_millis(timeout);
        let store = Redis::open(&url(free_port()).into(), MAX_COGNITO_TOKEN_LIFETIME, timeout).expect("a valid URL");
        let built = builder(&ManualClock::at(NOW))
            .revocations(Arc::new(store), RevocationMode::FailOpen)
            .revocation_deadline(deadline)
            .build()
            .await;
        match built {
            Ok(_) => assert!(is_accepted, "{timeout:?}"),
            Err(BuildError::RevocationDeadline { timeout: own, deadline: configured }) => {
                assert_eq!((own, configured, is_accepted), (timeout, deadline, false));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_and_no_password_is_shown() {
    let server = Server::start().await;
    let wrong = server.url().replace(PASSWORD, "Wrong-Redis-Horse-3");
    let store = redis(&wrong);
    let verifier = with_store(Arc::new(store.clone()), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Err(UNAVAILABLE));
    let error = verifier.revoke(&token()).await.expect_err("the password is wrong");
    let builder = builder(&ManualClock::at(NOW)).revocations(Arc::new(store.clone()), RevocationMode::FailClosed);
    let metrics = verifier.metrics();
    let text = format!("{error} {error:?} {store:?} {builder:?} {verifier:?} {metrics} {:?}", token());
    for secret in ["Wrong-Redis-Horse-3", PASSWORD, &server.port.to_string(), crate::scene::JTI] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn a_redis_with_tls_is_used_only_if_its_certificate_is_valid() {
    let (valid, elsewhere) = (Certificate::for_host("localhost"), Certificate::for_host("elsewhere.example.com"));
    let server = Server::start_with_tls(&valid).await;
    let url =
        server.url().replace("redis://", "rediss://").replace(&server.port.to_string(), &server.tls_port.to_string());
    let opened = |host: &str, authority: &str| {
        let url = url.replace("127.0.0.1", host).into();
        Redis::open_with_authority(&url, authority.as_bytes(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE / 2)
            .expect("a valid URL")
    };
    opened("localhost", valid.authority()).revoke(&token(), NOW).await.expect("it is stored");
    let verifier = with_store(Arc::new(opened("localhost", valid.authority())), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    assert_eq!(verdict(&verifier, crate::scene::sibling()).await, Ok(()));

    let unknown = Redis::open(&url.replace("127.0.0.1", "localhost").into(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE);
    for rejected in [
        opened("127.0.0.1", valid.authority()),
        opened("localhost", elsewhere.authority()),
        unknown.expect("a valid URL"),
    ] {
        assert_eq!(rejected.revoke(&token(), NOW).await, Err(RevocationError::Unreachable));
    }
    let plain = Redis::open_with_authority(
        &server.url().into(),
        valid.authority().as_bytes(),
        MAX_COGNITO_TOKEN_LIFETIME,
        PATIENCE,
    );
    assert!(plain.is_err(), "an authority requires TLS");
}

#[tokio::test]
async fn an_invalid_url_or_one_that_disables_checks_is_rejected_and_not_in_the_error() {
    for url in [
        "",
        "localhost:6379",
        "http://localhost",
        "unix:///tmp/redis.sock",
        "redis://:Secret-Horse-1@",
        "redis://:Secret-Horse-1@localhost:port",
        "redis://:Secret-Horse-1@localhost/database",
        "rediss://:Secret-Horse-1@localhost/#insecure",
    ] {
        let opened = Redis::open(&url.into(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE).map(|_| ());
        assert_eq!(opened, Err(RedisUrlError), "{url}");
    }
    let text = format!("{RedisUrlError} {RedisUrlError:?}");
    assert!(!text.contains("Secret"), "{text}");
    Redis::open(&"rediss://user:word@redis.example.com:6380/2".into(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE)
        .expect("a valid URL");
}
