//! The metadata of the protected resource (RFC 9728), if the gate's configuration has a resource.

use super::{
    problem,
    state::{GatewayState, State},
};
use crate::{Decision, RequestHead, gate::host_of};
use axum::{
    Router,
    extract::Request,
    http::{Method, uri::PathAndQuery},
    response::{IntoResponse, Response},
    routing::any,
};
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new()
        .route("/.well-known/oauth-protected-resource", any(metadata))
        .route("/.well-known/oauth-protected-resource/{*resource}", any(metadata))
}

async fn metadata(state: State<GatewayState>, request: Request) -> Response {
    let Some(gate) = &state.gate else { return problem::not_found().await.into_response() };
    let (method, headers) = (request.method().clone(), request.headers());
    let mut head = RequestHead::new(method.as_str(), request.uri().path_and_query().map_or("", PathAndQuery::as_str));
    if let Some(host) = host_of(request.uri(), headers) {
        head = head.authority(host);
    }
    for (name, value) in headers {
        head = head.header(name.as_str(), value.as_bytes());
    }
    match gate.decide(&head).await {
        Decision::Respond(response) => response.into_http(method != Method::HEAD).into_response(),
        // The gateway is not the application: what its rules say about other paths is for the proxy.
        Decision::Admit(_) | Decision::Reject(_) => problem::not_found().await.into_response(),
    }
}
