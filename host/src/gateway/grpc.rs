//! Unary calls of gRPC over HTTP/2, as `PROTOCOL-HTTP2.md` of gRPC describes them: one message in, and one message or a status out.

use crate::problem_response::ProblemResponse;
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Full, LengthLimitError};
use prost::Message;
use std::{error::Error, time::Duration};
use tokio::time::timeout;

/// The flag and the length before each message.
const PREFIX: usize = 5;

/// The status codes of gRPC that the gateway uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
}

/// A call that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: Code,
    /// In printable ASCII without `%`, which need not be encoded.
    message: &'static str,
}

impl Failure {
    pub(crate) const fn new(code: Code, message: &'static str) -> Self {
        Self { code, message }
    }
}

/// Why there is no message.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The request is not one that this server understands as a unary call. The caller is at fault, and not what it asks about.
    Call(Box<Response>),
    /// The message is longer than the limit.
    TooLong,
    /// The message is not valid.
    Malformed,
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Call(Box::new(failure.into_response()))
    }
}

impl IntoResponse for Unread {
    fn into_response(self) -> Response {
        match self {
            Self::Call(response) => *response,
            Self::TooLong => Failure::new(Code::ResourceExhausted, "the message is too long").into_response(),
            Self::Malformed => Failure::new(Code::InvalidArgument, "the message is malformed").into_response(),
        }
    }
}

/// Reads the message of a call. `limit` is its maximum length, in bytes.
pub(crate) async fn read<M: Message + Default>(
    request: Request,
    limit: usize,
    deadline: Duration,
) -> Result<M, Unread> {
    check_head(&request)?;
    let body = timeout(deadline, to_bytes(request.into_body(), limit.saturating_add(PREFIX))).await;
    let body = body.map_err(|_| Failure::new(Code::DeadlineExceeded, "the message was not received in time"))?;
    match body {
        Ok(body) => M::decode(message(&body, limit)?).map_err(|_| Unread::Malformed),
        Err(error) if error.source().is_some_and(|source| source.is::<LengthLimitError>()) => Err(Unread::TooLong),
        Err(_) => Err(Failure::new(Code::Internal, "the message could not be received").into()),
    }
}

/// Checks the version of HTTP and the type of the content. A client that does not speak gRPC gets a response of HTTP.
fn check_head(request: &Request) -> Result<(), Unread> {
    let refused =
        |status, detail| Err(Unread::Call(Box::new(ProblemResponse::request(status, detail).into_response())));
    if request.version() != Version::HTTP_2 {
        return refused(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2");
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let format = content_type.strip_prefix(b"application/grpc");
    if !format.is_some_and(|format| format.is_empty() || format.starts_with(b";") || format.starts_with(b"+proto")) {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/grpc");
    }
    Ok(())
}

/// Returns the bytes of the only message in a body.
fn message(body: &Bytes, limit: usize) -> Result<Bytes, Unread> {
    let failure = |code, message| Err(Failure::new(code, message).into());
    let Some((prefix, rest)) = body.split_first_chunk::<PREFIX>() else {
        return failure(Code::InvalidArgument, "there is no message");
    };
    let [flag, length @ ..] = *prefix;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    match flag {
        0 if length > limit => Err(Unread::TooLong),
        0 if length != rest.len() => failure(Code::InvalidArgument, "there must be one whole message"),
        0 => Ok(body.slice(PREFIX..)),
        1 => failure(Code::Unimplemented, "compressed messages are not supported"),
        _ => failure(Code::InvalidArgument, "the flag of the message is invalid"),
    }
}

/// Returns the response with a message, and the status OK.
pub(crate) fn answer(message: &impl Message) -> Response {
    let length = message.encoded_len();
    let Ok(prefix) = u32::try_from(length) else {
        return Failure::new(Code::Internal, "the response is too long").into_response();
    };
    let mut body = Vec::with_capacity(PREFIX + length);
    body.push(0);
    body.extend(prefix.to_be_bytes());
    message.encode_raw(&mut body);
    let trailers = async {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Some(Ok(trailers))
    };
    grpc_response(Body::new(Full::new(Bytes::from(body)).with_trailers(trailers)))
}

impl IntoResponse for Failure {
    /// Without a message, the status is in the headers.
    fn into_response(self) -> Response {
        let mut response = grpc_response(Body::empty());
        response.headers_mut().insert("grpc-status", HeaderValue::from(self.code as u16));
        response.headers_mut().insert("grpc-message", HeaderValue::from_static(self.message));
        response
    }
}

fn grpc_response(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `google.protobuf.StringValue`.
    #[derive(Message)]
    struct Text {
        #[prost(string, tag = "1")]
        value: String,
    }

    const LIMIT: usize = 16;

    fn call(body: impl Into<Body>) -> Request {
        Request::builder()
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .body(body.into())
            .expect("a request")
    }

    async fn text(request: Request) -> Result<String, (u16, String)> {
        match read::<Text>(request, LIMIT, Duration::from_secs(60)).await {
            Ok(text) => Ok(text.value),
            Err(unread) => {
                let response = unread.into_response();
                let status = response.headers().get("grpc-status").map(|it| it.to_str().expect("ASCII").to_owned());
                Err((response.status().as_u16(), status.unwrap_or_default()))
            }
        }
    }

    fn refused(http: u16, grpc: &str) -> Result<String, (u16, String)> {
        Err((http, grpc.to_owned()))
    }

    #[tokio::test]
    async fn one_message_is_read_and_everything_else_is_refused() {
        let whole = [&[0, 0, 0, 0, 4, 0x0a, 2][..], b"hi"].concat();
        assert_eq!(text(call(whole.clone())).await, Ok("hi".to_owned()));
        assert_eq!(text(call(vec![0, 0, 0, 0, 0])).await, Ok(String::new()));
        let longest = [&[0, 0, 0, 0, 16, 0x0a, 14][..], &[b'a'; 14]].concat();
        assert_eq!(text(call(longest)).await, Ok("a".repeat(14)));
        let too_long = [&[0, 0, 0, 0, 17, 0x0a, 15][..], &[b'a'; 15]].concat();
        for (body, code) in [
            (vec![], "3"),
            (vec![0, 0, 0, 0], "3"),
            (whole[..8].to_vec(), "3"),
            ([whole.clone(), vec![0]].concat(), "3"),
            ([vec![0, 0, 0, 0, 0], whole.clone()].concat(), "3"),
            ([&[1], &whole[1..]].concat(), "12"),
            ([&[2], &whole[1..]].concat(), "3"),
            (too_long.clone(), "8"),
            // Not all of it is sent.
            (too_long[..9].to_vec(), "8"),
            (vec![0, 255, 255, 255, 255, 0], "8"),
            // Not Protobuf, and not UTF-8.
            ([&[0, 0, 0, 0, 4, 0x0a, 3][..], b"hi"].concat(), "3"),
            (vec![0, 0, 0, 0, 3, 0x0a, 1, 0xff], "3"),
        ] {
            assert_eq!(text(call(body.clone())).await, refused(200, code), "{body:?}");
        }
    }

    #[tokio::test]
    async fn only_grpc_over_http_2_is_a_call() {
        let empty = || vec![0; 5];
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            let mut request = call(empty());
            request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
            assert_eq!(text(request).await, Ok(String::new()), "{content_type}");
        }
        for content_type in ["application/grpc-web", "application/grpc+json", "application/json", ""] {
            let mut request = call(empty());
            request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
            assert_eq!(text(request).await, refused(415, ""), "{content_type}");
        }
        let mut old = call(empty());
        *old.version_mut() = Version::HTTP_11;
        assert_eq!(text(old).await, refused(505, ""));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_does_not_come_is_not_waited_for() {
        assert_eq!(text(call(Body::new(Silent))).await, refused(200, "4"));
    }

    /// A body that never comes.
    struct Silent;

    impl hyper::body::Body for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
}
