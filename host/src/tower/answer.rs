//! A refusal in the words of who asks: HTTP or gRPC.

use crate::{Denial, refusal::Refused};
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::{Either, Full};
use std::pin::Pin;

/// The service's own body, untouched, or that of a refusal.
pub type ResponseBody<B> = Either<B, Full<Bytes>>;

/// What a guarded service answers, in time.
pub(super) type ResponseFuture<B, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B>>, E>> + Send>>;

/// How the refusals of a layer look, as it was configured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    pub(super) is_without_body: bool,
    /// Whether gRPC calls are answered in gRPC.
    pub(super) speaks_grpc: bool,
}

impl Style {
    /// How a request is answered: in gRPC only if the layer was told that it guards a gRPC server, and if the request is a gRPC call.
    pub(super) fn of_request(self, method: &Method, version: Version, headers: &HeaderMap) -> AnswerStyle {
        if self.speaks_grpc && is_grpc_call(method, version, headers) {
            AnswerStyle::Grpc
        } else if self.is_without_body {
            AnswerStyle::HttpWithoutBody
        } else {
            AnswerStyle::Http
        }
    }
}

/// How a request is refused. It is in the extensions of every request that went through [`AuthLayer`](super::AuthLayer), so that what is
/// refused further in looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerStyle {
    /// An HTTP status and problem details (RFC 9457).
    Http,
    /// An HTTP status alone.
    HttpWithoutBody,
    /// A gRPC status in an HTTP response of status 200.
    Grpc,
}

impl AnswerStyle {
    /// That of the layer which the request went through, if it did.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().copied()
    }

    /// The refusal; the denial, where a token was judged, is for the layers further out.
    pub(super) fn answer(self, refused: Refused, denial: Option<Denial>) -> Response<Full<Bytes>> {
        let mut response = match self {
            AnswerStyle::Grpc => in_grpc(refused),
            AnswerStyle::HttpWithoutBody => {
                let mut response = refused.into_http().map(|_| Full::default());
                response.headers_mut().remove(header::CONTENT_TYPE);
                response
            }
            AnswerStyle::Http => refused.into_http().map(Full::from),
        };
        if let Some(denial) = denial {
            response.extensions_mut().insert(denial);
        }
        response
    }
}

/// The refusal of a request further in: as the [`AuthLayer`](super::AuthLayer) before it refuses, or as `own` says where there is none.
pub(super) fn refuse<B>(
    request: &Request<B>,
    own: Style,
    refused: Refused,
    denial: Option<Denial>,
) -> Response<Full<Bytes>> {
    let own = || own.of_request(request.method(), request.version(), request.headers());
    AnswerStyle::of(request.extensions()).unwrap_or_else(own).answer(refused, denial)
}

/// Whether a request is a gRPC call over HTTP/2 ("Requests" in gRPC's protocol over HTTP/2): a POST of that content type. Everybody can
/// write a content type, and who reads the status of an answer to anything else (a proxy that asks, such as nginx's `auth_request`) must
/// not be told 200. gRPC-Web is HTTP here: its clients know what a 401 is.
fn is_grpc_call(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_grpc = match content_type.strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';')),
        None => false,
    };
    is_grpc && method == Method::POST && version == Version::HTTP_2
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
    fn a_grpc_call_is_a_post_of_its_content_type_over_http_2_to_a_layer_that_speaks_grpc() {
        let (post, http_2) = (Method::POST, Version::HTTP_2);
        for (method, version, content_type, is_grpc) in [
            (&post, http_2, "application/grpc", true),
            (&post, http_2, "application/grpc+proto", true),
            (&post, http_2, "application/grpc;x=y", true),
            (&post, http_2, "application/grpc-web", false),
            (&post, http_2, "application/grpc-web+proto", false),
            (&post, http_2, "application/grpcx", false),
            (&post, http_2, "application/json", false),
            (&post, http_2, "", false),
            (&Method::GET, http_2, "application/grpc", false),
            (&Method::PUT, http_2, "application/grpc", false),
            (&post, Version::HTTP_11, "application/grpc", false),
            (&post, Version::HTTP_10, "application/grpc", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            let http = Style::default();
            let grpc = Style { speaks_grpc: true, ..http };
            let expected = if is_grpc { AnswerStyle::Grpc } else { AnswerStyle::Http };
            assert_eq!(grpc.of_request(method, version, &headers), expected, "{method} {version:?} {content_type}");
            assert_eq!(http.of_request(method, version, &headers), AnswerStyle::Http, "{content_type}");
        }
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
