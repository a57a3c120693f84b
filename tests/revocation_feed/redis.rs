//! The feed of a Redis server, which several gateways publish.

use crate::publisher::{Publisher, in_memory, read, redis, wait_until};
use poolgate::revocation::{MAX_COGNITO_TOKEN_LIFETIME, Redis, Revocation, RevocationError, Revocations};
use poolgate_revocations::{Ids, Table, is_snapshot};
use poolgate_tests::{
    minting::{ISSUER, NOW},
    redis::Redis as Server,
};
use std::time::{Duration, Instant};

/// The ID of the last entry of the stream, in Lua.
const LAST: &str = "redis.call('XREVRANGE','poolgate:revoked:feed','+','-','COUNT',1)[1][1]";

fn lists(table: &Table, jti: &str) -> bool {
    table.is_revoked(&Ids { issuer: Some(ISSUER), jti: Some(jti), ..Ids::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_on_one_redis_publish_the_same_feed() {
    let server = Server::start().await;
    let (one, other) =
        (Publisher::start(Some(redis(&server.url()))).await, Publisher::start(Some(redis(&server.url()))).await);
    let mut table = Table::new();
    assert_eq!(one.poll(&mut table).await, 48);
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        // A reader behind a load balancer asks one or the other. What either has confirmed is in the feed of both.
        let (writer, reader) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let jti = number.to_string();
        writer.verifier().revoke(&Revocation::token(ISSUER, &jti)).await.expect("it is stored");
        let confirmed = Instant::now();
        while !lists(&table, &jti) {
            assert!(reader.poll(&mut table).await < 48 + 2 * 12, "changes, and no snapshot");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        slowest = slowest.max(confirmed.elapsed());
        // The one that is ahead is not asked again, and the other one is not behind.
        assert_eq!(writer.poll(&mut table).await, 48);
    }
    println!("the slowest was in the feed of the other gateway after {slowest:?}");
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert_eq!(table.len(), 20);
    let mut late = Table::new();
    other.poll(&mut late).await;
    assert_eq!((late.len(), late.position()), (20, table.position()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_of_redis_revokes_the_same_tokens_as_that_of_the_memory() {
    let server = Server::start().await;
    let (redis, memory) = (redis(&server.url()), in_memory(100));
    let second_form = ISSUER.replace("https://", "https://issuer-");
    let revocations = [
        Revocation::token(ISSUER, "one"),
        Revocation::sign_in(&second_form, "two"),
        Revocation::user(ISSUER, "anna", NOW),
        Revocation::user(ISSUER, "anna", NOW - 100),
        Revocation::user("", "é", 0),
        Revocation::user(ISSUER, "", NOW),
    ];
    let (mut of_redis, mut of_memory) = (Table::new(), Table::new());
    for revocation in &revocations {
        redis.revoke(revocation, NOW).await.expect("it is stored");
        memory.revoke(revocation, NOW).await.expect("it is not full");
    }
    read(&*redis, &mut of_redis).await;
    read(&*memory, &mut of_memory).await;
    assert_eq!(of_redis.len(), 5);
    for issuer in [None, Some(ISSUER), Some(&*second_form), Some("https://a")] {
        for id in ["one", "two", "anna", "é", ""] {
            for auth_time in [None, Some(0), Some(1), Some(NOW), Some(NOW + 1)] {
                for ids in [
                    Ids { issuer, auth_time, subject: Some(id), ..Ids::default() },
                    Ids { issuer, auth_time, jti: Some(id), ..Ids::default() },
                    Ids { issuer, auth_time, origin_jti: Some(id), ..Ids::default() },
                ] {
                    assert_eq!(of_redis.is_revoked(&ids), of_memory.is_revoked(&ids), "{ids:?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_down_there_is_no_feed_and_afterwards_it_goes_on() {
    let mut server = Server::start().await;
    let publisher = Publisher::start(Some(redis(&server.url()))).await;
    let mut table = Table::new();
    publisher.verifier().revoke(&Revocation::token(ISSUER, "before")).await.expect("it is stored");
    publisher.poll(&mut table).await;
    let before = table.position();
    server.stop();
    // Just read, the copy is the present state for a moment.
    wait_until(async || publisher.get("/v1/revocations", &[]).await.status() == 503, "the outage").await;
    for _ in 0..3 {
        assert_eq!(publisher.get("/v1/revocations", &[]).await.status(), 503);
    }
    server.restart().await;
    wait_until(async || publisher.get("/v1/revocations", &[]).await.status() == 200, "the end of the outage").await;
    assert_eq!(publisher.poll(&mut table).await, 48, "the numbering is that of before");
    assert_eq!(table.position(), before);
    publisher.verifier().revoke(&Revocation::token(ISSUER, "after")).await.expect("it is stored");
    wait_until(async || publisher.get("/v1/revocations", &[]).await.content_length() == Some(48 + 24), "both").await;
    assert_eq!(publisher.poll(&mut table).await, 48 + 12);
    assert!(lists(&table, "before") && lists(&table, "after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_other_programs_write_as_documented_are_in_the_feed_and_others_are_ignored() {
    let server = Server::start().await;
    let store = redis(&server.url());
    for fields in ["kind token id unreadable", "kind group issuer a id unreadable", "something else"] {
        server.answer(&format!("XADD poolgate:revoked:feed * {fields}")).await;
    }
    server.answer(&format!("XADD poolgate:revoked:feed * kind token issuer {ISSUER} id one")).await;
    server.answer(&format!("XADD poolgate:revoked:feed * kind user issuer {ISSUER} id anna time {NOW}")).await;
    server.answer(&format!("XADD poolgate:revoked:feed * kind sign-in issuer {ISSUER} id two lifetime 3600")).await;
    let mut table = Table::new();
    read(&*store, &mut table).await;
    assert_eq!(table.len(), 3);
    assert!(lists(&table, "one"));
    let anna = Ids { issuer: Some(ISSUER), subject: Some("anna"), ..Ids::default() };
    assert!(table.is_revoked(&Ids { auth_time: Some(NOW), ..anna }));
    assert!(!table.is_revoked(&Ids { auth_time: Some(NOW + 1), ..anna }));
}

#[tokio::test(flavor = "multi_thread")]
async fn if_redis_has_lost_entries_the_feed_is_numbered_anew() {
    let server = Server::start().await;
    let (one, other) = (redis(&server.url()), redis(&server.url()));
    let (mut table, mut of_other) = (Table::new(), Table::new());
    for jti in ["kept", "lost"] {
        one.revoke(&Revocation::token(ISSUER, jti), NOW).await.expect("it is stored");
    }
    let before = read(&*one, &mut table).await;
    assert_eq!(read(&*other, &mut of_other).await, before);
    // As if a replica without the last entry had become the primary.
    let last = server.answer(&format!("EVAL \"return {LAST}\" 0")).await;
    assert!(last.parse::<usize>().is_ok(), "the length of the ID: {last}");
    let script = format!("EVAL \"return redis.call('XDEL','poolgate:revoked:feed',{LAST})\" 0");
    assert_eq!(server.answer(&script).await, "1");
    one.revoke(&Revocation::token(ISSUER, "new"), NOW).await.expect("it is stored");
    for store in [&one, &other] {
        wait_until(
            async || {
                let document = store.feed(before, NOW).await.expect("it responds").expect("it can be listed");
                is_snapshot(document.as_bytes())
            },
            "a new numbering",
        )
        .await;
    }
    let document = other.feed(before, NOW).await.expect("it responds").expect("it can be listed");
    table.apply(document.as_bytes().to_vec(), NOW, 100).expect("a snapshot");
    assert!(lists(&table, "kept") && lists(&table, "new") && !lists(&table, "lost"));
    assert_ne!(table.position().map(|position| position.epoch), before.map(|position| position.epoch));
    assert_eq!(read(&*one, &mut table).await, table.position(), "both have the same numbering");

    // A database that is emptied is another feed.
    server.answer("FLUSHALL").await;
    wait_until(
        async || {
            let document = one.feed(None, NOW).await.expect("it responds").expect("it can be listed");
            document.as_bytes().len() == 48
        },
        "an empty feed",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_entries_are_removed_from_the_stream_and_no_others() {
    let server = Server::start().await;
    // In 1970, and in 2001 with a lifetime of 100 years.
    for entry in ["1000-0 kind token issuer a id old lifetime 60", "2000-0 kind token issuer a id old", "2000-1 x y"] {
        server.answer(&format!("XADD poolgate:revoked:feed {entry}")).await;
    }
    server.answer("XADD poolgate:revoked:feed 1000000000000-0 kind token issuer a id kept lifetime 3155760000").await;
    server.answer("XADD poolgate:revoked:feed 1000000000000-1 kind token issuer a id behind-it lifetime 60").await;
    let short =
        Redis::open(&server.url().into(), Duration::from_secs(60), Duration::from_secs(10)).expect("a valid URL");
    short.revoke(&Revocation::token(ISSUER, "one"), NOW).await.expect("it is stored");
    wait_until(async || server.answer("XLEN poolgate:revoked:feed").await == "3", "three entries").await;
    assert_eq!(server.answer("TTL poolgate:revoked:feed").await, "-1", "other programs rely on it");
    let mut table = Table::new();
    read(&short, &mut table).await;
    assert!(lists(&table, "one"));
    assert!(table.is_revoked(&Ids { issuer: Some("a"), jti: Some("kept"), ..Ids::default() }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_not_confirmed_if_it_cannot_be_in_the_feed() {
    let server = Server::start().await;
    let store = redis(&server.url());
    server.answer("SET poolgate:revoked:feed 1").await;
    let revocation = Revocation::token(ISSUER, "one");
    assert_eq!(store.revoke(&revocation, NOW).await, Err(RevocationError::Refused));
    assert_eq!(store.feed(None, NOW).await.map(|_| ()), Err(RevocationError::Refused));
    server.answer("DEL poolgate:revoked:feed").await;
    store.revoke(&revocation, NOW).await.expect("it is stored");
    server.answer("SET poolgate:revoked:feed:epoch none").await;
    wait_until(async || store.feed(None, NOW).await.is_err(), "an epoch that is no number").await;
    server.answer("DEL poolgate:revoked:feed:epoch").await;
    wait_until(async || store.feed(None, NOW).await.is_ok(), "another epoch").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_many_batches_is_read_as_a_whole() {
    const COUNT: usize = 4_500;
    let server = Server::start().await;
    let writer = redis(&server.url());
    let mut tasks = tokio::task::JoinSet::new();
    for start in 0..30 {
        let writer = writer.clone();
        tasks.spawn(async move {
            for number in (start..COUNT).step_by(30) {
                writer.revoke(&Revocation::token(ISSUER, number.to_string()), NOW).await.expect("it is stored");
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic");
    }
    let reader = Redis::open(&server.url().into(), MAX_COGNITO_TOKEN_LIFETIME, Duration::from_secs(10));
    let reader = reader.expect("a valid URL");
    let (mut table, started) = (Table::new(), Instant::now());
    read(&reader, &mut table).await;
    println!("{COUNT} revocations were read from Redis in {:?}", started.elapsed());
    assert_eq!(table.len(), COUNT);
    assert!((0..COUNT).all(|number| lists(&table, &number.to_string())));
}
