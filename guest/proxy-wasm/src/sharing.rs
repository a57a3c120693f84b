//! What workers tell one another through the proxy's shared data, so that one fetch serves all: the last end of a fetch from each URL
//! with the keys that were last taken, and who is fetching.

use poolgate_core::{FetchFault, Response, Tick};
use proxy_wasm::{
    hostcalls,
    types::{Bytes, Status},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often a change is tried again that another worker's change came before.
const TRIES: usize = 8;

/// The state of one URL: a line of JSON, and then the body of the key set as it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SharedFetch {
    /// Goes up with each end.
    pub number: u64,
    /// In nanoseconds of the proxy's clock.
    #[serde(default)]
    began_at: u64,
    /// In seconds since the Unix epoch.
    pub ended_at: u64,
    /// For which `kid` it was, if for one.
    pub key_id: Option<String>,
    /// Whether the fetch succeeded: the response had a key set, or was 304.
    pub succeeded: bool,
    /// When the keys below were fetched or last confirmed.
    taken_at: Option<u64>,
    max_age: Option<u64>,
    etag: Option<String>,
    #[serde(skip)]
    body: Vec<u8>,
}

/// The end of a fetch.
pub struct FetchOutcome<'a> {
    pub key_id: Option<&'a str>,
    pub began_at: Tick,
    pub at: u64,
    /// None if it did not help.
    pub taken: Option<Response<'a>>,
}

impl SharedFetch {
    /// What has been told of a URL, if anything.
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
        let shared: Self = serde_json::from_slice(line).ok()?;
        Some(Self { body: body.get(1..).unwrap_or_default().to_vec(), ..shared })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Tells the others of an end.
    pub fn publish(url: &str, end: &FetchOutcome<'_>) -> Option<u64> {
        for _ in 0..TRIES {
            let (earlier, version) = Self::read(url);
            let mut shared = earlier.unwrap_or_default();
            shared.number += 1;
            shared.began_at = end.began_at.0;
            shared.ended_at = end.at;
            shared.key_id = end.key_id.map(str::to_owned);
            shared.succeeded = end.taken.is_some();
            if let Some(response) = &end.taken {
                shared.taken_at = Some(end.at);
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

    /// When the fetch began.
    pub fn began_at(&self) -> Tick {
        Tick(self.began_at)
    }

    /// The keys that were last taken, and when they were fetched or confirmed.
    pub fn keys(&self) -> Option<(u64, Response<'_>)> {
        let response = Response { body: Some(&self.body), max_age: self.max_age, etag: self.etag.as_deref() };
        Some((self.taken_at?, response))
    }

    /// The outcome of the last fetch, as this worker must hear it.
    pub fn outcome(&self) -> Result<Response<'_>, FetchFault> {
        match self.keys() {
            Some((_, response)) if self.succeeded => Ok(response),
            _ => Err(FetchFault::Unreachable),
        }
    }
}

/// Takes the right to fetch from a URL for a while. False if another worker has it.
pub fn take_lease(url: &str, now: Duration, lease_duration: Duration) -> bool {
    let Ok((bytes, version)) = hostcalls::get_shared_data(&key("lease", url)) else {
        // Without shared data everyone fetches.
        return true;
    };
    let until = bytes.and_then(|bytes| Some(u64::from_le_bytes(bytes.as_slice().try_into().ok()?)));
    if until.is_some_and(|until| Duration::from_millis(until) > now) {
        return false;
    }
    set_lease(url, now.saturating_add(lease_duration), version).is_ok()
}

/// Gives it back.
pub fn end_lease(url: &str) {
    let _ = set_lease(url, Duration::ZERO, None);
}

fn set_lease(url: &str, until: Duration, version: Option<u32>) -> Result<(), Status> {
    let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
    hostcalls::set_shared_data(&key("lease", url), Some(&until.to_le_bytes()), version)
}

fn key(kind: &str, url: &str) -> String {
    format!("poolgate.{kind} {url}")
}
