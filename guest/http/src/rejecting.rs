//! Responds to a request that is not forwarded.

use crate::{
    authorizer,
    bindings::{
        wasi::http::types::{ErrorCode, Headers, Response},
        wit_future, wit_stream,
    },
    head::WasiRequestHead,
    log,
};
use poolgate_core::Reason;
use poolgate_edge::{Rejection, RejectionFormat, RejectionResponse, StaticResponse, response::grpc_status};

/// Returns the response to a rejected request.
pub fn reject(head: &WasiRequestHead, rejection: Rejection) -> Result<Response, ErrorCode> {
    if let Some(line) = authorizer::with(|authorizer| authorizer.explain(rejection)).flatten() {
        log::line(format!("poolgate: {line}"));
    }
    let configured =
        authorizer::with(|authorizer| (authorizer.response(head, rejection), authorizer.responds_in_grpc(head)));
    let (response, is_grpc) = configured.unwrap_or_else(|| (RejectionFormat::default().response(rejection), false));
    match is_grpc {
        true => send(200, grpc(response), String::new()),
        false => send(response.status, response.headers, response.body),
    }
}

/// Returns the response to a request for the metadata of the protected resource. For `HEAD`, the host omits the body.
pub fn respond(response: &StaticResponse) -> Result<Response, ErrorCode> {
    let headers = response.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    send(response.status, headers, response.body.as_ref().to_owned())
}

/// Returns the response (503) to a request that could not be rewritten.
pub fn fail() -> Result<Response, ErrorCode> {
    let RejectionResponse { status, headers, body, .. } =
        RejectionFormat::default().response(Rejection::Token(Reason::SandboxFailed));
    send(status, headers, body)
}

/// Returns the headers of a trailers-only response (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
fn grpc(response: RejectionResponse) -> Vec<(&'static str, String)> {
    let mut headers = response.headers;
    headers.retain(|(name, _)| *name != "content-type");
    headers.push(("content-type", "application/grpc".to_owned()));
    headers.push(("grpc-status", grpc_status(response.status).to_string()));
    headers.push(("grpc-message", response.grpc_message));
    headers
}

fn send(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Result<Response, ErrorCode> {
    let mut headers: Vec<(String, Vec<u8>)> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    let headers = Headers::from_list(&headers).map_err(|_| ErrorCode::InternalError(None))?;
    let contents = (!body.is_empty()).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn_local(async move {
            let _ = writer.write_all(body.into_bytes()).await;
        });
        reader
    });
    // There are no trailers: dropping the writing end reports that.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, sent) = Response::new(headers, contents, trailers);
    // A host may cancel the response when this future is dropped.
    wit_bindgen::spawn_local(async move {
        let _ = sent.await;
    });
    response.set_status_code(status).map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}
