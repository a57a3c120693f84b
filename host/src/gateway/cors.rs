//! Cross-origin requests of browser applications (Fetch standard, "CORS protocol").

use super::{check_paths::is_authorization_check, preflight};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{fmt, sync::Arc};
use url::{Origin, Url};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
/// The response headers that a script may read.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static("retry-after, www-authenticate");
/// How long a browser may cache the response to a preflight, in seconds. Chromium's own limit is 7,200.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The error for a text that is not an origin that can be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(origin) = self;
        write!(
            formatter,
            "{origin:?} is not an origin as browsers send it, such as https://app.example.com; wildcards are not supported"
        )
    }
}

impl std::error::Error for OriginError {}

/// The origins whose scripts may call the account flows and read the responses.
#[derive(Clone, Default)]
pub(crate) struct Cors(Arc<[HeaderValue]>);

impl Cors {
    /// Origins as browsers send them. `*` and `null` are rejected, because with credentials they would allow every site.
    pub(crate) fn new(origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, OriginError> {
        origins.into_iter().map(|origin| allowed(origin.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// The origin of a request, if it is allowed.
    fn origin(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let only = values.next().filter(|_| values.next().is_none())?;
        self.0.iter().find(|allowed| *allowed == only)
    }
}

fn allowed(text: &str) -> Result<HeaderValue, OriginError> {
    let rejected = || OriginError(text.into());
    let origin = Url::parse(text).map_err(|_| rejected())?.origin();
    let is_exact = matches!(&origin, Origin::Tuple(scheme, ..) if scheme == "https" || scheme == "http")
        && origin.ascii_serialization() == text
        && !text.contains('*');
    if !is_exact {
        return Err(rejected());
    }
    HeaderValue::from_str(text).map_err(|_| rejected())
}

/// Responds to preflights of the allowed origins, and lets their scripts read all other responses.
pub(crate) async fn cors(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    if cors.0.is_empty() {
        return next.run(request).await;
    }
    let origin = cors.origin(request.headers()).cloned();
    // In an authorization check, the preflight is the original request, and the route rules decide about it.
    let is_preflight = preflight::is_preflight(request.method().as_str(), request.headers())
        && !is_authorization_check(request.uri().path());
    let mut response = match is_preflight && origin.is_some() {
        true => preflight_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    // A cache must not serve the response for one origin to another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
    response
}

fn preflight_response() -> Response {
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
    fn origins_are_exact_and_wildcards_are_rejected() {
        for origin in
            ["https://app.example.com", "https://app.example.com:8443", "http://localhost:5173", "http://[::1]:8000"]
        {
            assert!(allowed(origin).is_ok(), "{origin}");
        }
        for rejected in [
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
            assert_eq!(allowed(rejected), Err(OriginError(rejected.into())), "{rejected}");
        }
    }
}
