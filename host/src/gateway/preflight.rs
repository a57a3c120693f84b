//! Recognition of CORS preflights.

use axum::http::{HeaderMap, HeaderName, Method, header};

/// Whether a request is a CORS preflight: a browser asks whether a script may send a request. Preflights have no credentials (Fetch
/// standard, "CORS-preflight fetch"), no body, and do not change the protocol of the connection.
pub(crate) fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    let once = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| !value.is_empty()) && values.next().is_none()
    };
    let is_bare = [header::AUTHORIZATION, header::UPGRADE, header::TRANSFER_ENCODING]
        .iter()
        .all(|name| !headers.contains_key(name));
    let is_empty = headers.get_all(header::CONTENT_LENGTH).iter().all(|length| length == "0");
    is_bare
        && is_empty
        && method == Method::OPTIONS
        && once(header::ORIGIN)
        && once(header::ACCESS_CONTROL_REQUEST_METHOD)
}
