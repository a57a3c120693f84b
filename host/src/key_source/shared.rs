//! One fetch serves all instances: who asks while a fetch is under way waits for it, and who asks soon after gets its
//! outcome.

use super::HttpKeySource;
use crate::{
    bindings::poolgate::auth::key_source::{FetchError, KeyResponse},
    clock::Clock,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Mutex as AsyncMutex;

/// How long a body is handed to other instances without asking the server again.
const SHARE_BODY: Duration = Duration::from_secs(5);
/// How long a failure is.
const SHARE_FAILURE: Duration = Duration::from_secs(1);

/// The key source of a verifier.
#[derive(Debug)]
pub(crate) struct SharedKeySource {
    http: HttpKeySource,
    clock: Arc<dyn Clock>,
    /// One slot a URL, held locked while its fetch is under way. The URLs come from the configuration, so there are few.
    slots: Mutex<HashMap<String, Arc<AsyncMutex<Option<Outcome>>>>>,
}

#[derive(Debug)]
struct Outcome {
    at: Instant,
    response: Result<KeyResponse, FetchError>,
}

impl SharedKeySource {
    pub(crate) fn new(http: HttpKeySource, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, slots: Mutex::default() }
    }

    pub(crate) async fn fetch(&self, url: &str) -> Result<KeyResponse, FetchError> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(url.to_owned()).or_default())
        };
        let mut last = slot.lock().await;
        match &*last {
            Some(outcome) if outcome.is_fresh() => outcome.response.clone(),
            _ => {
                let response = self.fetch_now(url).await;
                *last = Some(Outcome { at: Instant::now(), response: response.clone() });
                response
            }
        }
    }

    async fn fetch_now(&self, url: &str) -> Result<KeyResponse, FetchError> {
        match self.http.fetch(url).await {
            Ok(body) => {
                tracing::debug!(url, bytes = body.len(), "fetched a JWK Set");
                Ok(KeyResponse { body, fetched_at: self.clock.now().as_secs() })
            }
            Err(error) => {
                tracing::warn!(url, error = error.name(), "could not fetch a JWK Set");
                Err(error)
            }
        }
    }
}

impl Outcome {
    fn is_fresh(&self) -> bool {
        let share = if self.response.is_ok() { SHARE_BODY } else { SHARE_FAILURE };
        self.at.elapsed() < share
    }
}
