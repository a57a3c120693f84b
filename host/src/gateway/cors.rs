//! Applications in browsers, of other origins than the gateway's: the CORS protocol (Fetch standard, "CORS protocol").

use super::verify;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{fmt, sync::Arc};
use url::{Origin, Url};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
/// What a script may read besides the body.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static("retry-after, www-authenticate");
/// Seconds for which a browser may remember the answer to a preflight; Chromium's own limit is 7,200.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// Why an origin is none that can be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(stated) = self;
        write!(
            formatter,
            "{stated:?} is not an origin as browsers send it, such as https://app.example.com: there are no wildcards"
        )
    }
}

impl std::error::Error for OriginError {}

/// The origins whose scripts may use the account flows and read what they answer.
#[derive(Clone, Default)]
pub(crate) struct Cors(Arc<[HeaderValue]>);

impl Cors {
    /// Of origins as browsers send them. `*` and `null` are none: with credentials, they would be everybody.
    pub(crate) fn new(origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, OriginError> {
        origins.into_iter().map(|origin| allowed(origin.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// The origin of a request, if it is one of these.
    fn origin(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let only = values.next().filter(|_| values.next().is_none())?;
        self.0.iter().find(|allowed| *allowed == only)
    }
}

fn allowed(stated: &str) -> Result<HeaderValue, OriginError> {
    let refused = || OriginError(stated.into());
    let origin = Url::parse(stated).map_err(|_| refused())?.origin();
    let is_exact = matches!(&origin, Origin::Tuple(scheme, ..) if scheme == "https" || scheme == "http")
        && origin.ascii_serialization() == stated
        && !stated.contains('*');
    if !is_exact {
        return Err(refused());
    }
    HeaderValue::from_str(stated).map_err(|_| refused())
}

/// Whether a browser asks if a script may ask. It sends no credentials with it (Fetch standard, "CORS-preflight fetch").
pub(crate) fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    let once = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| !value.is_empty()) && values.next().is_none()
    };
    method == Method::OPTIONS && once(header::ORIGIN) && once(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers preflights of the allowed origins, and lets their scripts read every other answer.
pub(crate) async fn cors(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    if cors.0.is_empty() {
        return next.run(request).await;
    }
    let origin = cors.origin(request.headers()).cloned();
    // What a proxy asks about a preflight is answered by the route's rule.
    let is_preflight = is_preflight(request.method().as_str(), request.headers())
        && !verify::is_asked_by_a_proxy(request.uri().path());
    let mut response = match is_preflight && origin.is_some() {
        true => preflight_answer(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    // A cache must not give one origin what was meant for another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    }
    response
}

fn preflight_answer() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact_and_no_wildcard() {
        for origin in
            ["https://app.example.com", "https://app.example.com:8443", "http://localhost:5173", "http://[::1]:8000"]
        {
            assert!(allowed(origin).is_ok(), "{origin}");
        }
        for refused in [
            "*",
            "null",
            "",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "https://*.example.com",
            "https://App.example.com",
            "file:///x",
            "data:text/plain,x",
        ] {
            assert_eq!(allowed(refused), Err(OriginError(refused.into())), "{refused}");
        }
    }
}
