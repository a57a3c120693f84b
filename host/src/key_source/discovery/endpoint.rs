//! The key set of an issuer whose key URL is in its discovery document.
//!
//! The component knows only the URL of the document, and asks for the key set there. The document is fetched with the first key set, and
//! again in the background when its lifetime has ended. A failure never takes the last key URL away. The keys have their own lifetimes.

use super::{document::DiscoveryDocument, error::DiscoveryError, report::DiscoveryReport, settings::Discovery};
use crate::{
    bindings::poolgate::auth::key_source::{FetchError, KeyResponse},
    clock::Clock,
    key_source::{
        http::{HttpError, HttpKeySource},
        url::KeyUrl,
    },
    metrics::Metrics,
};
use reqwest::StatusCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lifetime of a document, in seconds. `Cache-Control` can shorten it.
const LIFETIME: u64 = 86_400;
/// The time between two requests for a document, in seconds: after a failure, and after the key URL was not found.
const ASK_AGAIN: u64 = 300;

/// An issuer's document and key URL.
#[derive(Debug)]
pub(crate) struct DiscoveredKeys {
    discovery: Discovery,
    limits: DocumentLimits,
    state: Mutex<State>,
}

/// The limits of a document that the verifier's settings determine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DocumentLimits {
    /// The maximum nesting of the document.
    pub(crate) json_depth: u32,
    /// The minimum lifetime of the document, in seconds, whatever the response says.
    pub(crate) min_lifetime: u64,
}

/// What a request needs.
#[derive(Clone, Copy)]
pub(crate) struct Requests<'a> {
    pub(crate) http: &'a HttpKeySource,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) metrics: &'a Metrics,
}

/// The outcome of a key fetch, and the key URL if it is known.
pub(crate) struct KeyFetch {
    pub(crate) outcome: Result<KeyResponse, FetchError>,
    pub(crate) key_url: Option<KeyUrl>,
}

#[derive(Debug, Default)]
struct State {
    document: Option<Current>,
    /// The key URL of a newer document, while the keys of the earlier URL are in use.
    pending: Option<Pending>,
    /// Whether a key set of the URL in use was accepted. Before that, a newer document replaces the URL at once.
    has_keys: bool,
    /// From where the last response came that no instance has judged yet.
    delivered: Option<KeyUrl>,
    /// When the document was last asked for, in seconds since the Unix epoch.
    asked_at: Option<u64>,
    last_error: Option<DiscoveryError>,
}

/// The document in use.
#[derive(Debug)]
struct Current {
    key_url: KeyUrl,
    fetched_at: u64,
    lifetime: u64,
}

#[derive(Debug)]
struct Pending {
    key_url: KeyUrl,
    /// Whether its key set has no usable key. It is then not fetched again before the next document.
    is_rejected: bool,
}

impl DiscoveredKeys {
    pub(crate) fn new(discovery: Discovery, limits: DocumentLimits) -> Self {
        Self { discovery, limits, state: Mutex::default() }
    }

    /// Returns whether this is the document of another pool, with the same rules.
    pub(super) fn is_of(&self, discovery: &Discovery) -> bool {
        self.discovery == *discovery
    }

    pub(crate) fn has_rules_of(&self, other: &Self) -> bool {
        self.is_of(&other.discovery)
    }

    /// Returns whether the document must be refreshed, and records that it is. The caller calls [`refresh`](Self::refresh), in the
    /// background.
    pub(crate) fn starts_refresh(&self, now: u64) -> bool {
        let mut state = self.state();
        let is_old = state.document.as_ref().is_some_and(|it| elapsed(it.fetched_at, now) >= it.lifetime);
        is_old && state.may_ask(now)
    }

    /// Fetches the document. On failure, the last one stays in use.
    pub(crate) async fn refresh(&self, requests: Requests<'_>) {
        // The error is in the report.
        let _ = self.ask(requests).await;
    }

    /// Fetches the key set, and before that the document if there is none yet. At most four requests are made.
    pub(crate) async fn fetch_keys(&self, requests: Requests<'_>, etag: Option<&str>) -> KeyFetch {
        let has_document = {
            let mut state = self.state();
            state.delivered = None;
            state.document.is_some()
        };
        if !has_document && let Err(error) = self.ask(requests).await {
            return KeyFetch { outcome: Err(error.as_fetch_error()), key_url: None };
        }
        let (key_url, outcome) = self.fetch_from_known_urls(requests, etag).await;
        if outcome.is_ok() {
            self.state().delivered.clone_from(&key_url);
        }
        KeyFetch { outcome: outcome.map_err(HttpError::into_fetch_error), key_url }
    }

    /// Records whether the key set that was fetched last has a usable key, and is in use. Only then a changed key URL takes effect.
    pub(crate) fn judged(&self, is_usable: bool) {
        let mut state = self.state();
        let Some(key_url) = state.delivered.take() else { return };
        let (document, jwks_uri) = (&self.discovery.url, key_url.as_url().clone());
        if let Some(pending) = state.pending.as_mut().filter(|pending| pending.key_url == key_url) {
            if !is_usable {
                pending.is_rejected = true;
                tracing::warn!(%document, %jwks_uri, "the key set at the new jwks_uri has no usable key; the earlier one stays in use");
                return;
            }
            state.pending = None;
            if let Some(current) = &mut state.document {
                current.key_url = key_url.clone();
            }
            tracing::info!(%document, %jwks_uri, "the keys are now at another jwks_uri");
        }
        // A newer document may have replaced the URL meanwhile. The `ETag` of these keys is not that of the new URL.
        let is_in_use = state.document.as_ref().is_some_and(|current| current.key_url == key_url);
        state.has_keys |= is_usable && is_in_use;
    }

    pub(crate) fn report(&self) -> DiscoveryReport {
        let state = self.state();
        let text = |url: &KeyUrl| url.as_url().to_string();
        DiscoveryReport {
            url: self.discovery.url.clone(),
            issuer: self.discovery.issuer().to_owned(),
            jwks_uri: state.document.as_ref().map(|current| text(&current.key_url)),
            pending_jwks_uri: state.pending.as_ref().map(|pending| text(&pending.key_url)),
            fetched_at: state.document.as_ref().map(|current| current.fetched_at),
            last_error: state.last_error.clone(),
        }
    }

    /// Tries the key URL of a newer document first, then the one in use. If nothing is there, the document is asked again.
    async fn fetch_from_known_urls(
        &self,
        requests: Requests<'_>,
        etag: Option<&str>,
    ) -> (Option<KeyUrl>, Result<KeyResponse, HttpError>) {
        let pending = self.state().pending_url();
        if let Some(pending) = pending {
            match whole_key_set(requests.http, &pending).await {
                Ok(response) => return (Some(pending), Ok(response)),
                Err(_) => tracing::warn!(
                    document = self.discovery.url,
                    jwks_uri = %pending.as_url(),
                    "could not fetch the key set at the new jwks_uri; the earlier one stays in use"
                ),
            }
        }
        let Some((key_url, has_keys)) = self.state().url_in_use() else {
            return (None, Err(FetchError::Refused.into()));
        };
        // An ETag is that of one URL (RFC 9110 section 8.8.3).
        let outcome = match etag.filter(|_| has_keys) {
            Some(etag) => requests.http.key_set(&key_url, Some(etag)).await,
            None => whole_key_set(requests.http, &key_url).await,
        };
        let now = requests.clock.now().as_secs();
        if outcome.as_ref().is_err_and(|error| error.is_not_found()) && self.state().may_ask(now) {
            let has_document = self.ask(requests).await.is_ok();
            let next = self.state().other_url(&key_url).filter(|_| has_document);
            if let Some(next) = next {
                let outcome = whole_key_set(requests.http, &next).await;
                return (Some(next), outcome);
            }
        }
        (Some(key_url), outcome)
    }

    /// Fetches and checks the document.
    async fn ask(&self, requests: Requests<'_>) -> Result<(), DiscoveryError> {
        self.state().asked_at = Some(requests.clock.now().as_secs());
        let outcome = self.discovery.fetch(requests.http, self.limits.json_depth).await;
        let document = &self.discovery.url;
        requests.metrics.count_discovery(document, outcome.as_ref().map_or_else(DiscoveryError::name, |_| "fetched"));
        let mut state = self.state();
        match outcome {
            Ok(fetched) => {
                tracing::info!(document, jwks_uri = fetched.jwks_uri(), "fetched a discovery document");
                state.replace(fetched, self.limits.min_lifetime, requests.clock.now().as_secs());
                state.last_error = None;
                Ok(())
            }
            Err(error) => {
                let is_mismatch = matches!(error, DiscoveryError::IssuerMismatch { .. });
                tracing::warn!(
                    document,
                    error = error.name(),
                    expected = is_mismatch.then(|| self.discovery.issuer()),
                    found = error.found(),
                    hint = error.hint(),
                    "{error}; the last valid document stays in use"
                );
                state.last_error = Some(error.clone());
                Err(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether enough time has passed since the document was last asked for, and records the request.
    fn may_ask(&mut self, now: u64) -> bool {
        let may_ask = self.asked_at.is_none_or(|asked_at| elapsed(asked_at, now) >= ASK_AGAIN);
        if may_ask {
            self.asked_at = Some(now);
        }
        may_ask
    }

    /// Takes over a new document. If keys are in use, a changed key URL waits until its key set has been judged.
    fn replace(&mut self, document: DiscoveryDocument, min_lifetime: u64, now: u64) {
        let lifetime = document.max_age.unwrap_or(LIFETIME).max(min_lifetime).min(LIFETIME);
        let in_use = self.document.take().map(|current| current.key_url).filter(|_| self.has_keys);
        self.pending = None;
        let key_url = match in_use {
            Some(in_use) if in_use != document.key_url => {
                self.pending = Some(Pending { key_url: document.key_url, is_rejected: false });
                in_use
            }
            _ => document.key_url,
        };
        self.document = Some(Current { key_url, fetched_at: now, lifetime });
    }

    fn pending_url(&self) -> Option<KeyUrl> {
        self.pending.as_ref().filter(|pending| !pending.is_rejected).map(|pending| pending.key_url.clone())
    }

    fn url_in_use(&self) -> Option<(KeyUrl, bool)> {
        self.document.as_ref().map(|current| (current.key_url.clone(), self.has_keys))
    }

    /// Returns the key URL of the newest document, if it is another one.
    fn other_url(&self, than: &KeyUrl) -> Option<KeyUrl> {
        let newest = self.pending_url().or_else(|| self.url_in_use().map(|(key_url, _)| key_url));
        newest.filter(|key_url| key_url != than)
    }
}

/// Fetches a key set unconditionally, so that 304 is an error.
async fn whole_key_set(http: &HttpKeySource, key_url: &KeyUrl) -> Result<KeyResponse, HttpError> {
    let response = http.key_set(key_url, None).await?;
    if response.body.is_none() { Err(HttpError::Status(StatusCode::NOT_MODIFIED)) } else { Ok(response) }
}

/// Returns the seconds between two times. A clock that is set back counts as time that has passed, so that no document is used for ever.
fn elapsed(since: u64, now: u64) -> u64 {
    now.abs_diff(since)
}
