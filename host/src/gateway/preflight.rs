//! Recognition of CORS preflights.

use axum::http::{HeaderMap, HeaderName, Method, header};

/// Whether a request is a CORS preflight: a browser asks whether a script may send a request. Preflights have no credentials (Fetch
/// standard, "CORS-preflight fetch").
pub(crate) fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    let once = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| !value.is_empty()) && values.next().is_none()
    };
    method == Method::OPTIONS && once(header::ORIGIN) && once(header::ACCESS_CONTROL_REQUEST_METHOD)
}
