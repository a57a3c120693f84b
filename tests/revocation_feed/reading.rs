//! A verifier that reads a feed.

use crate::{
    manual_clock::ManualClock,
    publisher::{Publisher, in_memory, token, verdict, wait_for, wait_until},
    scene::{PATIENCE, builder, with_keys},
};
use axum::{Router, body::Bytes, extract::RawQuery, http::StatusCode, response::IntoResponse, routing::get};
use poolgate::{
    FixedClock, KeyUrlError, Reason, Verifier,
    revocation::{Feed, FeedBuilder, FeedConfigError, Revocation, RevocationError, RevocationMode, Revocations},
};
use poolgate_revocations::{Entry, EntryKind, Position, entry_hash, writing};
use poolgate_tests::minting::{ISSUER, NOW};
use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

const POLL: Duration = Duration::from_millis(30);
const MAX_STALE: Duration = Duration::from_millis(600);
const LIFETIME: u32 = 86_400;

fn feed(url: &str) -> FeedBuilder {
    Feed::builder(url).allow_http_loopback(true).clock(FixedClock::at(NOW)).poll_interval(POLL).max_stale(MAX_STALE)
}

async fn reader(feed: Arc<Feed>, mode: RevocationMode) -> Verifier {
    with_keys(builder(&ManualClock::at(NOW)).revocations(feed, mode)).await
}

/// A server that sends what a test wants.
#[derive(Clone)]
struct Scripted {
    answer: Arc<Mutex<Answer>>,
    queries: Arc<Mutex<Vec<Option<String>>>>,
    url: String,
}

#[derive(Clone)]
enum Answer {
    Document(Vec<u8>),
    Status(u16),
    Redirect(String),
    Hang,
}

impl Scripted {
    async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let url = format!("http://{}/v1/revocations", listener.local_addr().expect("an address"));
        let scripted = Self { answer: Arc::new(Mutex::new(answer)), queries: Arc::default(), url };
        let state = scripted.clone();
        let respond = move |RawQuery(query): RawQuery| {
            let state = state.clone();
            async move {
                state.queries.lock().expect("no panic").push(query);
                let answer = state.answer.lock().expect("no panic").clone();
                match answer {
                    Answer::Document(document) => Bytes::from(document).into_response(),
                    Answer::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
                    Answer::Redirect(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
                    Answer::Hang => pending().await,
                }
            }
        };
        let router = Router::new().route("/v1/revocations", get(respond));
        tokio::spawn(async move { axum::serve(listener, router).await });
        scripted
    }

    fn set(&self, answer: Answer) {
        *self.answer.lock().expect("no panic") = answer;
    }
}

fn snapshot(sequence: u64, jtis: &[&str]) -> Vec<u8> {
    let entry = |jti: &&str| Entry { hash: entry_hash(EntryKind::Token, Some(ISSUER), jti), time: NOW as u32 };
    let position = Position { epoch: 7, sequence };
    writing::snapshot(position, NOW + sequence, LIFETIME, jtis.iter().map(entry).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_at_the_publisher_is_rejected_by_the_reader() {
    let publisher = Publisher::start(Some(in_memory(100))).await;
    let reader = reader(Arc::new(feed(&publisher.url).start().expect("a valid URL")), RevocationMode::FailClosed).await;
    let tokens = [token("anna", "one", "1"), token("bob", "two", "2"), token("carol", "three", "3")];
    for token in &tokens {
        assert_eq!(verdict(&reader, token).await, Ok(()), "the first query waits for the first poll");
    }
    let revocations =
        [Revocation::user(ISSUER, "anna", NOW), Revocation::sign_in(ISSUER, "two"), Revocation::token(ISSUER, "3")];
    for (token, revocation) in tokens.iter().zip(&revocations) {
        publisher.verifier().revoke(revocation).await.expect("it is stored");
        wait_for(&reader, token, Err(Reason::Revoked)).await;
    }
    assert_eq!(verdict(&reader, &token("dave", "four", "4")).await, Ok(()));

    let metrics = reader.metrics();
    for expected in [
        "poolgate_revocation_feed_entries 3\n",
        "poolgate_revocation_feed_age_seconds 0\n",
        "poolgate_revocation_feed_polls_total{outcome=\"succeeded\"} ",
        "poolgate_revocation_feed_polls_total{outcome=\"failed\"} 0\n",
    ] {
        assert!(metrics.contains(expected), "{expected}{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_too_old_leaves_the_decision_to_the_mode_and_known_revocations_stay() {
    let scripted = Scripted::start(Answer::Document(snapshot(1, &["1"]))).await;
    let feed = Arc::new(feed(&scripted.url).start().expect("a valid URL"));
    let (open, closed) = (
        reader(Arc::clone(&feed), RevocationMode::FailOpen).await,
        reader(Arc::clone(&feed), RevocationMode::FailClosed).await,
    );
    let (revoked, valid) = (token("anna", "one", "1"), token("bob", "two", "2"));
    for verifier in [&open, &closed] {
        assert_eq!(verdict(verifier, &revoked).await, Err(Reason::Revoked));
        assert_eq!(verdict(verifier, &valid).await, Ok(()));
    }
    scripted.set(Answer::Status(503));
    wait_for(&closed, &valid, Err(Reason::RevocationUnavailable)).await;
    wait_until(async || open.metrics().contains("poolgate_revocation_fail_open_total 0\n"), "no query yet").await;
    assert_eq!(verdict(&open, &valid).await, Ok(()));
    assert!(open.metrics().contains("poolgate_revocation_fail_open_total 1\n"), "{}", open.metrics());
    for verifier in [&open, &closed] {
        assert_eq!(verdict(verifier, &revoked).await, Err(Reason::Revoked));
    }
    let report = feed.report();
    assert!(report.age.is_some_and(|age| age > MAX_STALE) && report.failed_polls > 0, "{report:?}");
    scripted.set(Answer::Document(snapshot(2, &["2"])));
    wait_for(&closed, &valid, Err(Reason::Revoked)).await;
    wait_for(&closed, &revoked, Ok(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_used_changes_nothing() {
    let whole = snapshot(1, &["1"]);
    let other = Scripted::start(Answer::Document(snapshot(9, &[]))).await;
    let mut ascending = snapshot(5, &["2", "3"]);
    let (first, second) = (ascending[48..60].to_vec(), ascending[60..72].to_vec());
    ascending[48..60].copy_from_slice(&second);
    ascending[60..72].copy_from_slice(&first);
    let too_many: Vec<String> = (0..11).map(|number| format!("n{number}")).collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    for (what, answer) in [
        ("nothing", Answer::Document(vec![])),
        ("HTML", Answer::Document(b"<html>login</html>".to_vec())),
        ("a part", Answer::Document(whole[..50].to_vec())),
        ("something after it", Answer::Document([&whole[..], b"x"].concat())),
        ("another order", Answer::Document(ascending)),
        ("too many", Answer::Document(snapshot(5, &too_many))),
        ("an old one", Answer::Document(snapshot(0, &[]))),
        ("not found", Answer::Status(404)),
        ("no content", Answer::Status(204)),
        ("not modified", Answer::Status(304)),
        ("a redirect", Answer::Redirect(other.url.clone())),
        ("no answer", Answer::Hang),
        ("a large one", Answer::Document(vec![0; 1_000_000])),
    ] {
        let scripted = Scripted::start(Answer::Document(whole.clone())).await;
        let feed = feed(&scripted.url).fetch_timeout(Duration::from_millis(300)).max_entries(10);
        let feed = Arc::new(feed.max_stale(PATIENCE).start().expect("a valid URL"));
        let verifier = reader(Arc::clone(&feed), RevocationMode::FailClosed).await;
        let (revoked, valid) = (token("anna", "one", "1"), token("bob", "two", "2"));
        assert_eq!(verdict(&verifier, &revoked).await, Err(Reason::Revoked), "{what}");
        scripted.set(answer);
        let failed = feed.report().failed_polls;
        wait_until(async || feed.report().failed_polls > failed + 1, what).await;
        assert_eq!(verdict(&verifier, &revoked).await, Err(Reason::Revoked), "{what}");
        assert_eq!(verdict(&verifier, &valid).await, Ok(()), "{what}");
        assert_eq!(feed.report().entries, 1, "{what}");
        // The next poll is tried as if nothing had happened.
        scripted.set(Answer::Document(snapshot(2, &["1", "2"])));
        wait_for(&verifier, &valid, Err(Reason::Revoked)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_asks_for_the_changes_after_the_last_one_and_for_a_snapshot_if_they_do_not_fit() {
    let scripted = Scripted::start(Answer::Document(snapshot(1, &["1"]))).await;
    let feed = feed(&scripted.url).start().expect("a valid URL");
    feed.first_poll().await;
    let polls = feed.report().polls;
    wait_until(async || feed.report().polls > polls, "another poll").await;
    // The server only has snapshots, but the reader asks for changes.
    let queries = scripted.queries.lock().expect("no panic").clone();
    assert_eq!(queries[..2], [None, Some("after=0000000000000007-0000000000000001".to_owned())]);

    // These changes come after another position.
    let changes =
        writing::changes(5, Position { epoch: 7, sequence: 6 }, NOW + 9, LIFETIME, vec![Entry { hash: 1, time: 1 }]);
    let count = scripted.queries.lock().expect("no panic").len();
    scripted.set(Answer::Document(changes));
    let failed = feed.report().failed_polls;
    wait_until(async || feed.report().failed_polls > failed, "a poll").await;
    let queries = scripted.queries.lock().expect("no panic")[count..].to_vec();
    assert!(queries.windows(2).any(|pair| pair[0].is_some() && pair[1].is_none()), "{queries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_first_document_the_mode_decides() {
    let scripted = Scripted::start(Answer::Status(404)).await;
    let feed = Arc::new(feed(&scripted.url).start().expect("a valid URL"));
    let report = feed.first_poll().await;
    assert_eq!((report.entries, report.age, report.polls), (0, None, 0));
    assert!(report.failed_polls > 0, "{report:?}");
    let token = token("anna", "one", "1");
    for (mode, expected) in
        [(RevocationMode::FailOpen, Ok(())), (RevocationMode::FailClosed, Err(Reason::RevocationUnavailable))]
    {
        let verifier = reader(Arc::clone(&feed), mode).await;
        assert_eq!(verdict(&verifier, &token).await, expected);
        assert!(!verifier.metrics().contains("poolgate_revocation_feed_age"), "{}", verifier.metrics());
        assert!(verifier.metrics().contains("poolgate_revocation_checks_total{answer=\"stale\"} 1\n"));
    }
    // While the first poll hangs, a query waits for it, and the deadline of the verifier ends the wait.
    let hanging = Scripted::start(Answer::Hang).await;
    let waiting = Arc::new(Feed::builder(&hanging.url).allow_http_loopback(true).start().expect("a valid URL"));
    let store = builder(&ManualClock::at(NOW))
        .revocations(waiting, RevocationMode::FailClosed)
        .revocation_deadline(Duration::from_millis(50));
    let verifier = with_keys(store).await;
    assert_eq!(verdict(&verifier, &token).await, Err(Reason::RevocationUnavailable));
    assert!(verifier.metrics().contains("poolgate_revocation_checks_total{answer=\"timed-out\"} 1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_can_only_be_read() {
    let publisher = Publisher::start(Some(in_memory(100))).await;
    let feed = Arc::new(feed(&publisher.url).start().expect("a valid URL"));
    let reader = reader(Arc::clone(&feed), RevocationMode::FailClosed).await;
    assert_eq!(reader.revoke(&Revocation::token(ISSUER, "1")).await, Err(RevocationError::ReadOnly));
    assert!(reader.metrics().contains("poolgate_revocations_total{outcome=\"read-only\"} 1\n"), "{}", reader.metrics());
    assert!(feed.feed(None, NOW).await.is_ok_and(|document| document.is_none()), "it is not published again");
    let shown = format!("{feed:?} {:?}", Feed::builder("https://secret.example.com"));
    assert!(!shown.contains("secret") && !shown.contains("127.0.0.1"), "{shown}");
}

#[tokio::test]
async fn a_feed_that_cannot_work_is_not_started() {
    let url = "https://gateway.example.com/v1/revocations";
    for (builder, expected) in [
        (Feed::builder("http://gateway.example.com/v1/revocations"), FeedConfigError::Url(KeyUrlError::PlainHttp)),
        (Feed::builder("http://127.0.0.1:1/v1/revocations"), FeedConfigError::Url(KeyUrlError::LoopbackNotAllowed)),
        (Feed::builder("https://user:secret@gateway.example.com/"), FeedConfigError::Url(KeyUrlError::Malformed)),
        (Feed::builder("memory"), FeedConfigError::Url(KeyUrlError::Malformed)),
        (Feed::builder(format!("{url}?after=1")), FeedConfigError::Query),
        (Feed::builder(format!("{url}#x")), FeedConfigError::Query),
        (Feed::builder(url).poll_interval(Duration::ZERO), FeedConfigError::PollInterval),
        (Feed::builder(url).max_stale(Duration::from_secs(5)), FeedConfigError::MaxStale),
    ] {
        let error = builder.start().expect_err("it cannot work");
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("secret") && !error.to_string().contains("gateway.example"), "{error}");
    }
    assert_eq!(Feed::builder(url).root_certificate(b"none").err(), Some(FeedConfigError::Certificate));
}
