//! Applies a decision to the current stream.

use crate::{filter::Filter, head::ProxyRequestHead, streams};
use poolgate_edge::{Admitted, HeaderMutation, Rejection, StaticResponse, config::REASON_IN_FILTER_STATE, response};
use proxy_wasm::{
    hostcalls,
    types::{Action, GrpcStatusCode, LogLevel, MapType, Status},
};

/// Sets the claim headers and forwards the request to the application. If a header cannot be set, responds with 503.
pub fn admit(filter: &Filter, context_id: u32, head: &ProxyRequestHead, admitted: &Admitted) -> Action {
    match (admitted.reported, admitted.is_verified()) {
        (Some(rejection), _) => filter.metrics.request("reported", rejection.name()),
        (None, true) => filter.metrics.request("verified", "none"),
        (None, false) => filter.metrics.request("anonymous", "none"),
    }
    if let Some(rejection) = admitted.reported {
        show_reason(rejection);
    }
    match prepare(filter, admitted) {
        Ok(()) => {
            streams::pass(context_id);
            Action::Continue
        }
        Err(_) => reject(filter, head, Rejection::Token(poolgate_core::Reason::SandboxFailed)),
    }
}

fn prepare(filter: &Filter, admitted: &Admitted) -> Result<(), Status> {
    let headers = MapType::HttpRequestHeaders;
    for mutation in &admitted.mutations {
        match mutation {
            HeaderMutation::Remove(name) => hostcalls::remove_map_value(headers, name)?,
            HeaderMutation::Set(name, value) => hostcalls::set_map_value(headers, name, Some(value))?,
        }
    }
    for (name, value) in filter.authorizer.claim_headers(admitted) {
        // Removes what the client sent under this name.
        hostcalls::remove_map_value(headers, name)?;
        if let Some(value) = value {
            hostcalls::add_map_value(headers, name, value)?;
        }
    }
    filter
        .authorizer
        .filter_state(admitted)
        .try_for_each(|(name, value)| hostcalls::set_property(vec![name], Some(value.as_bytes())))
}

/// Writes the reason into the filter state, for access logs. The client and the application do not see it.
fn show_reason(rejection: Rejection) {
    // Without it, the decision is the same.
    let _ = hostcalls::set_property(vec![REASON_IN_FILTER_STATE], Some(rejection.name().as_bytes()));
}

fn grpc_status(http_status: u16) -> GrpcStatusCode {
    match response::grpc_status(http_status) {
        3 => GrpcStatusCode::InvalidArgument,
        7 => GrpcStatusCode::PermissionDenied,
        16 => GrpcStatusCode::Unauthenticated,
        _ => GrpcStatusCode::Unavailable,
    }
}

/// Returns whether the stream uses HTTP/1, which does not support gRPC.
fn is_http_1() -> bool {
    let protocol = hostcalls::get_property(vec!["request", "protocol"]).ok().flatten();
    protocol.is_none_or(|protocol| protocol.starts_with(b"HTTP/1"))
}

/// Responds to a request for the metadata of the protected resource. For `HEAD`, the proxy omits the body.
pub fn respond(filter: &Filter, response: &StaticResponse) -> Action {
    filter.metrics.request("answered", "none");
    let headers = response.headers.to_vec();
    let _ = hostcalls::send_http_response(response.status.into(), headers, Some(response.body.as_bytes()));
    Action::Pause
}

/// Responds to the client; the application does not get the request.
pub fn reject(filter: &Filter, head: &ProxyRequestHead, rejection: Rejection) -> Action {
    filter.metrics.request("refused", rejection.name());
    show_reason(rejection);
    if let Some(line) = filter.authorizer.explain(rejection) {
        let _ = hostcalls::log(LogLevel::Warn, &format!("poolgate: {line}"));
    }
    let response = filter.authorizer.response(head, rejection);
    let headers: Vec<(&str, &str)> = response.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = match filter.authorizer.responds_in_grpc(head) && !is_http_1() {
        true => {
            let metadata = headers.into_iter().filter(|(name, _)| *name != "content-type");
            let metadata = metadata.map(|(name, value)| (name, value.as_bytes())).collect();
            hostcalls::send_grpc_response(grpc_status(response.status), Some(&response.grpc_message), metadata)
        }
        false => hostcalls::send_http_response(response.status.into(), headers, Some(response.body.as_bytes())),
    };
    // The request must not continue even if the response could not be sent: `streams` stops its body, too.
    let _ = sent;
    Action::Pause
}
