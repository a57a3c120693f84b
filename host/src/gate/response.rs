//! The HTTP responses of a gate.

use super::decision::{Rejection, StaticResponse};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

impl Rejection {
    /// Returns the HTTP response to the request.
    pub(crate) fn into_http(self) -> Response<String> {
        response(self.status, self.headers, self.body)
    }

    /// Returns the gRPC response to the request, if the client expects one. Over HTTP/1, it must not be used.
    #[cfg(feature = "tower")]
    pub(crate) fn grpc_response(&mut self) -> Option<Response<String>> {
        let status = self.grpc.take()?;
        let mut headers = std::mem::take(&mut self.headers);
        headers.retain(|(name, _)| name != "content-type");
        headers.push(("content-type".to_owned(), "application/grpc".to_owned()));
        headers.push(("grpc-status".to_owned(), status.code.to_string()));
        headers.push(("grpc-message".to_owned(), status.message));
        Some(response(200, headers, String::new()))
    }
}

impl StaticResponse {
    /// Returns the HTTP response. Without the body, it is the response to `HEAD`.
    pub(crate) fn into_http(self, has_body: bool) -> Response<String> {
        let length = HeaderValue::from(self.body.len());
        let mut response = response(self.status, self.headers, if has_body { self.body } else { String::new() });
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        response
    }
}

fn response(status: u16, headers: Vec<(String, String)>, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    for (name, value) in headers {
        // The component writes no header that HTTP does not allow.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
