//! The key set of an issuer whose key URL is in its discovery document.
//!
//! The document is fetched with the first key set, and again in the background when its lifetime has ended. A failure never takes the last
//! key URL away. The keys have their own lifetimes.

use super::{
    document_rules::DocumentRules,
    error::DiscoveryError,
    key_url::KeyUrl,
    requests::{FetchedResponse, HttpError, Requests},
    state::{Change, State},
};
use crate::config::{Config, Pool};
use poolgate_core::FetchError;
use std::cell::{RefCell, RefMut};

/// The maximum length of a document, in bytes.
const DOCUMENT_LIMIT: usize = 64 * 1024;

/// The document and the key URL of one issuer.
#[derive(Debug)]
pub struct DiscoveredKeys {
    document_url: KeyUrl,
    rules: DocumentRules,
    /// The maximum nesting of the document.
    json_depth: u32,
    /// The minimum lifetime of the document, in seconds, whatever the response says.
    min_lifetime: u64,
    /// The maximum length of a key set, in bytes.
    key_set_limit: usize,
    timeout_ms: u32,
    state: RefCell<State>,
}

/// The outcome of a key fetch.
#[derive(Debug)]
pub struct KeyFetch {
    /// The response of the key URL, or why there is none.
    pub outcome: Result<FetchedResponse, FetchError>,
    /// The key URL, if it is known.
    pub key_url: Option<KeyUrl>,
}

impl DiscoveredKeys {
    pub(super) fn new(config: &Config, pool: &Pool, document_url: KeyUrl) -> Self {
        Self {
            rules: DocumentRules::new(pool, &document_url),
            document_url,
            json_depth: config.limits.json_depth,
            min_lifetime: config.key_policy.soft_ttl_min.into(),
            key_set_limit: usize::try_from(config.limits.jwks_bytes).unwrap_or(usize::MAX),
            timeout_ms: pool.keys.timeout_ms,
            state: RefCell::default(),
        }
    }

    /// Returns the maximum duration of each request, in milliseconds.
    pub fn timeout_ms(&self) -> u32 {
        self.timeout_ms
    }

    /// Returns whether the document must be refreshed, and records that it is. The caller calls [`refresh`](Self::refresh), in the
    /// background. `now` is in seconds since the Unix epoch.
    pub fn starts_refresh(&self, now: u64) -> bool {
        self.state().starts_refresh(now)
    }

    /// Fetches the document. On failure, the last one stays in use.
    pub async fn refresh(&self, requests: &impl Requests) {
        // The error is in the log.
        let _ = self.ask(requests).await;
    }

    /// Fetches the key set, and before that the document if there is none yet. At most four requests are made. `etag` is that of the current
    /// key set.
    pub async fn fetch_keys(&self, requests: &impl Requests, etag: Option<&str>) -> KeyFetch {
        let has_document = self.state().has_document();
        if !has_document && let Err(error) = self.ask(requests).await {
            return KeyFetch { outcome: Err(error.as_fetch_error()), key_url: None };
        }
        let (key_url, outcome) = self.fetch_from_known_urls(requests, etag).await;
        KeyFetch { outcome: outcome.map_err(HttpError::as_fetch_error), key_url }
    }

    /// Records whether the key set of a [`KeyFetch`] has a usable key, and is in use. Only then a changed key URL takes effect.
    pub fn judged(&self, requests: &impl Requests, key_url: &KeyUrl, is_usable: bool) {
        let change = self.state().judged(key_url, is_usable);
        let what = match change {
            Change::Nothing => return,
            Change::Moved => "is in use from now on",
            Change::NewUrlRejected => "has no usable key; the earlier one stays in use",
        };
        requests.log(self.about_new_url(key_url, what));
    }

    /// Tries the key URL of a newer document first, then the one in use. If nothing is there, the document is asked again.
    async fn fetch_from_known_urls(
        &self,
        requests: &impl Requests,
        etag: Option<&str>,
    ) -> (Option<KeyUrl>, Result<FetchedResponse, HttpError>) {
        let pending = self.state().pending_url();
        if let Some(pending) = pending {
            match self.whole_key_set(requests, &pending).await {
                Ok(response) => return (Some(pending), Ok(response)),
                Err(_) => requests.log(self.about_new_url(&pending, "can't be fetched; the earlier one stays in use")),
            }
        }
        let in_use = self.state().url_in_use();
        let Some((key_url, has_keys)) = in_use else {
            return (None, Err(FetchError::Refused.into()));
        };
        // An ETag is that of one URL (RFC 9110 section 8.8.3).
        let outcome = match etag.filter(|_| has_keys) {
            Some(etag) => requests.get(&key_url, Some(etag), self.key_set_limit).await,
            None => self.whole_key_set(requests, &key_url).await,
        };
        let is_not_found = outcome.as_ref().is_err_and(|error| error.is_not_found());
        let asks_again = is_not_found && self.state().may_ask(requests.now());
        if asks_again && self.ask(requests).await.is_ok() {
            let next = self.state().other_url(&key_url);
            if let Some(next) = next {
                let outcome = self.whole_key_set(requests, &next).await;
                return (Some(next), outcome);
            }
        }
        (Some(key_url), outcome)
    }

    /// Fetches a key set unconditionally, so that 304 is an error.
    async fn whole_key_set(&self, requests: &impl Requests, key_url: &KeyUrl) -> Result<FetchedResponse, HttpError> {
        let response = requests.get(key_url, None, self.key_set_limit).await?;
        if response.body.is_none() { Err(HttpError::Status(304)) } else { Ok(response) }
    }

    /// Fetches and checks the document.
    async fn ask(&self, requests: &impl Requests) -> Result<(), DiscoveryError> {
        self.state().asked(requests.now());
        let result = self.document(requests).await;
        match result {
            Ok((key_url, max_age)) => {
                self.state().replace(key_url, max_age, self.min_lifetime, requests.now());
                Ok(())
            }
            Err(error) => {
                let last = if self.state().has_document() { "; the last valid one stays in use" } else { "" };
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                let (url, name) = (self.document_url.as_str(), error.name());
                requests.log(format!("the discovery document {url} is not used: {name}: {error}{hint}{last}"));
                Err(error)
            }
        }
    }

    async fn document(&self, requests: &impl Requests) -> Result<(KeyUrl, Option<u64>), DiscoveryError> {
        let response = requests.get(&self.document_url, None, DOCUMENT_LIMIT).await?;
        // Without a condition in the request, there is no reason for 304.
        let body = response.body.ok_or(DiscoveryError::Status(304))?;
        Ok((self.rules.check(&body, self.json_depth)?, response.max_age))
    }

    fn about_new_url(&self, key_url: &KeyUrl, what: &str) -> String {
        format!("the key set at the new jwks_uri {} of {} {what}", key_url.as_str(), self.document_url.as_str())
    }

    /// The state. It is never borrowed while a request is made.
    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }
}
