//! Slow and idle clients, before and during the shutdown.

use super::Stage;
use poolgate::gateway::Deadlines;
use std::{io::ErrorKind, num::NonZeroUsize, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SHORT: Duration = Duration::from_millis(200);
const HOUR: Duration = Duration::from_secs(3_600);
/// A test that waits longer than this fails.
const FOREVER: Duration = Duration::from_secs(60);
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: app\r\n\r\n";
const HALF_A_HEAD: &str = "POST /v1/sign-in HTTP/1.1\r\nHost: app\r\nContent-";
const HALF_A_BODY: &str =
    "POST /v1/sign-in HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"user";

async fn connect(stage: &Stage, sent: &str) -> TcpStream {
    let address = stage.gateway.public.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    stream.write_all(sent.as_bytes()).await.expect("it reads");
    stream
}

/// Reads a whole response of `/healthz`.
async fn assert_ok(stream: &mut TcpStream) {
    let mut response = String::new();
    while !response.ends_with("\r\n\r\nok\n") {
        let read = timeout(FOREVER, stream.read_u8()).await.expect("a response");
        response.push(char::from(read.unwrap_or_else(|error| panic!("{error}: {response}"))));
    }
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
}

/// Everything that the gateway sends until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(FOREVER, stream.read_to_end(&mut answer)).await.expect("the connection is never closed");
    // A connection that is closed with unread data is reset.
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_an_incomplete_head_is_closed() {
    let deadlines = Deadlines { first_head: HOUR, head: SHORT, body: HOUR, shutdown: HOUR };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    for (sent, expected) in [("", ""), (HALF_A_HEAD, ""), (HEALTH, "HTTP/1.1 200 OK")] {
        let answer = rest(connect(&stage, sent).await).await;
        assert!(answer.starts_with(expected) && (answer.is_empty() == expected.is_empty()), "{sent}: {answer}");
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_request_is_closed_before_an_idle_one() {
    // Long enough for the first request on a busy machine.
    let first_head = Duration::from_secs(2);
    let deadlines = Deadlines { first_head, head: HOUR, body: HOUR, shutdown: HOUR };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let mut idle = connect(&stage, HEALTH).await;
    assert_ok(&mut idle).await;
    for sent in ["", HALF_A_HEAD] {
        assert_eq!(rest(connect(&stage, sent).await).await, "", "{sent}");
    }
    // They were opened later, and closed earlier.
    idle.write_all(HEALTH.as_bytes()).await.expect("the connection is open");
    assert_ok(&mut idle).await;
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn further_connections_wait_until_another_one_is_closed() {
    let deadlines = Deadlines { first_head: HOUR, head: HOUR, body: HOUR, shutdown: HOUR };
    let max = NonZeroUsize::new(2).expect("not zero");
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines).max_connections(max)).await;
    let (mut first, mut second) = (connect(&stage, HEALTH).await, connect(&stage, HEALTH).await);
    assert_ok(&mut first).await;
    assert_ok(&mut second).await;
    let mut third = connect(&stage, HEALTH).await;
    assert!(timeout(SHORT, third.peek(&mut [0])).await.is_err(), "the third connection is served");
    // An open connection is still served.
    second.write_all(HEALTH.as_bytes()).await.expect("the connection is open");
    assert_ok(&mut second).await;
    drop(first);
    timeout(FOREVER, assert_ok(&mut third)).await.expect("the third connection is never served");
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_received_in_time_is_408() {
    let deadlines = Deadlines { first_head: HOUR, head: HOUR, body: SHORT, shutdown: HOUR };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let chunked = "POST /v1/refresh HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"re";
    for sent in [HALF_A_BODY, chunked] {
        let answer = rest(connect(&stage, sent).await).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(
            answer.contains("application/problem+json") && answer.contains("the body was not received in time"),
            "{answer}"
        );
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_of_a_client_that_reads_no_responses_is_closed() {
    let deadlines = Deadlines { first_head: HOUR, head: HOUR, body: SHORT, shutdown: HOUR };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let mut stream = connect(&stage, "").await;
    let cut_off = async {
        // One request after another, until the connection is reset.
        while stream.write_all(b"GET /openapi.json HTTP/1.1\r\nHost: app\r\n\r\n").await.is_ok() {}
    };
    timeout(FOREVER, cut_off).await.expect("the connection is never closed");
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_request_does_not_delay_the_shutdown() {
    let deadlines = Deadlines { first_head: HOUR, head: HOUR, body: HOUR, shutdown: SHORT };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let mut streams = Vec::new();
    for sent in [HALF_A_HEAD, HALF_A_BODY, ""] {
        // A complete request first, so that the gateway is known to have accepted the connection.
        let mut stream = connect(&stage, HEALTH).await;
        let mut start = [0; 15];
        stream.read_exact(&mut start).await.expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        stream.write_all(sent.as_bytes()).await.expect("it reads");
        streams.push(stream);
    }
    timeout(FOREVER, stage.gateway.stop()).await.expect("it never stops");
    for stream in streams {
        rest(stream).await;
    }
}
