//! Authorization checks of Envoy over gRPC (`ext_authz`): a gate decides about the request that Envoy describes.
//!
//! A call passes these modules in order: `head` (what the gate decides about) → the gate → `answer` (what Envoy does with the request). `messages`
//! has the messages of both directions, `metadata` what access logs and other filters of Envoy can read.

mod answer;
mod head;
mod messages;
mod metadata;

use super::{
    grpc::{self, Code, Failure, Unread},
    once_a_minute::OnceAMinute,
    state::{GatewayState, State},
};
use crate::Gate;
use axum::{Router, extract::Request, response::Response, routing::post};
use messages::{CheckRequest, CheckResponse};
use std::sync::Arc;

/// The name of the service.
pub(crate) const SERVICE: &str = "envoy.service.auth.v3.Authorization";

/// The maximum length of a message, in bytes: that of a head, which is 1 MiB, and of what Envoy says about the connection. Envoy sends a body only
/// if its configuration has `with_request_body`, which is not needed.
const MESSAGE_LIMIT: usize = 1024 * 1024 + 64 * 1024;

static NO_GATE: OnceAMinute = OnceAMinute::new();

pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new().route("/envoy.service.auth.v3.Authorization/Check", post(check))
}

async fn check(state: State<GatewayState>, request: Request) -> Result<Response, Unread> {
    let Some(gate) = &state.gate else {
        if NO_GATE.is_due() {
            tracing::error!(
                hint = "start `poolgate serve` with --config, or let Envoy ask over HTTP at /v1/ext-authz",
                "Envoy asks over gRPC, but the gateway has no configuration that decides about requests; each of them is rejected"
            );
        }
        return Err(Failure::new(Code::Unimplemented, "the gateway has no gate: it needs a configuration").into());
    };
    // A client can cause these faults. A status of gRPC would not be a refusal to an Envoy with `failure_mode_allow`.
    let answer = match grpc::read::<CheckRequest>(request, MESSAGE_LIMIT, state.body_deadline).await {
        Ok(request) => decide(gate, request).await,
        Err(Unread::TooLong) => answer::too_large(),
        Err(Unread::Malformed) => answer::refused(head::Refused::Malformed("the message is malformed")),
        Err(unread) => return Err(unread),
    };
    Ok(grpc::answer(&answer))
}

async fn decide(gate: &Gate, request: CheckRequest) -> CheckResponse {
    // The decision and the names of the claim headers are of one configuration.
    let gate = gate.snapshot();
    match head::of(request) {
        Ok(head) => answer::to(gate.decide(&head).await, &gate.claim_headers()),
        Err(refused) => answer::refused(refused),
    }
}
