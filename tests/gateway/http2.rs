//! Slow and idle clients over HTTP/2 with prior knowledge (RFC 9113 section 3.3), and requests over it.

use super::Stage;
use poolgate::gateway::Deadlines;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SHORT: Duration = Duration::from_millis(200);
const HOUR: Duration = Duration::from_secs(3_600);
/// A test that waits longer than this fails.
const FOREVER: Duration = Duration::from_secs(60);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty frame `SETTINGS`.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// `SETTINGS_INITIAL_WINDOW_SIZE` is 0: the client reads no body.
const NO_WINDOW: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
/// `PING` as a connection's sign of life.
const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// `HEADERS` of `GET /healthz`: fields of the static table of HPACK (RFC 7541 appendix A), and two literals.
fn healthz(stream: u8, flags: u8) -> Vec<u8> {
    let block = [&[0x82, 0x86, 0x04, 8][..], b"/healthz", &[0x01, 3], b"app"].concat();
    let length = u8::try_from(block.len()).expect("a short block");
    [&[0, 0, length, 1, flags, 0, 0, 0, stream][..], &block].concat()
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Sends the parts, each in a packet of its own, and returns what the gateway sends until it closes the connection.
async fn rest(stage: &Stage, parts: &[&[u8]]) -> Vec<u8> {
    let address = stage.gateway.public.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    stream.write_all(&parts.concat()).await.expect("it reads");
    let mut answer = Vec::new();
    let read = timeout(FOREVER, stream.read_to_end(&mut answer)).await.expect("the connection is never closed");
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    answer
}

/// The types of the frames in an answer.
fn frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let Some(([a, b, c, kind, ..], rest)) = bytes.split_first_chunk::<9>() {
        types.push(*kind);
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).expect("it fits");
        bytes = rest.get(length..).unwrap_or_default();
    }
    types
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_request_is_closed() {
    for (first_head, head) in [(SHORT, HOUR), (HOUR, SHORT)] {
        let deadlines = Deadlines { first_head, head, body: HOUR, shutdown: HOUR };
        let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
        let half = &healthz(1, END_STREAM)[..20];
        let open = healthz(1, END_STREAM);
        for sent in [
            &[&PREFACE[..1]][..],
            &[&PREFACE[..10]],
            &[PREFACE],
            &[PREFACE, SETTINGS],
            &[PREFACE, SETTINGS, PING],
            &[PREFACE, SETTINGS, half],
            // Without END_HEADERS, further fields would follow.
            &[PREFACE, SETTINGS, &open],
        ] {
            let frames = frames(&rest(&stage, sent).await);
            assert!(!frames.contains(&HEADERS), "{sent:?}: {frames:?}");
        }
        stage.gateway.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_after_its_last_response() {
    // The client does not reply to the PING of a graceful shutdown (RFC 9113 section 6.8), so the deadline of the body applies then.
    let deadlines = Deadlines { first_head: HOUR, head: Duration::from_secs(2), body: SHORT, shutdown: HOUR };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let request = healthz(1, END_STREAM | END_HEADERS);
    let half = &healthz(3, END_STREAM)[..20];
    for sent in [&[PREFACE, SETTINGS, &request][..], &[PREFACE, SETTINGS, &request, half]] {
        let frames = frames(&rest(&stage, sent).await);
        for kind in [HEADERS, DATA, GOAWAY] {
            assert!(frames.contains(&kind), "{kind} is not in {frames:?}");
        }
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_of_a_client_that_reads_no_body_is_closed() {
    let deadlines = Deadlines { first_head: HOUR, head: HOUR, body: SHORT, shutdown: HOUR };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let request = healthz(1, END_STREAM | END_HEADERS);
    let frames = frames(&rest(&stage, &[PREFACE, NO_WINDOW, &request]).await);
    assert!(frames.contains(&HEADERS) && !frames.contains(&DATA), "{frames:?}");
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_request_does_not_delay_the_shutdown() {
    let deadlines = Deadlines { first_head: HOUR, head: HOUR, body: HOUR, shutdown: SHORT };
    let stage = Stage::new(|gateway| gateway.deadlines(deadlines)).await;
    let address = stage.gateway.public.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    let parts = [PREFACE, NO_WINDOW, &healthz(1, END_STREAM | END_HEADERS), &healthz(3, END_STREAM)];
    stream.write_all(&parts.concat()).await.expect("it reads");
    let mut answer = Vec::new();
    // The gateway is known to have read the request.
    while !frames(&answer).contains(&HEADERS) {
        timeout(FOREVER, stream.read_buf(&mut answer)).await.expect("an answer").expect("it is open");
    }
    timeout(FOREVER, stage.gateway.stop()).await.expect("it never stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_is_served_over_http_2() {
    let stage = Stage::new(|gateway| gateway).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    let get = |path: &str| client.get(format!("{}{path}", stage.gateway.public)).send();
    let health = get("/healthz").await.expect("a response");
    assert_eq!((health.version(), health.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    assert_eq!(get("/v1/verify").await.expect("a response").status(), 401);
    assert_eq!(get("/nothing").await.expect("a response").status(), 404);
    let long = client.get(format!("{}/healthz", stage.gateway.public)).header("x-long", "a".repeat(70_000));
    assert_eq!(long.send().await.expect("a response").status(), 431);
    stage.gateway.stop().await;
}
