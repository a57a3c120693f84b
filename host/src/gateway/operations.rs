//! What an operator looks at: health, readiness, metrics.

use super::{GatewayState, State};
use crate::{Hint, KeyState};
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

/// The same with what else there is to say to the operator.
pub(crate) fn health_with_hints() -> Router<Arc<GatewayState>> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz_with_hints))
}

/// Everything that is counted: for the operator.
pub(crate) fn metrics() -> Router<Arc<GatewayState>> {
    Router::new().route("/metrics", get(all_metrics))
}

/// What is counted, but for the account flows: their counts tell who has an account.
pub(crate) fn public_metrics() -> Router<Arc<GatewayState>> {
    Router::new().route("/metrics", get(some_metrics))
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Every pool that is asked for its keys has some that verify.
async fn readyz(state: State) -> Response {
    let (status, text) = readiness(&state).await;
    (status, text).into_response()
}

async fn readyz_with_hints(state: State) -> Response {
    let (status, text) = readiness(&state).await;
    let hint = match state.accounts.verifier().has_seen_issuer_slash() {
        true => format!("hint: {}\n", Hint::IssuerSlash.description()),
        false => String::new(),
    };
    (status, format!("{text}{hint}")).into_response()
}

async fn readiness(state: &GatewayState) -> (StatusCode, &'static str) {
    let is_ready = match state.accounts.verifier().key_reports().await {
        Ok(reports) => reports
            .iter()
            .filter(|report| !report.is_on_demand)
            .all(|report| matches!(report.state, KeyState::Fresh | KeyState::Stale)),
        Err(_) => false,
    };
    match is_ready {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no keys yet\n"),
    }
}

async fn all_metrics(state: State) -> impl IntoResponse {
    open_metrics(state.accounts.verifier().metrics())
}

async fn some_metrics(state: State) -> impl IntoResponse {
    open_metrics(state.accounts.verifier().public_metrics())
}

fn open_metrics(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
