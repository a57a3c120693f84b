//! The format of error responses: HTTP or gRPC.

use crate::{Denial, problem_response::ProblemResponse};
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::{Either, Full};
use std::pin::Pin;

/// The response body of a service behind a layer: the service's own body, unchanged, or the body of an error response.
pub type ResponseBody<B> = Either<B, Full<Bytes>>;

/// The future of a service behind a layer.
pub(super) type ResponseFuture<B, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B>>, E>> + Send>>;

/// The options of a layer for its error responses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FormatOptions {
    /// Whether HTTP error responses have no body.
    pub(super) is_without_body: bool,
    /// Whether gRPC calls get gRPC statuses.
    pub(super) uses_grpc: bool,
}

impl FormatOptions {
    /// Returns the format for a request. It is gRPC only if the layer is configured for gRPC and the request is a gRPC call.
    pub(super) fn for_request(self, method: &Method, version: Version, headers: &HeaderMap) -> ErrorFormat {
        if self.uses_grpc && is_grpc_call(method, version, headers) {
            ErrorFormat::Grpc
        } else if self.is_without_body {
            ErrorFormat::HttpWithoutBody
        } else {
            ErrorFormat::Http
        }
    }
}

/// The format of an error response to one request. [`AuthLayer`](super::AuthLayer) adds it to the request's extensions,
/// so that the layers and extractors behind it use the same format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorFormat {
    /// An HTTP status, and problem details as the body (RFC 9457).
    Http,
    /// An HTTP status without a body.
    HttpWithoutBody,
    /// A gRPC status, in an HTTP response with status 200.
    Grpc,
}

impl ErrorFormat {
    /// Returns the format that an [`AuthLayer`](super::AuthLayer) has set, if there is one in front of this service.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().copied()
    }

    /// Creates the error response. If a token was rejected, its denial is added to the response's extensions, for outer layers.
    pub(super) fn response(self, problem: ProblemResponse, denial: Option<Denial>) -> Response<Full<Bytes>> {
        let mut response = match self {
            ErrorFormat::Grpc => grpc_response(problem),
            ErrorFormat::HttpWithoutBody => {
                let mut response = problem.into_http().map(|_| Full::default());
                response.headers_mut().remove(header::CONTENT_TYPE);
                response
            }
            ErrorFormat::Http => problem.into_http().map(Full::from),
        };
        if let Some(denial) = denial {
            response.extensions_mut().insert(denial);
        }
        response
    }
}

/// Creates the error response for a layer behind [`AuthLayer`](super::AuthLayer), in the format of that layer. Without
/// one, it uses the options `own`.
pub(super) fn error_response<B>(
    request: &Request<B>,
    own: FormatOptions,
    problem: ProblemResponse,
    denial: Option<Denial>,
) -> Response<Full<Bytes>> {
    let own = || own.for_request(request.method(), request.version(), request.headers());
    ErrorFormat::of(request.extensions()).unwrap_or_else(own).response(problem, denial)
}

/// Returns `true` for a gRPC call: a POST over HTTP/2 with the content type `application/grpc` ("Requests" in the gRPC over HTTP/2
/// protocol).
///
/// The content type alone is not enough. A client can set any content type, and a proxy that reads the HTTP status, such as nginx with
/// `auth_request`, must not get status 200 for a request that is rejected. gRPC-Web requests get HTTP responses; their clients handle 401.
fn is_grpc_call(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_grpc = match content_type.strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';')),
        None => false,
    };
    is_grpc && method == Method::POST && version == Version::HTTP_2
}

/// Creates a gRPC error response ("Trailers-Only" in the gRPC over HTTP/2 protocol). The HTTP status is 200; the gRPC
/// status is derived from the status of the HTTP response.
fn grpc_response(problem: ProblemResponse) -> Response<Full<Bytes>> {
    let code = match problem.status() {
        StatusCode::BAD_REQUEST => "3",          // INVALID_ARGUMENT
        StatusCode::FORBIDDEN => "7",            // PERMISSION_DENIED
        StatusCode::SERVICE_UNAVAILABLE => "14", // UNAVAILABLE
        _ => "16",                               // UNAUTHENTICATED
    };
    // The messages are printable ASCII without `%`, so no percent-encoding is needed.
    let message = HeaderValue::from_str(problem.message()).ok();
    let mut response = problem.into_http().map(|_| Full::default());
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
    fn a_grpc_call_is_a_post_over_http_2_with_the_grpc_content_type_to_a_layer_with_grpc() {
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
            let http = FormatOptions::default();
            let grpc = FormatOptions { uses_grpc: true, ..http };
            let expected = if is_grpc { ErrorFormat::Grpc } else { ErrorFormat::Http };
            assert_eq!(grpc.for_request(method, version, &headers), expected, "{method} {version:?} {content_type}");
            assert_eq!(http.for_request(method, version, &headers), ErrorFormat::Http, "{content_type}");
        }
    }

    #[test]
    fn no_message_needs_percent_encoding_in_grpc_message() {
        let unavailable = Denial::unavailable(crate::Reason::KeysUnavailable);
        for (problem, code) in [
            (ProblemResponse::no_token(), "16"),
            (ProblemResponse::several_tokens(), "3"),
            (ProblemResponse::insufficient(&[]), "7"),
            (ProblemResponse::from(unavailable), "14"),
            (ProblemResponse::from(Denial::TOKEN_TOO_LARGE), "16"),
        ] {
            let message = problem.message().to_owned();
            assert!(message.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'%'), "{message}");
            let response = grpc_response(problem);
            assert_eq!(response.headers()["grpc-status"], code);
            assert_eq!(response.headers()["grpc-message"], message);
        }
    }
}
