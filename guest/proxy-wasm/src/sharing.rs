//! What workers share through the proxy's shared data, so that one fetch serves all: for each URL, the latest fetch result with the last
//! accepted key set, and the lease of the worker that is fetching.

use poolgate_core::{FetchError, LogicalTime, Response};
use proxy_wasm::{
    hostcalls,
    types::{Bytes, Status},
};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a write is retried after another worker's write came first (compare-and-swap).
const TRIES: usize = 8;

/// The shared state of one URL. Stored as one line of JSON, followed by the body of the key set.
#[derive(Default)]
pub struct SharedFetch {
    /// The sequence number, which increases with each completed fetch.
    pub number: u64,
    /// In nanoseconds of the proxy's clock.
    started_at: u64,
    /// In seconds since the Unix epoch.
    pub ended_at: u64,
    /// The `kid` that the fetch was for, if it was for an unknown key.
    pub key_id: Option<String>,
    /// Whether the fetch returned an accepted key set, or confirmed the current one (304).
    pub succeeded: bool,
    /// When the key set below was fetched or last confirmed, in seconds since the Unix epoch.
    accepted_at: Option<u64>,
    max_age: Option<u64>,
    etag: Option<String>,
    body: Vec<u8>,
}

/// The result of a fetch by this worker.
pub struct FetchOutcome<'a> {
    pub key_id: Option<&'a str>,
    pub started_at: LogicalTime,
    /// In seconds since the Unix epoch.
    pub ended_at: u64,
    /// `None` if the fetch failed or the key set was rejected.
    pub accepted: Option<Response<'a>>,
}

impl SharedFetch {
    /// Reads the latest published result for a URL.
    pub fn of(url: &str) -> Option<Self> {
        Self::read(url).0
    }

    fn read(url: &str) -> (Option<Self>, Option<u32>) {
        match hostcalls::get_shared_data(&key("keys", url)) {
            Ok((bytes, version)) => (bytes.and_then(|bytes| Self::parse(&bytes)), version),
            Err(_) => (None, None),
        }
    }

    fn parse(bytes: &Bytes) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (line, body) = bytes.split_at(end);
        let line: Value = serde_json::from_str(str::from_utf8(line).ok()?).ok()?;
        let number = |name| line.get(name).and_then(Value::as_u64);
        let text = |name| line.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            number: number("number")?,
            started_at: number("started_at").unwrap_or_default(),
            ended_at: number("ended_at")?,
            key_id: text("key_id"),
            succeeded: line.get("succeeded")?.as_bool()?,
            accepted_at: number("accepted_at"),
            max_age: number("max_age"),
            etag: text("etag"),
            body: body.get(1..).unwrap_or_default().to_vec(),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let line = json!({
            "number": self.number,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "key_id": self.key_id,
            "succeeded": self.succeeded,
            "accepted_at": self.accepted_at,
            "max_age": self.max_age,
            "etag": self.etag,
        });
        let mut bytes = line.to_string().into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Publishes a result to the other workers, and returns its sequence number.
    pub fn publish(url: &str, outcome: &FetchOutcome<'_>) -> Option<u64> {
        for _ in 0..TRIES {
            let (earlier, version) = Self::read(url);
            let mut shared = earlier.unwrap_or_default();
            shared.number += 1;
            shared.started_at = outcome.started_at.0;
            shared.ended_at = outcome.ended_at;
            shared.key_id = outcome.key_id.map(str::to_owned);
            shared.succeeded = outcome.accepted.is_some();
            if let Some(response) = &outcome.accepted {
                shared.accepted_at = Some(outcome.ended_at);
                shared.max_age = response.max_age;
                if let Some(body) = response.body {
                    shared.body = body.to_vec();
                    shared.etag = response.etag.map(str::to_owned);
                }
            }
            match hostcalls::set_shared_data(&key("keys", url), Some(&shared.bytes()), version) {
                Err(Status::CasMismatch) => (),
                _ => return Some(shared.number),
            }
        }
        None
    }

    /// Returns the logical time at which the fetch started.
    pub fn started_at(&self) -> LogicalTime {
        LogicalTime(self.started_at)
    }

    /// Returns the last accepted key set, and when it was fetched or confirmed.
    pub fn keys(&self) -> Option<(u64, Response<'_>)> {
        let response = Response { body: Some(&self.body), max_age: self.max_age, etag: self.etag.as_deref() };
        Some((self.accepted_at?, response))
    }

    /// Returns the outcome of the latest fetch in the form that the verifier takes.
    pub fn outcome(&self) -> Result<Response<'_>, FetchError> {
        match self.keys() {
            Some((_, response)) if self.succeeded => Ok(response),
            _ => Err(FetchError::Unreachable),
        }
    }
}

/// Takes the lease on fetching a URL. Returns `false` if another worker has it.
pub fn take_lease(url: &str, now: Duration, duration: Duration) -> bool {
    let Ok((bytes, version)) = hostcalls::get_shared_data(&key("lease", url)) else {
        // Without shared data, every worker fetches for itself.
        return true;
    };
    let until = bytes.and_then(|bytes| Some(u64::from_le_bytes(bytes.as_slice().try_into().ok()?)));
    if until.is_some_and(|until| Duration::from_millis(until) > now) {
        return false;
    }
    set_lease(url, now.saturating_add(duration), version).is_ok()
}

/// Releases the lease.
pub fn release_lease(url: &str) {
    let _ = set_lease(url, Duration::ZERO, None);
}

fn set_lease(url: &str, until: Duration, version: Option<u32>) -> Result<(), Status> {
    let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
    hostcalls::set_shared_data(&key("lease", url), Some(&until.to_le_bytes()), version)
}

fn key(kind: &str, url: &str) -> String {
    format!("poolgate.{kind} {url}")
}
