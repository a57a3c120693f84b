//! An HTTP client that sends exactly the given bytes.

use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// The response of a server.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    head: String,
    /// The body, without chunk lengths.
    pub body: String,
}

impl Response {
    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{text:?}"));
        Self { status, head: head.to_owned(), body: unchunked(head, body) }
    }

    /// Returns the first header with this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns every header with this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A request that is sent in parts.
pub struct Exchange(TcpStream);

impl Exchange {
    /// Sends the head of a request, byte for byte, with `Connection: close`, and with `Host: app` if there is no `Host` in `headers`.
    pub async fn begin(url: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        let address = url.strip_prefix("http://").expect("a plain URL");
        let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = if has_host { "" } else { "Host: app\r\n" };
        let mut head = format!("{method} {target} HTTP/1.1\r\n{host}Connection: close\r\n");
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let mut exchange = Self(TcpStream::connect(address).await.expect("it listens"));
        exchange.write((head + "\r\n").as_bytes()).await;
        exchange
    }

    /// Sends more bytes. It is not an error if the server does not read them.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// Sends the rest and reads the response at the same time, because a server may respond before it has read everything.
    pub async fn finish(mut self, rest: &[u8]) -> Response {
        let (mut from, mut to) = self.0.split();
        let (text, _) = tokio::join!(timeout(PATIENCE, read(&mut from)), to.write_all(rest));
        Response::of(&text.expect("an answer in half a minute"))
    }

    /// Reads the response to a request with this method. That to `HEAD` has no body, whatever its length says (RFC 9110 section 9.3.2).
    pub async fn answer_to(mut self, method: &str) -> Response {
        if method != "HEAD" {
            return self.answer().await;
        }
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") && self.0.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
        };
        timeout(PATIENCE, read).await.expect("an answer in half a minute");
        Response::of(&String::from_utf8_lossy(&head))
    }

    /// Reads the response.
    pub async fn answer(self) -> Response {
        self.finish(b"").await
    }
}

/// Sends an HTTP/1.1 request, byte for byte.
pub async fn send(url: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    Exchange::begin(url, method, target, headers).await.answer().await
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // A server may wait a second for the client before it closes the connection, and may close before it has read everything.
    while !is_whole(&String::from_utf8_lossy(&all)) && stream.read_buf(&mut all).await.is_ok_and(|read| read > 0) {}
    String::from_utf8_lossy(&all).into_owned()
}

/// Sends a GET request, with or without a bearer token.
pub async fn get(url: &str, target: &str, token: Option<&str>) -> Response {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
    send(url, "GET", target, &headers).await
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    match length {
        Some(length) => body.len() >= length,
        None => head.contains("transfer-encoding: chunked") && body.ends_with("0\r\n\r\n"),
    }
}

fn unchunked(head: &str, body: &str) -> String {
    if !head.to_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut rest, mut whole) = (body, String::new());
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        if length == 0 {
            break;
        }
        whole += after.get(..length).unwrap_or_default();
        rest = after.get(length + 2..).unwrap_or_default();
    }
    whole
}
