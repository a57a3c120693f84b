//! One HTTP request for a JWK Set: bounded in time and size, following nothing.

use super::{KeyUrl, freshness};
use crate::bindings::poolgate::auth::key_source::{FetchError, KeyResponse};
use reqwest::{
    Certificate, Client, Response, StatusCode,
    header::{ETAG, IF_NONE_MATCH},
    redirect::Policy,
};
use std::{sync::OnceLock, time::Duration};

/// Fetches JWK Sets over HTTPS.
#[derive(Debug)]
pub(crate) struct HttpKeySource {
    settings: HttpSettings,
    /// Made when they are needed for the first time: reading the machine's certificates takes longer than a start from keys in a file.
    https: OnceLock<Client>,
    /// For plain http to a loopback address, which no proxy has a part in.
    loopback: OnceLock<Client>,
}

/// What an operator states of the connections.
#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    /// For the connection, TLS and all.
    pub(crate) connect_timeout: Duration,
    /// For everything.
    pub(crate) timeout: Duration,
    pub(crate) body_limit: u32,
    pub(crate) allow_http_loopback: bool,
    /// Trusted besides the machine's.
    pub(crate) roots: Vec<Certificate>,
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
            tracing::error!(%error, "no HTTP client can be made: are there certificates on this machine?");
            FetchError::Unreachable
        });
        // Another task may have been faster: then its client serves.
        built.map(|client| slot.get_or_init(|| client))
    }

    /// What the server at `url` answers, if it is 200 or 304, in time and within the limit.
    ///
    /// The content type is not looked at: issuers differ in it, and what is not a JWK Set is refused as such. No content
    /// coding is asked for, and none is undone, so that a small body can't become a large one.
    pub(crate) async fn fetch(&self, url: &str, etag: Option<&str>) -> Result<KeyResponse, FetchError> {
        let url = KeyUrl::parse(url, self.settings.allow_http_loopback).map_err(|_| FetchError::Refused)?;
        let mut request = self.client(url.is_plain_http())?.get(url.as_url().clone());
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(fault)?;
        let (max_age, etag) = (freshness::max_age(response.headers()), etag_of(&response));
        let body = match response.status() {
            StatusCode::OK => Some(self.body(response).await?),
            StatusCode::NOT_MODIFIED => None,
            _ => return Err(FetchError::BadStatus),
        };
        Ok(KeyResponse { body, max_age, etag })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, FetchError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > self.settings.body_limit as usize {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn etag_of(response: &Response) -> Option<String> {
    response.headers().get(ETAG)?.to_str().ok().map(str::to_owned)
}

fn fault(error: reqwest::Error) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { FetchError::Unreachable }
}
