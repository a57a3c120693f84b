//! One HTTP request for a JWK Set: bounded in time and size, following nothing.

use super::KeyUrl;
use crate::bindings::poolgate::auth::key_source::FetchError;
use reqwest::{Client, ClientBuilder, StatusCode, redirect::Policy};
use std::time::Duration;

/// Fetches JWK Sets over HTTPS.
#[derive(Debug)]
pub(crate) struct HttpKeySource {
    https: Client,
    /// For plain http to a loopback address, which no proxy has a part in.
    loopback: Client,
    allow_http_loopback: bool,
    body_limit: usize,
}

impl HttpKeySource {
    pub(crate) fn new(timeout: Duration, body_limit: u32, allow_http_loopback: bool) -> reqwest::Result<Self> {
        let client = || -> ClientBuilder {
            Client::builder()
                .redirect(Policy::none())
                .connect_timeout(timeout)
                .timeout(timeout)
                .user_agent(concat!("poolgate/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            https: client().https_only(true).build()?,
            loopback: client().no_proxy().build()?,
            allow_http_loopback,
            body_limit: body_limit as usize,
        })
    }

    /// The body at `url`, if the server answers 200 in time and within the limit.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let url = KeyUrl::parse(url, self.allow_http_loopback).map_err(|_| FetchError::Refused)?;
        let client = if url.is_plain_http() { &self.loopback } else { &self.https };
        let mut response = client.get(url.as_url().clone()).send().await.map_err(fault)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::BadStatus);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > self.body_limit {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn fault(error: reqwest::Error) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { FetchError::Unreachable }
}
