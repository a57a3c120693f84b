//! What an operator looks at: health, readiness, metrics.

use super::{House, State};
use crate::{Hint, KeyState};
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

pub(crate) fn health() -> Router<Arc<House>> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

/// The same with what else there is to say to the operator.
pub(crate) fn health_with_hints() -> Router<Arc<House>> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz_with_hints))
}

/// Everything that is counted: for the operator.
pub(crate) fn metrics() -> Router<Arc<House>> {
    Router::new().route("/metrics", get(all_metrics))
}

/// What is counted, but for the account flows: their counts tell who has an account.
pub(crate) fn public_metrics() -> Router<Arc<House>> {
    Router::new().route("/metrics", get(some_metrics))
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Every pool that is asked for its keys has some that verify.
async fn readyz(house: State) -> Response {
    let (status, text) = readiness(&house).await;
    (status, text).into_response()
}

async fn readyz_with_hints(house: State) -> Response {
    let (status, text) = readiness(&house).await;
    let hint = match house.accounts.verifier().has_seen_issuer_slash() {
        true => format!("hint: {}\n", Hint::IssuerSlash.description()),
        false => String::new(),
    };
    (status, format!("{text}{hint}")).into_response()
}

async fn readiness(house: &House) -> (StatusCode, &'static str) {
    let is_ready = match house.accounts.verifier().key_reports().await {
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

async fn all_metrics(house: State) -> impl IntoResponse {
    open_metrics(house.accounts.verifier().metrics())
}

async fn some_metrics(house: State) -> impl IntoResponse {
    open_metrics(house.accounts.verifier().public_metrics())
}

fn open_metrics(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
