//! The HTTP client for JWK Sets and discovery documents. Time and response size are limited, and redirects are not followed.

use super::{
    freshness,
    url::{KeyUrl, KeyUrlError},
};
use crate::bindings::poolgate::auth::key_source::{FetchError, KeyResponse};
use reqwest::{
    Certificate, Client, Response, StatusCode,
    header::{ETAG, IF_NONE_MATCH},
    redirect::Policy,
};
use std::{sync::OnceLock, time::Duration};

/// Fetches JWK Sets over HTTPS, or over plain HTTP from loopback addresses if the settings allow that.
#[derive(Debug)]
pub(crate) struct HttpKeySource {
    settings: HttpSettings,
    /// Created by the first fetch: loading the system's certificates takes longer than starting a verifier with local keys.
    https: OnceLock<Client>,
    /// For plain HTTP to a loopback address. It ignores the proxy settings of the environment.
    loopback: OnceLock<Client>,
}

/// The settings of the HTTP clients.
#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    /// The maximum time to connect, including the TLS handshake.
    pub(crate) connect_timeout: Duration,
    /// The maximum time for the whole request, including the response body.
    pub(crate) timeout: Duration,
    /// The maximum size of a response body, in bytes.
    pub(crate) body_limit: u32,
    pub(crate) allow_http_loopback: bool,
    /// Root certificates that are trusted in addition to those of the system.
    pub(crate) roots: Vec<Certificate>,
}

/// Why a request has no usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpError {
    Fetch(FetchError),
    /// The status is neither 200 nor 304.
    Status(StatusCode),
}

impl HttpKeySource {
    pub(crate) fn new(settings: HttpSettings) -> Self {
        Self { settings, https: OnceLock::new(), loopback: OnceLock::new() }
    }

    fn client(&self, is_plain_http: bool) -> Result<&Client, FetchError> {
        let slot = if is_plain_http { &self.loopback } else { &self.https };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let HttpSettings { connect_timeout, timeout, roots, .. } = &self.settings;
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(*connect_timeout)
            .timeout(*timeout)
            .tls_certs_merge(roots.iter().cloned())
            .user_agent(concat!("poolgate/", env!("CARGO_PKG_VERSION")));
        let client = if is_plain_http { client.no_proxy() } else { client.https_only(true) };
        let built = client.build().map_err(|error| {
            tracing::error!(%error, "could not create the HTTP client; check that root certificates are installed");
            FetchError::Unreachable
        });
        // If another task has set the client in the meantime, use that one.
        built.map(|client| slot.get_or_init(|| client))
    }

    /// Fetches the JWK Set at `url`. Responses with another status than 200 or 304 are errors.
    pub(crate) async fn fetch(&self, url: &str, etag: Option<&str>) -> Result<KeyResponse, FetchError> {
        let url = KeyUrl::parse(url, self.settings.allow_http_loopback).map_err(|_| FetchError::Refused)?;
        self.key_set(&url, etag).await.map_err(HttpError::into_fetch_error)
    }

    /// Fetches the JWK Set at a URL that has been checked. The error has the status.
    pub(super) async fn key_set(&self, url: &KeyUrl, etag: Option<&str>) -> Result<KeyResponse, HttpError> {
        self.get(url, etag, self.settings.body_limit as usize).await
    }

    /// Makes a request. Responses with another status than 200 or 304 are errors.
    ///
    /// The content type is ignored, because issuers use different ones; the reader rejects a body of another kind. Content codings are
    /// neither requested nor decoded, so that a small compressed body cannot expand to a large one.
    pub(crate) async fn get(&self, url: &KeyUrl, etag: Option<&str>, limit: usize) -> Result<KeyResponse, HttpError> {
        let mut request = self.client(url.is_plain_http())?.get(url.as_url().clone());
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(fetch_error)?;
        let (max_age, etag) = (freshness::max_age(response.headers()), etag_of(&response));
        let body = match response.status() {
            StatusCode::OK => Some(body(response, limit).await?),
            StatusCode::NOT_MODIFIED => None,
            status => return Err(HttpError::Status(status)),
        };
        Ok(KeyResponse { body, max_age, etag })
    }

    /// Checks a URL against the settings.
    pub(super) fn check(&self, url: &str) -> Result<KeyUrl, KeyUrlError> {
        KeyUrl::parse(url, self.settings.allow_http_loopback)
    }
}

impl HttpError {
    /// Returns the error of the WIT contract, which does not have the status.
    pub(crate) fn into_fetch_error(self) -> FetchError {
        match self {
            HttpError::Fetch(error) => error,
            HttpError::Status(_) => FetchError::BadStatus,
        }
    }

    /// Returns whether nothing is at the URL, for a time or for ever (RFC 9110 sections 15.5.5 and 15.5.11).
    pub(super) fn is_not_found(self) -> bool {
        matches!(self, HttpError::Status(StatusCode::NOT_FOUND | StatusCode::GONE))
    }
}

impl From<FetchError> for HttpError {
    fn from(error: FetchError) -> Self {
        HttpError::Fetch(error)
    }
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fetch_error)? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn etag_of(response: &Response) -> Option<String> {
    response.headers().get(ETAG)?.to_str().ok().map(str::to_owned)
}

fn fetch_error(error: reqwest::Error) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { FetchError::Unreachable }
}
