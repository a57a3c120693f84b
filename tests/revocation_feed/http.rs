//! `GET /v1/revocations` of the gateway.

use crate::publisher::{Publisher, in_memory};
use poolgate::revocation::{Revocation, RevocationClaims, RevocationError, RevocationFuture, Revocations};
use poolgate_revocations::{EntryKind, Ids, MEDIA_TYPE, Position, Table, entry_hash};
use poolgate_tests::minting::{ISSUER, NOW};
use serde_json::Value;
use std::{future::ready, sync::Arc};

/// A store of a user's own, which lists nothing.
struct Own;

impl Revocations for Own {
    fn is_revoked<'a>(&'a self, _: &'a RevocationClaims, _: u64) -> RevocationFuture<'a, bool> {
        Box::pin(ready(Ok(false)))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }
}

/// A store that is down.
struct Down;

impl Revocations for Down {
    fn is_revoked<'a>(&'a self, _: &'a RevocationClaims, _: u64) -> RevocationFuture<'a, bool> {
        Box::pin(ready(Err(RevocationError::Unreachable)))
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(ready(Err(RevocationError::Unreachable)))
    }

    fn feed<'a>(
        &'a self,
        _: Option<Position>,
        _: u64,
    ) -> RevocationFuture<'a, Option<poolgate::revocation::FeedDocument>> {
        Box::pin(ready(Err(RevocationError::Unreachable)))
    }
}

#[tokio::test]
async fn the_first_document_is_a_snapshot_and_the_next_ones_are_the_changes() {
    let publisher = Publisher::start(Some(in_memory(100))).await;
    let answer = publisher.get("/v1/revocations", &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let tag = answer.headers()["etag"].to_str().expect("text").to_owned();
    assert_eq!(answer.bytes().await.expect("a body").len(), 48);

    // Nothing has changed.
    for sent in [&*tag, &format!("\"x\", {tag}")] {
        let answer = publisher.get("/v1/revocations", &[("if-none-match", sent)]).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["etag"].to_str().expect("text")), (304, &*tag));
        assert_eq!(answer.bytes().await.expect("no body").len(), 0);
    }

    let mut table = Table::new();
    assert_eq!(publisher.poll(&mut table).await, 48);
    assert_eq!(publisher.poll(&mut table).await, 48, "a poll without changes");
    publisher.verifier().revoke(&Revocation::token(ISSUER, "one")).await.expect("it is stored");
    publisher.verifier().revoke(&Revocation::user(ISSUER, "anna", NOW)).await.expect("it is stored");
    assert_eq!(publisher.poll(&mut table).await, 48 + 24, "both changes");
    assert_eq!(publisher.poll(&mut table).await, 48);
    let ids = Ids { issuer: Some(ISSUER), ..Ids::default() };
    assert!(table.is_revoked(&Ids { jti: Some("one"), ..ids }));
    assert!(table.is_revoked(&Ids { subject: Some("anna"), auth_time: Some(NOW), ..ids }));
    assert!(!table.is_revoked(&Ids { subject: Some("anna"), auth_time: Some(NOW + 1), ..ids }));

    let answer = publisher.get("/v1/revocations", &[("if-none-match", &tag)]).await;
    assert_eq!((answer.status().as_u16(), answer.bytes().await.expect("a body").len()), (200, 48 + 24));
    let metrics = publisher.get("/metrics", &[]).await.text().await.expect("text");
    for (answer, count) in [("snapshot", 5), ("changes", 1), ("unchanged", 2)] {
        let expected = format!("poolgate_revocation_feed_requests_total{{answer=\"{answer}\"}} {count}\n");
        assert!(metrics.contains(&expected), "{expected}{metrics}");
    }
}

#[tokio::test]
async fn a_position_that_is_not_known_gets_a_snapshot_and_a_malformed_one_gets_400() {
    let publisher = Publisher::start(Some(in_memory(100))).await;
    publisher.verifier().revoke(&Revocation::token(ISSUER, "one")).await.expect("it is stored");
    let mut table = Table::new();
    publisher.poll(&mut table).await;
    let Position { epoch, sequence } = table.position().expect("a snapshot was applied");
    let known = Position { epoch, sequence };
    for position in [Position { epoch: epoch ^ 1, ..known }, Position { sequence: sequence + 1, ..known }] {
        let answer = publisher.get(&format!("/v1/revocations?after={position}"), &[]).await;
        assert_eq!(answer.status(), 200);
        let document = answer.bytes().await.expect("a body");
        assert!(poolgate_revocations::is_snapshot(&document));
        assert_eq!(document[48..56], entry_hash(EntryKind::Token, Some(ISSUER), "one").to_be_bytes());
    }
    for query in [
        "after=",
        "after=1-1",
        "after",
        "before=1",
        &format!("after={}", known.to_string().to_uppercase().replace('-', "_")),
        &format!("after={known}&after={known}"),
        &format!("after={known}&x=1"),
        &format!("x=1&after={known}"),
        &format!("after=%30{}", &known.to_string()[1..]),
        &format!("after={known}%20"),
        "after=0000000000000000-0000000000000000",
        "after=%ff",
    ] {
        let answer = publisher.get(&format!("/v1/revocations?{query}"), &[]).await;
        assert_eq!(answer.status(), 400, "{query}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{query}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{query}");
    }
}

#[tokio::test]
async fn only_the_operations_address_of_a_gateway_with_a_store_that_can_be_listed_has_the_feed() {
    let publisher = Publisher::start(Some(in_memory(100))).await;
    assert_eq!(publisher.get_public("/v1/revocations").await.status(), 404);
    for store in [None, Some(Arc::new(Own) as Arc<dyn Revocations>)] {
        let publisher = Publisher::start(store).await;
        let answer = publisher.get("/v1/revocations", &[]).await;
        assert_eq!(answer.status(), 404);
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["status"], 404);
    }
}

#[tokio::test]
async fn while_the_store_is_down_the_feed_is_unavailable() {
    let publisher = Publisher::start(Some(Arc::new(Down))).await;
    for path in ["/v1/revocations", "/v1/revocations?after=0000000000000001-0000000000000001"] {
        let answer = publisher.get(path, &[]).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let metrics = publisher.get("/metrics", &[]).await.text().await.expect("text");
    assert!(metrics.contains("poolgate_revocation_feed_requests_total{answer=\"unreachable\"} 2\n"), "{metrics}");
}
