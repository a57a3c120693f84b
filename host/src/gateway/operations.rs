//! Health, readiness and metrics.

use super::state::{GatewayState, State};
use crate::Hint;
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

pub(crate) fn health() -> Router<Arc<GatewayState>> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

/// Like `health`, with hints for the operator.
pub(crate) fn health_with_hints() -> Router<Arc<GatewayState>> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz_with_hints))
}

/// All metrics, for the operator.
pub(crate) fn metrics() -> Router<Arc<GatewayState>> {
    Router::new().route("/metrics", get(all_metrics))
}

/// All metrics except those of the account flows, which reveal whether an account exists.
pub(crate) fn public_metrics() -> Router<Arc<GatewayState>> {
    Router::new().route("/metrics", get(metrics_for_clients))
}

/// The process is alive.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Every pool whose keys are fetched in advance has a usable key set.
async fn readyz(state: State<GatewayState>) -> Response {
    let (status, text) = readiness(&state).await;
    (status, text).into_response()
}

async fn readyz_with_hints(state: State<GatewayState>) -> Response {
    let (status, text) = readiness(&state).await;
    let hint = match state.verifiers.have_seen_issuer_slash() {
        true => format!("hint: {}\n", Hint::IssuerSlash.description()),
        false => String::new(),
    };
    let faults = state.verifiers.discovery_faults().await;
    (status, format!("{text}{hint}{faults}")).into_response()
}

async fn readiness(state: &GatewayState) -> (StatusCode, &'static str) {
    match state.verifiers.are_ready().await {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no keys yet\n"),
    }
}

async fn all_metrics(state: State<GatewayState>) -> impl IntoResponse {
    open_metrics(state.verifiers.metrics(false))
}

async fn metrics_for_clients(state: State<GatewayState>) -> impl IntoResponse {
    open_metrics(state.verifiers.metrics(true))
}

fn open_metrics(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
