//! A refusal, sent to the caller instead of what the handler would have answered.

use crate::{
    bindings::{
        wasi::http::types::{ErrorCode, Headers, Response},
        wit_future, wit_stream,
    },
    gate,
    head::Head,
    log,
};
use poolgate_core::Reason;
use poolgate_edge::{Answer, Answers, Refusal, answer::grpc_status};

pub fn refuse(head: &Head, refusal: Refusal) -> Result<Response, ErrorCode> {
    if let Some(line) = gate::with(|gate| gate.explain(refusal)).flatten() {
        log::line(format!("poolgate: {line}"));
    }
    let configured = gate::with(|gate| (gate.answer(refusal), gate.answers_in_grpc(head)));
    let (answer, is_grpc) = configured.unwrap_or_else(|| (Answers::default().of(refusal), false));
    match is_grpc {
        true => send(200, grpc(answer), String::new()),
        false => send(answer.status, answer.headers, answer.body),
    }
}

/// What is said where there is no head to go by: the handler's request could not be made.
pub fn failed() -> Result<Response, ErrorCode> {
    let Answer { status, headers, body, .. } = Answers::default().of(Refusal::Token(Reason::SandboxFailed));
    send(status, headers, body)
}

/// A trailers-only response (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
fn grpc(answer: Answer) -> Vec<(&'static str, String)> {
    let mut headers = answer.headers;
    headers.retain(|(name, _)| *name != "content-type");
    headers.push(("content-type", "application/grpc".to_owned()));
    headers.push(("grpc-status", grpc_status(answer.status).to_string()));
    headers.push(("grpc-message", answer.grpc_message));
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
    // No trailers; the writing end says so when it goes.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, sent) = Response::new(headers, contents, trailers);
    // A host may end what it sends when this future goes.
    wit_bindgen::spawn_local(async move {
        let _ = sent.await;
    });
    response.set_status_code(status).map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}
