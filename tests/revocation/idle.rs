//! A connection that is gone when it is needed, and error replies: neither lets a revoked token in, or turns a good one away.

use crate::{
    hand::Hand,
    scene::{
        PATIENCE, REVOKED, UNAVAILABLE, asking, builder, draft, metric, redis, sibling, token, verdict, with_keys,
    },
    stalling_proxy::StallingProxy,
};
use poolgate::{
    Verifier,
    revocation::{MAX_COGNITO_TOKEN_LIFETIME, Redis, RevocationMode, Revocations},
};
use poolgate_tests::{
    minting::{ISSUER, NOW, SUBJECT},
    redis::{Redis as Server, url},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, timeout};

/// What closes a connection that nobody uses for a while.
#[derive(Clone, Copy, Debug)]
enum Closer {
    /// Redis's operator.
    Killed,
    /// Redis's own `timeout`.
    TimedOut,
    /// A load balancer.
    Balancer,
}

async fn close(closer: Closer, server: &Server, proxy: &StallingProxy) {
    match closer {
        Closer::Killed => assert_ne!(server.answer("CLIENT KILL TYPE normal").await, "0"),
        Closer::TimedOut => {
            server.answer("CONFIG SET timeout 1").await;
            let mut polls = interval(Duration::from_millis(50));
            let closed = async {
                while server.connections().await > 0 {
                    polls.tick().await;
                }
            };
            timeout(PATIENCE, closed).await.expect("Redis closes idle connections");
            server.answer("CONFIG SET timeout 0").await;
        }
        Closer::Balancer => proxy.close(),
    }
}

/// Both modes, with a store each behind the proxy, that have asked once; and another of that Redis that has revoked the token.
async fn pair(server: &Server, proxy: &StallingProxy) -> [Verifier; 2] {
    let closed = asking(Arc::new(redis(&url(proxy.port))), RevocationMode::FailClosed).await;
    let open = asking(Arc::new(redis(&url(proxy.port))), RevocationMode::FailOpen).await;
    for verifier in [&closed, &open] {
        assert_eq!(verdict(verifier, draft()).await, Ok(()));
    }
    redis(&server.url()).revoke(&token(), NOW).await.expect("it is remembered");
    [closed, open]
}

#[tokio::test]
async fn after_a_quiet_spell_the_first_question_has_its_answer() {
    for closer in [Closer::Killed, Closer::TimedOut, Closer::Balancer] {
        let server = Server::start().await;
        let proxy = StallingProxy::start(server.port).await;
        let [closed, open] = pair(&server, &proxy).await;
        close(closer, &server, &proxy).await;
        assert_eq!(verdict(&open, draft()).await, Err(REVOKED), "{closer:?}, fail-open");
        assert_eq!(verdict(&closed, sibling()).await, Ok(()), "{closer:?}, fail-closed");
        close(closer, &server, &proxy).await;
        closed.revoke(&token()).await.unwrap_or_else(|error| panic!("{closer:?}: {error}"));
        assert_eq!(metric(&open, "poolgate_revocation_fail_open_total").await, 0, "{closer:?}");
    }
}

#[tokio::test]
async fn a_connection_that_a_nat_has_forgotten_is_replaced_within_the_deadline() {
    let server = Server::start().await;
    let proxy = StallingProxy::start(server.port).await;
    let store = || Redis::open(&url(proxy.port).into(), MAX_COGNITO_TOKEN_LIFETIME, Duration::from_secs(2));
    let verifier = |mode| builder(&Hand::at(NOW)).revocations(Arc::new(store().expect("a good URL")), mode);
    let open = with_keys(verifier(RevocationMode::FailOpen)).await;
    assert_eq!(verdict(&open, draft()).await, Ok(()));
    redis(&server.url()).revoke(&token(), NOW).await.expect("it is remembered");
    proxy.forget();
    assert_eq!(verdict(&open, draft()).await, Err(REVOKED));
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn a_key_of_another_type_takes_no_revocation_back_and_hangs_up_on_nobody() {
    let server = Server::start().await;
    let proxy = StallingProxy::start(server.port).await;
    let [closed, open] = pair(&server, &proxy).await;
    let connections = proxy.connections();
    // The natural mistake of another program.
    server.answer(&format!("SET poolgate:revoked:{ISSUER}:sub:{SUBJECT} 1")).await;
    for _ in 0..5 {
        for verifier in [&closed, &open] {
            assert_eq!(verdict(verifier, draft()).await, Err(REVOKED), "the token itself is revoked");
        }
        assert_eq!(verdict(&closed, sibling()).await, Err(UNAVAILABLE), "whether its user is can't be read");
        assert_eq!(verdict(&open, sibling()).await, Ok(()));
    }
    assert_eq!(proxy.connections(), connections, "an error reply is no reason for another connection");
    assert_eq!(metric(&open, "poolgate_revocation_checks_total{answer=\"refused\"}").await, 5);
    // Nor does it open the circuit for all others.
    let other_user = || draft().claim("sub", "\"another\"").claim("jti", "\"another\"");
    assert_eq!(verdict(&closed, other_user()).await, Ok(()));
}

#[tokio::test]
async fn an_entry_lives_no_longer_than_redis_can_count() {
    let server = Server::start().await;
    let store = Redis::open(&server.url().into(), Duration::MAX, PATIENCE).expect("a good URL");
    store.revoke(&token(), NOW).await.expect("it is remembered");
    for key in server.keys().await {
        let left: i64 = server.answer(&format!("TTL {key}")).await.parse().expect("seconds");
        assert!((99 * 365 * 86_400..=100 * 365 * 86_400).contains(&left), "{key}: {left}");
    }
}
