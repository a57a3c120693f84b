//! The request that a proxy asks about.

use super::{cors, once_a_minute::OnceAMinute};
use crate::refusal::Refused;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};

/// nginx: its example sets both.
const NGINX: Names = Names("x-original-uri", "x-original-method");
/// Caddy and Traefik set both by themselves.
const FORWARDED: Names = Names("x-forwarded-uri", "x-forwarded-method");

static WARNING: OnceAMinute = OnceAMinute::new();

struct Names(&'static str, &'static str);

/// A request of somebody else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Original<'r> {
    /// Its path and query: as often as it is stated, for nobody knows which of two is the proxy's word and which the caller's.
    pub(crate) targets: Vec<&'r str>,
    /// A browser asks whether a script may ask.
    pub(crate) is_preflight: bool,
}

impl<'r> Original<'r> {
    /// Of the headers in which nginx, Caddy or Traefik say it.
    pub(crate) fn stated(headers: &'r HeaderMap) -> Result<Self, Refused> {
        let (mut targets, mut methods) = (Vec::new(), Vec::new());
        for Names(target, method) in [NGINX, FORWARDED] {
            targets.extend(only(headers, target)?);
            methods.extend(only(headers, method)?);
        }
        if targets.is_empty() {
            if WARNING.is_due() {
                tracing::error!(
                    hint = "set X-Original-URI and X-Original-Method in nginx as examples/nginx does; Caddy's forward_auth and \
                            Traefik's forwardAuth set X-Forwarded-Uri by themselves",
                    "/v1/verify has rules for paths, and the proxy does not say which path is asked for: every request is refused"
                );
            }
            return Err(Refused::misconfigured("the proxy does not say which request it asks about"));
        }
        let is_preflight = !methods.is_empty() && methods.iter().all(|method| cors::is_preflight(method, headers));
        Ok(Self { targets, is_preflight })
    }

    /// Of Envoy, which sends its method, path and query as they are.
    pub(crate) fn sent(method: &Method, target: &'r str, headers: &HeaderMap) -> Self {
        Self { targets: vec![target], is_preflight: cors::is_preflight(method.as_str(), headers) }
    }
}

/// The value of a header that stands there once.
fn only<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Refused> {
    let mut values = headers.get_all(HeaderName::from_static(name)).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refused = |detail| Err(Refused::request(StatusCode::BAD_REQUEST, detail));
    match (str::from_utf8(value.as_bytes()), values.next()) {
        (_, Some(_)) => refused("a header that says which request is asked about stands there twice"),
        (Err(_), None) => refused("the path of the request that is asked about is not UTF-8"),
        (Ok(text), None) => Ok(Some(text)),
    }
}
