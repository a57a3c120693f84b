//! Configures and starts a feed.

use super::{Feed, polling::Polling, state::Shared};
use crate::{
    clock::{Clock, SystemClock},
    key_source::{HttpKeySource, HttpSettings, KeyUrl, KeyUrlError},
};
use reqwest::Certificate;
use std::{fmt, sync::Arc, time::Duration};

impl Feed {
    /// Returns a builder. `url` is that of the feed: `https`, without a query.
    pub fn builder(url: impl Into<String>) -> FeedBuilder {
        FeedBuilder::new(url.into())
    }
}

/// Configures a [`Feed`].
///
/// # Defaults
///
/// * [`poll_interval`](Self::poll_interval): 5 seconds.
/// * [`max_stale`](Self::max_stale): 60 seconds.
/// * [`max_entries`](Self::max_entries): 1,000,000, which is 12 MB.
/// * [`fetch_timeout`](Self::fetch_timeout): 10 seconds.
/// * [`root_certificate`](Self::root_certificate): no additional certificate authorities.
/// * [`allow_http_loopback`](Self::allow_http_loopback): disabled -- only an `https` URL is polled.
/// * [`clock`](Self::clock): the system clock.
#[derive(Clone)]
#[must_use]
pub struct FeedBuilder {
    url: String,
    poll_interval: Duration,
    max_stale: Duration,
    max_entries: usize,
    fetch_timeout: Duration,
    roots: Vec<Certificate>,
    allow_http_loopback: bool,
    clock: Arc<dyn Clock>,
}

/// Why a feed cannot be polled as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedConfigError {
    /// The URL is not allowed, as that of a JWK Set would not be.
    Url(KeyUrlError),
    /// The URL has a query or a fragment.
    Query,
    /// The certificate is not one in PEM format.
    Certificate,
    /// The poll interval is zero.
    PollInterval,
    /// The maximum age is not longer than the poll interval, so that the feed would always become too old between two polls.
    MaxStale,
}

impl FeedBuilder {
    fn new(url: String) -> Self {
        Self {
            url,
            poll_interval: Duration::from_secs(5),
            max_stale: Duration::from_secs(60),
            max_entries: 1_000_000,
            fetch_timeout: Duration::from_secs(10),
            roots: Vec::new(),
            allow_http_loopback: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the time between two polls. The default is 5 seconds. Jitter takes off up to a tenth.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the time after which the revocations are too old, if no poll succeeds meanwhile. The default is 60 seconds.
    pub fn max_stale(mut self, max: Duration) -> Self {
        self.max_stale = max;
        self
    }

    /// Sets the maximum number of revocations. The default is 1,000,000. A document with more is not applied, and the feed becomes too old.
    pub fn max_entries(mut self, max: usize) -> Self {
        self.max_entries = max;
        self
    }

    /// Sets the maximum time of a poll, including the body of the response. The default is 10 seconds.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// Trusts an additional certificate authority, in PEM format.
    ///
    /// # Errors
    ///
    /// Returns [`FeedConfigError::Certificate`] if `pem` contains no certificate or an invalid one.
    pub fn root_certificate(mut self, pem: &[u8]) -> Result<Self, FeedConfigError> {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| FeedConfigError::Certificate)?;
        if certificates.is_empty() {
            return Err(FeedConfigError::Certificate);
        }
        self.roots.extend(certificates);
        Ok(self)
    }

    /// Allows plain HTTP to loopback addresses. By default, it is not allowed.
    pub fn allow_http_loopback(mut self, allow: bool) -> Self {
        self.allow_http_loopback = allow;
        self
    }

    /// Sets the clock, by which expired revocations are removed. The default is the system clock. The age of the feed does not depend on it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts polling, in a task that ends when the feed is dropped.
    ///
    /// # Errors
    ///
    /// Returns a [`FeedConfigError`] if the feed cannot be polled as it is configured.
    ///
    /// # Panics
    ///
    /// Panics if it is not called within a Tokio runtime that has its timer and I/O drivers enabled.
    pub fn start(self) -> Result<Feed, FeedConfigError> {
        let url = KeyUrl::parse(&self.url, self.allow_http_loopback).map_err(FeedConfigError::Url)?;
        if url.as_url().query().is_some() || url.as_url().fragment().is_some() {
            return Err(FeedConfigError::Query);
        }
        if self.poll_interval.is_zero() {
            return Err(FeedConfigError::PollInterval);
        }
        if self.max_stale <= self.poll_interval {
            return Err(FeedConfigError::MaxStale);
        }
        let max_bytes = poolgate_revocations::max_document_bytes(self.max_entries);
        let source = HttpKeySource::new(HttpSettings {
            connect_timeout: self.fetch_timeout,
            timeout: self.fetch_timeout,
            body_limit: u32::try_from(max_bytes).unwrap_or(u32::MAX),
            allow_http_loopback: self.allow_http_loopback,
            roots: self.roots,
        });
        let shared = Arc::new(Shared::new(self.max_stale));
        let polling = Polling {
            shared: Arc::clone(&shared),
            source,
            url,
            interval: self.poll_interval,
            max_entries: self.max_entries,
            max_bytes,
            clock: self.clock,
        };
        Ok(Feed { shared, polling: tokio::spawn(polling.run()) })
    }
}

impl fmt::Debug for FeedBuilder {
    /// Omits the URL.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { poll_interval, max_stale, max_entries, .. } = self;
        formatter
            .debug_struct("FeedBuilder")
            .field("poll_interval", poll_interval)
            .field("max_stale", max_stale)
            .field("max_entries", max_entries)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for FeedConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Url(KeyUrlError::Malformed) => "the URL of the revocation feed is malformed or contains credentials",
            Self::Url(KeyUrlError::Scheme) => "the URL of the revocation feed must use https",
            Self::Url(KeyUrlError::PlainHttp) => {
                "the URL of the revocation feed must use https; plain http is allowed only for loopback addresses"
            }
            Self::Url(KeyUrlError::LoopbackNotAllowed) => {
                "the URL of the revocation feed must use https; allow plain http to loopback addresses with --allow-http-loopback"
            }
            Self::Query => "the URL of the revocation feed must have neither a query nor a fragment",
            Self::Certificate => "this is not a certificate in PEM format",
            Self::PollInterval => "the poll interval of the revocation feed is zero",
            Self::MaxStale => "the maximum age of the revocation feed must be longer than its poll interval",
        })
    }
}

impl std::error::Error for FeedConfigError {}
