//! The original request: the one that a proxy asks to authorize.

use super::{once_a_minute::OnceAMinute, preflight::is_preflight};
use crate::problem_response::ProblemResponse;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};

/// For nginx, whose example configuration sets them.
const NGINX: HeaderNames = HeaderNames("x-original-uri", "x-original-method", "x-original-host");
/// For Caddy and Traefik, which set them by default.
const FORWARDED: HeaderNames = HeaderNames("x-forwarded-uri", "x-forwarded-method", "x-forwarded-host");

static WARNING: OnceAMinute = OnceAMinute::new();

/// The headers with the path, the method and the host of the original request.
struct HeaderNames(&'static str, &'static str, &'static str);

/// Returns whether proxies set this header.
pub(crate) fn is_set_by_proxies(name: &str) -> bool {
    [NGINX, FORWARDED].iter().any(|HeaderNames(target, method, _)| name == *target || name == *method)
}

/// The original request as one proxy describes it.
pub(crate) struct Described<'r> {
    pub(crate) method: &'r str,
    /// Its path and query.
    pub(crate) target: &'r str,
    /// `None` if the proxy does not send it.
    pub(crate) host: Option<&'r str>,
}

impl<'r> Described<'r> {
    /// Reads it from the headers of each proxy. If the headers of two are there, a client may have forged those of one.
    pub(crate) fn by_each_proxy(headers: &'r HeaderMap) -> Result<Vec<Self>, ProblemResponse> {
        let mut described = Vec::new();
        for HeaderNames(target, method, host) in [NGINX, FORWARDED] {
            let host = only(headers, host)?;
            match (only(headers, target)?, only(headers, method)?) {
                (Some(target), Some(method)) => described.push(Self { method, target, host }),
                (None, None) => {}
                _ => return Err(not_described()),
            }
        }
        if described.is_empty() { Err(not_described()) } else { Ok(described) }
    }

    /// Returns whether a header describes the original request, and is not a part of it.
    pub(crate) fn has_header(name: &str) -> bool {
        [NGINX, FORWARDED]
            .iter()
            .any(|HeaderNames(target, method, host)| [target, method, host].iter().any(|it| **it == name))
    }
}

/// Logs that the proxy is not configured as it must be, and returns the response.
fn not_described() -> ProblemResponse {
    if WARNING.is_due() {
        tracing::error!(
            hint = "in nginx, set X-Original-URI and X-Original-Method as examples/nginx does; Caddy's forward_auth and \
                    Traefik's forwardAuth set X-Forwarded-Uri by default",
            "the gateway has route rules, but the proxy does not send the original path; the request is rejected"
        );
    }
    ProblemResponse::misconfigured("the proxy did not send the path of the original request")
}

/// The original request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Original<'r> {
    /// Its path and query, from every header that contains it. If there are two, the client may have forged one of them, so both are
    /// evaluated.
    pub(crate) targets: Vec<&'r str>,
    /// Whether it is a CORS preflight.
    pub(crate) is_preflight: bool,
}

impl<'r> Original<'r> {
    /// Reads it from the headers that nginx, Caddy or Traefik set.
    pub(crate) fn from_headers(headers: &'r HeaderMap) -> Result<Self, ProblemResponse> {
        let (mut targets, mut methods) = (Vec::new(), Vec::new());
        for HeaderNames(target, method, _) in [NGINX, FORWARDED] {
            targets.extend(only(headers, target)?);
            methods.extend(only(headers, method)?);
        }
        if targets.is_empty() {
            return Err(not_described());
        }
        let is_preflight = !methods.is_empty() && methods.iter().all(|method| is_preflight(method, headers));
        Ok(Self { targets, is_preflight })
    }

    /// Reads it from a request of Envoy, which keeps the method, the path and the query.
    pub(crate) fn from_request(method: &Method, target: &'r str, headers: &HeaderMap) -> Self {
        Self { targets: vec![target], is_preflight: is_preflight(method.as_str(), headers) }
    }
}

/// The value of a header that may occur only once.
fn only<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, ProblemResponse> {
    let mut values = headers.get_all(HeaderName::from_static(name)).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let rejected = |detail| Err(ProblemResponse::request(StatusCode::BAD_REQUEST, detail));
    match (str::from_utf8(value.as_bytes()), values.next()) {
        (_, Some(_)) => rejected("a header with the path or method of the original request occurs more than once"),
        (Err(_), None) => rejected("the path or method of the original request is not valid UTF-8"),
        (Ok(text), None) => Ok(Some(text)),
    }
}
