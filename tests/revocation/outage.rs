//! A Redis that is gone, stalls, comes back, or refuses the password.

use crate::{
    hand::Hand,
    scene::{PATIENCE, REVOKED, UNAVAILABLE, asking, builder, draft, metric, redis, token, verdict, with_keys},
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

/// Waits until the token's verdict is this one.
async fn comes_to(verifier: &Verifier, expected: Result<(), Denial>) {
    let mut polls = interval(Duration::from_millis(20));
    let same = async {
        while verdict(verifier, draft()).await != expected {
            polls.tick().await;
        }
    };
    timeout(PATIENCE, same).await.unwrap_or_else(|_| panic!("it never came to {expected:?}"));
}

#[tokio::test]
async fn while_redis_is_gone_the_stated_mode_decides() {
    let store = Arc::new(redis(&url(free_port())));
    let closed = asking(store.clone(), RevocationMode::FailClosed).await;
    let open = asking(store.clone(), RevocationMode::FailOpen).await;
    for _ in 0..2 {
        assert_eq!(verdict(&closed, draft()).await, Err(UNAVAILABLE));
        assert_eq!(verdict(&open, draft()).await, Ok(()));
    }
    assert_eq!(metric(&open, "poolgate_revocation_fail_open_total").await, 2);
    assert_eq!(metric(&closed, "poolgate_revocation_fail_open_total").await, 0);
    assert_eq!(closed.revoke(&token()).await, Err(RevocationError::Unreachable));
    // Nobody is let in who is refused for another reason.
    assert!(verdict(&open, draft().claim("exp", NOW)).await.is_err());
}

#[tokio::test]
async fn a_restarted_redis_is_found_again_with_what_it_knew() {
    let mut server = Server::start().await;
    let verifier = asking(Arc::new(redis(&server.url())), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Ok(()));
    verifier.revoke(&token()).await.expect("it is remembered");
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    server.stop();
    for _ in 0..3 {
        assert_eq!(
            verdict(&verifier, draft()).await,
            Err(UNAVAILABLE),
            "it is remembered as good, and yet asked about"
        );
    }
    server.restart().await;
    comes_to(&verifier, Err(REVOKED)).await;
}

#[tokio::test]
async fn a_redis_that_stalls_costs_the_deadline_and_not_more_and_is_left_for_a_new_connection() {
    let server = Server::start().await;
    let proxy = StallingProxy::start(server.port).await;
    let short = Duration::from_millis(200);
    let store =
        || Arc::new(Redis::open(&url(proxy.port).into(), MAX_COGNITO_TOKEN_LIFETIME, short).expect("a good URL"));
    let verifier = |mode| builder(&Hand::at(NOW)).revocations(store(), mode).revocation_deadline(2 * short);
    let closed = with_keys(verifier(RevocationMode::FailClosed)).await;
    let open = with_keys(verifier(RevocationMode::FailOpen)).await;
    for verifier in [&closed, &open] {
        comes_to(verifier, Ok(())).await;
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
            // Far below the ten or more seconds that a stalled connection would cost them one after the other.
            assert!(ended - begun < Duration::from_secs(3), "{:?}", ended - begun);
        }
    }
    // Or there is no connection, while none is tried.
    let error = closed.revoke(&token()).await.expect_err("it stalls");
    assert!(matches!(error, RevocationError::TimedOut | RevocationError::Unreachable), "{error}");
    proxy.stall(false);
    comes_to(&closed, Ok(())).await;
    assert!(proxy.connections() > connections, "the stalled connection is used still");
    redis(&server.url()).revoke(&token(), NOW).await.expect("it is remembered");
    comes_to(&open, Err(REVOKED)).await;
}

#[tokio::test]
async fn a_store_that_never_answers_is_given_up_on() {
    let verifier = builder(&Hand::at(NOW)).revocations(Arc::new(Stalling::default()), RevocationMode::FailClosed);
    let verifier = with_keys(verifier.revocation_deadline(Duration::from_millis(10))).await;
    assert_eq!(timeout(PATIENCE, verdict(&verifier, draft())).await, Ok(Err(UNAVAILABLE)));
    assert_eq!(timeout(PATIENCE, verifier.revoke(&token())).await, Ok(Err(RevocationError::TimedOut)));
}

/// A store that answers when it is told to, and counts what it is asked.
#[derive(Default)]
struct Stalling {
    asked: AtomicUsize,
    answers: AtomicBool,
}

impl Revocations for Stalling {
    fn is_revoked<'a>(&'a self, _: &'a RevocationClaims, _: u64) -> RevocationFuture<'a, bool> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.answers.load(Ordering::SeqCst) {
            true => Box::pin(std::future::ready(Ok(true))),
            false => Box::pin(std::future::pending()),
        }
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_store_that_stalls_is_left_alone_and_asked_again_a_moment_later() {
    for (mode, unasked) in [(RevocationMode::FailOpen, Ok(())), (RevocationMode::FailClosed, Err(UNAVAILABLE))] {
        let store = Arc::new(Stalling::default());
        let deadline = Duration::from_millis(50);
        let verifier = builder(&Hand::at(NOW)).revocations(store.clone(), mode).revocation_deadline(deadline);
        let verifier = with_keys(verifier).await;
        let begun = Instant::now();
        for _ in 0..200 {
            assert_eq!(verdict(&verifier, draft()).await, unasked);
        }
        // Five in a row, and then one each quarter of a second: without that it is asked 200 times, 50 ms each.
        let tries = begun.elapsed().as_millis() / 250 + 1;
        let asked = store.asked.load(Ordering::SeqCst);
        assert!(asked >= 5 && asked as u128 <= 5 + tries, "{mode:?}: asked {asked} times in {:?}", begun.elapsed());
        assert!(metric(&verifier, "poolgate_revocation_checks_total{answer=\"circuit-open\"}").await > 100);
        store.answers.store(true, Ordering::SeqCst);
        comes_to(&verifier, Err(REVOKED)).await;
    }
}

/// A store that can't be reached, until it answers, which takes it a moment.
#[derive(Default)]
struct Returning {
    asked: AtomicUsize,
    is_back: AtomicBool,
}

impl Revocations for Returning {
    fn is_revoked<'a>(&'a self, _: &'a RevocationClaims, _: u64) -> RevocationFuture<'a, bool> {
        self.asked.fetch_add(1, Ordering::SeqCst);
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
async fn callers_who_leave_early_do_not_keep_the_circuit_open() {
    let store = Arc::new(Returning::default());
    // A try that were left with its caller would keep all others waiting for so long.
    let verifier = asking(store.clone(), RevocationMode::FailOpen).await;
    for _ in 0..5 {
        assert_eq!(verdict(&verifier, draft()).await, Ok(()));
    }
    store.is_back.store(true, Ordering::SeqCst);
    let leaving = async {
        let mut polls = interval(Duration::from_millis(5));
        while store.asked.load(Ordering::SeqCst) < 8 {
            polls.tick().await;
            let mut call = Box::pin(verdict(&verifier, draft()));
            poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
        }
    };
    timeout(PATIENCE / 2, leaving).await.expect("the circuit closes");
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
}

#[tokio::test]
async fn a_store_whose_own_time_out_is_not_shorter_than_the_deadline_is_refused() {
    let deadline = Duration::from_millis(250);
    for (timeout, is_taken) in [(100, true), (249, true), (250, false), (5_000, false)] {
        let timeout = Duration::from_millis(timeout);
        let store = Redis::open(&url(free_port()).into(), MAX_COGNITO_TOKEN_LIFETIME, timeout).expect("a good URL");
        let built = builder(&Hand::at(NOW))
            .revocations(Arc::new(store), RevocationMode::FailOpen)
            .revocation_deadline(deadline)
            .build()
            .await;
        match built {
            Ok(_) => assert!(is_taken, "{timeout:?}"),
            Err(BuildError::RevocationDeadline { timeout: own, deadline: stated }) => {
                assert_eq!((own, stated, is_taken), (timeout, deadline, false));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_no_answer_and_no_password_is_shown() {
    let server = Server::start().await;
    let wrong = server.url().replace(PASSWORD, "Wrong-Redis-Horse-3");
    let store = redis(&wrong);
    let verifier = asking(Arc::new(store.clone()), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Err(UNAVAILABLE));
    let error = verifier.revoke(&token()).await.expect_err("the password is wrong");
    let builder = builder(&Hand::at(NOW)).revocations(Arc::new(store.clone()), RevocationMode::FailClosed);
    let metrics = verifier.metrics();
    let said = format!("{error} {error:?} {store:?} {builder:?} {verifier:?} {metrics} {:?}", token());
    for secret in ["Wrong-Redis-Horse-3", PASSWORD, &server.port.to_string(), crate::scene::JTI] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}

#[tokio::test]
async fn a_redis_with_tls_is_asked_if_its_certificate_is_good() {
    let (good, elsewhere) = (Certificate::for_host("localhost"), Certificate::for_host("elsewhere.example.com"));
    let server = Server::start_with_tls(&good).await;
    let url =
        server.url().replace("redis://", "rediss://").replace(&server.port.to_string(), &server.tls_port.to_string());
    let opened = |host: &str, authority: &str| {
        let url = url.replace("127.0.0.1", host).into();
        Redis::open_with_authority(&url, authority.as_bytes(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE / 2)
            .expect("a good URL")
    };
    opened("localhost", good.authority()).revoke(&token(), NOW).await.expect("it is remembered");
    let verifier = asking(Arc::new(opened("localhost", good.authority())), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    assert_eq!(verdict(&verifier, crate::scene::sibling()).await, Ok(()));

    let unknown = Redis::open(&url.replace("127.0.0.1", "localhost").into(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE);
    for refused in [
        opened("127.0.0.1", good.authority()),
        opened("localhost", elsewhere.authority()),
        unknown.expect("a good URL"),
    ] {
        assert_eq!(refused.revoke(&token(), NOW).await, Err(RevocationError::Unreachable));
    }
    let plain = Redis::open_with_authority(
        &server.url().into(),
        good.authority().as_bytes(),
        MAX_COGNITO_TOKEN_LIFETIME,
        PATIENCE,
    );
    assert!(plain.is_err(), "an authority says that TLS is meant");
}

#[tokio::test]
async fn an_url_that_is_none_or_that_turns_checks_off_is_refused_without_being_repeated() {
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
    let said = format!("{RedisUrlError} {RedisUrlError:?}");
    assert!(!said.contains("Secret"), "{said}");
    Redis::open(&"rediss://user:word@redis.example.com:6380/2".into(), MAX_COGNITO_TOKEN_LIFETIME, PATIENCE)
        .expect("a good URL");
}
