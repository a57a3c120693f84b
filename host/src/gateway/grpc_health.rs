//! The health service of gRPC, `grpc.health.v1.Health/Check`: the same as `/readyz`.
//!
//! `Watch` is not implemented: Envoy and Kubernetes only call `Check`.

use super::{
    ext_authz,
    grpc::{self, Code, Failure},
    state::{GatewayState, State},
};
use axum::{Router, extract::Request, response::Response, routing::post};
use prost::Message;
use std::sync::Arc;

/// The maximum length of a request, in bytes: it has the name of a service.
const LIMIT: usize = 1_024;

/// `grpc.health.v1.HealthCheckRequest`, of `grpc/health/v1/health.proto`.
#[derive(Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Message)]
struct HealthCheckResponse {
    #[prost(enumeration = "ServingStatus", tag = "1")]
    status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
enum ServingStatus {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
}

pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new().route("/grpc.health.v1.Health/Check", post(check))
}

async fn check(state: State<GatewayState>, request: Request) -> Result<Response, grpc::Unread> {
    let HealthCheckRequest { service } = grpc::read(request, LIMIT, state.body_deadline).await?;
    // The empty name is that of the whole server.
    if !service.is_empty() && service != ext_authz::SERVICE {
        return Err(Failure::new(Code::NotFound, "no such service").into());
    }
    let status = match state.verifiers.are_ready().await {
        true => ServingStatus::Serving,
        false => ServingStatus::NotServing,
    };
    Ok(grpc::answer(&HealthCheckResponse { status: status.into() }))
}
