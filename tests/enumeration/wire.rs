//! Sends requests over a TCP connection, and returns the exact bytes of the responses.

use crate::gateway_setup::Served;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request from anyone, or from the holder of an access token.
pub struct Wire<'a> {
    pub method: &'static str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub body: Value,
}

impl<'a> Wire<'a> {
    pub fn post(path: &'a str, body: Value) -> Self {
        Self { method: "POST", path, token: None, body }
    }

    /// Returns the whole response: status, headers and body, without the time in `date`.
    pub async fn answer(&self, gateway: &Served) -> String {
        let address = gateway.public.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
        let Self { method, path, token, body } = self;
        let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{authorization}content-type: \
             application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("it answers");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let kept: Vec<&str> = head.split("\r\n").filter(|line| !line.to_lowercase().starts_with("date:")).collect();
        assert_eq!(kept.len() + 1, head.split("\r\n").count(), "one date");
        format!("{}\r\n\r\n{body}", kept.join("\r\n"))
    }
}
