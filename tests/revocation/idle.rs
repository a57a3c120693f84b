//! Closed connections and error replies: neither causes a revoked token to be accepted, or a valid one to be rejected.

use crate::{
    manual_clock::ManualClock,
    scene::{
        PATIENCE, REVOKED, UNAVAILABLE, builder, draft, metric, redis, sibling, token, verdict, with_keys, with_store,
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

/// What closes an idle connection.
#[derive(Clone, Copy, Debug)]
enum Closer {
    /// An operator of the Redis server.
    Killed,
    /// The `timeout` of the Redis server.
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

/// Returns a verifier for each mode, each with its own store behind the proxy and one query so far. Then revokes the
/// token through another store of the same Redis server.
async fn pair(server: &Server, proxy: &StallingProxy) -> [Verifier; 2] {
    let closed = with_store(Arc::new(redis(&url(proxy.port))), RevocationMode::FailClosed).await;
    let open = with_store(Arc::new(redis(&url(proxy.port))), RevocationMode::FailOpen).await;
    for verifier in [&closed, &open] {
        assert_eq!(verdict(verifier, draft()).await, Ok(()));
    }
    redis(&server.url()).revoke(&token(), NOW).await.expect("it is stored");
    [closed, open]
}

#[tokio::test]
async fn the_first_query_after_an_idle_time_gets_a_response() {
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
async fn a_connection_that_a_nat_has_dropped_is_replaced_within_the_deadline() {
    let server = Server::start().await;
    let proxy = StallingProxy::start(server.port).await;
    let store = || Redis::open(&url(proxy.port).into(), MAX_COGNITO_TOKEN_LIFETIME, Duration::from_secs(2));
    let verifier = |mode| builder(&ManualClock::at(NOW)).revocations(Arc::new(store().expect("a valid URL")), mode);
    let open = with_keys(verifier(RevocationMode::FailOpen)).await;
    assert_eq!(verdict(&open, draft()).await, Ok(()));
    redis(&server.url()).revoke(&token(), NOW).await.expect("it is stored");
    proxy.drop_state();
    assert_eq!(verdict(&open, draft()).await, Err(REVOKED));
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn a_key_of_another_type_does_not_undo_a_revocation_or_close_the_connection() {
    let server = Server::start().await;
    let proxy = StallingProxy::start(server.port).await;
    let [closed, open] = pair(&server, &proxy).await;
    let connections = proxy.connections();
    // A likely mistake of another program.
    server.answer(&format!("SET poolgate:revoked:{ISSUER}:sub:{SUBJECT} 1")).await;
    for _ in 0..5 {
        for verifier in [&closed, &open] {
            assert_eq!(verdict(verifier, draft()).await, Err(REVOKED), "the token itself is revoked");
        }
        assert_eq!(verdict(&closed, sibling()).await, Err(UNAVAILABLE), "the revocation of its user cannot be read");
        assert_eq!(verdict(&open, sibling()).await, Ok(()));
    }
    assert_eq!(proxy.connections(), connections, "an error reply does not cause a new connection");
    assert_eq!(metric(&open, "poolgate_revocation_checks_total{answer=\"refused\"}").await, 5);
    // It does not open the circuit either.
    let other_user = || draft().claim("sub", "\"another\"").claim("jti", "\"another\"");
    assert_eq!(verdict(&closed, other_user()).await, Ok(()));
}

#[tokio::test]
async fn the_lifetime_of_an_entry_is_limited_to_what_redis_accepts() {
    let server = Server::start().await;
    let store = Redis::open(&server.url().into(), Duration::MAX, PATIENCE).expect("a valid URL");
    store.revoke(&token(), NOW).await.expect("it is stored");
    // The stream has no expiry.
    for key in server.keys().await.iter().filter(|key| key.contains(":jti:")) {
        let left: i64 = server.answer(&format!("TTL {key}")).await.parse().expect("seconds");
        assert!((99 * 365 * 86_400..=100 * 365 * 86_400).contains(&left), "{key}: {left}");
    }
}
