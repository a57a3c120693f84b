//! The revocations of the store, for readers that check tokens without asking the store: `GET /v1/revocations`.

use super::{
    once_a_minute::OnceAMinute,
    problem,
    state::{GatewayState, State},
};
use crate::{problem_response::ProblemResponse, revocation::FeedPosition};
use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use poolgate_revocations::MEDIA_TYPE;
use std::{sync::Arc, time::Duration};

/// Every reader causes it with each poll.
static WARNING: OnceAMinute = OnceAMinute::new();

pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new().route("/v1/revocations", get(revocations))
}

async fn revocations(
    state: State<GatewayState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ProblemResponse> {
    let after = position(query.as_deref()).ok_or_else(|| {
        let detail = "the query must be absent, or `after=` and a position: two numbers of 16 hexadecimal digits in lower case with a hyphen";
        ProblemResponse::request(StatusCode::BAD_REQUEST, detail)
    })?;
    let document = state.verifiers.revocation_feed(after).await.map_err(|error| {
        if WARNING.is_due() {
            tracing::warn!(
                error = error.name(),
                "the revocation feed is unavailable, because the store does not respond"
            );
        }
        ProblemResponse::unavailable(Duration::from_secs(1))
    })?;
    let Some(document) = document else { return Ok(problem::not_found().await.into_response()) };
    // Two snapshots of the same position may differ in their time, so the entity tag is a weak one (RFC 9110 section 8.8.1).
    let tag = format!("W/\"{}\"", document.position());
    let is_known = after.is_none() && has_tag(&headers, &tag);
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, MEDIA_TYPE)], document.into_bytes()).into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if after.is_none()
        && let Ok(tag) = HeaderValue::try_from(tag)
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Returns the position that the query names, if there is one. `None` if the query is malformed.
fn position(query: Option<&str>) -> Option<Option<FeedPosition>> {
    match query.unwrap_or_default() {
        "" => Some(None),
        query => query.strip_prefix("after=")?.parse().ok().map(Some),
    }
}

/// Whether `If-None-Match` lists the entity tag (RFC 9110 section 13.1.2). `*` is not asked for by any reader, and gets the document.
fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim() == tag)
}
