//! A refusal in the words of who asks: HTTP or gRPC.

use crate::{Denial, refusal::Refused};
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full};
use std::pin::Pin;

/// The service's own body, untouched, or that of a refusal.
pub type ResponseBody<B> = Either<B, Full<Bytes>>;

/// What a guarded service answers, in time.
pub(super) type Answering<B, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B>>, E>> + Send>>;

/// How refusals look. It is in the extensions of every request that went through [`AuthLayer`](super::AuthLayer), so that what is
/// refused further in looks the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    pub(super) is_without_body: bool,
}

impl Style {
    /// That of the layer which the request went through, if it did.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().copied()
    }

    /// The refusal of a request with these headers; the denial, where a token was judged, is for the layers further out.
    pub(super) fn answer(self, headers: &HeaderMap, refused: Refused, denial: Option<Denial>) -> Response<Full<Bytes>> {
        let mut response = if is_grpc(headers) {
            in_grpc(refused)
        } else if self.is_without_body {
            let mut response = refused.into_http().map(|_| Full::default());
            response.headers_mut().remove(header::CONTENT_TYPE);
            response
        } else {
            refused.into_http().map(Full::from)
        };
        if let Some(denial) = denial {
            response.extensions_mut().insert(denial);
        }
        response
    }
}

/// The refusal of a request further in, perhaps without an [`AuthLayer`](super::AuthLayer) before it.
pub(super) fn refuse(
    extensions: &Extensions,
    headers: &HeaderMap,
    refused: Refused,
    denial: Option<Denial>,
) -> Response<Full<Bytes>> {
    Style::of(extensions).unwrap_or_default().answer(headers, refused, denial)
}

/// Whether it is a request of gRPC over HTTP/2. gRPC-Web is HTTP here: its clients know what a 401 is.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    match content_type.strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';')),
        None => false,
    }
}

/// A response that is nothing but trailers ("Trailers-Only" in gRPC's protocol over HTTP/2): the HTTP status is 200, and what it
/// would have been is the gRPC status.
fn in_grpc(refused: Refused) -> Response<Full<Bytes>> {
    let code = match refused.status() {
        StatusCode::BAD_REQUEST => "3",          // INVALID_ARGUMENT
        StatusCode::FORBIDDEN => "7",            // PERMISSION_DENIED
        StatusCode::SERVICE_UNAVAILABLE => "14", // UNAVAILABLE
        _ => "16",                               // UNAUTHENTICATED
    };
    // They are printable ASCII without `%`: nothing of them is percent-encoded.
    let message = HeaderValue::from_str(refused.message()).ok();
    let mut response = refused.into_http().map(|_| Full::default());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from_static(code));
    if let Some(message) = message {
        headers.insert("grpc-message", message);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_known_by_its_content_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;x=y", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(is_grpc(&headers), expected, "{content_type}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn every_message_can_stand_in_a_grpc_message() {
        let unavailable = Denial::unavailable(crate::Reason::KeysUnavailable);
        for (refused, code) in [
            (Refused::no_token(), "16"),
            (Refused::several_tokens(), "3"),
            (Refused::insufficient(&[]), "7"),
            (Refused::from(unavailable), "14"),
            (Refused::from(Denial::TOKEN_TOO_LARGE), "16"),
        ] {
            let message = refused.message().to_owned();
            assert!(message.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'%'), "{message}");
            let response = in_grpc(refused);
            assert_eq!(response.headers()["grpc-status"], code);
            assert_eq!(response.headers()["grpc-message"], message);
        }
    }
}
