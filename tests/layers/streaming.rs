//! Bodies are streamed, in both directions at the same time.

use super::scene::{token, verifier};
use crate::example_services::serve;
use axum::{Router, body::Body, routing};
use poolgate::tower::AuthLayer;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Reads until the text has been received.
async fn read_until(stream: &mut TcpStream, read: &mut String, text: &str) {
    let mut bytes = [0; 1024];
    while !read.contains(text) {
        let count = timeout(Duration::from_secs(30), stream.read(&mut bytes)).await;
        let count =
            count.unwrap_or_else(|_| panic!("{text:?} is not received after {read:?}")).expect("it can be read");
        assert_ne!(count, 0, "the connection ends before {text:?}: {read:?}");
        read.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_to_a_streamed_body_starts_before_the_body_ends() {
    let echo = Router::new().route("/", routing::post(async |body: Body| body));
    let address = serve(echo.layer(AuthLayer::new(verifier().await))).await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        token()
    );
    let mut read = String::new();
    stream.write_all(head.as_bytes()).await.expect("it reads");
    for part in ["first", "second", "third"] {
        stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.expect("it reads");
        // What was sent is returned before the rest is sent.
        read_until(&mut stream, &mut read, part).await;
    }
    stream.write_all(b"0\r\n\r\n").await.expect("it reads");
    read_until(&mut stream, &mut read, "\r\n0\r\n\r\n").await;
    assert!(read.starts_with("HTTP/1.1 200 OK\r\n"), "{read}");
}
