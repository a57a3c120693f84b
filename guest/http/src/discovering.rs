//! The requests of a key fetch whose key URL is in the issuer's discovery document.

use crate::{clock, http_client::Get, log};
use poolgate_edge::discovery::{FetchedResponse, HttpError, KeyUrl, Requests};

/// Makes the requests with the host's HTTP client.
pub struct WasiRequests {
    /// The maximum duration of each request, in milliseconds.
    pub timeout_ms: u32,
}

impl Requests for WasiRequests {
    async fn get(&self, url: &KeyUrl, etag: Option<&str>, limit: usize) -> Result<FetchedResponse, HttpError> {
        let (authority, path) = (url.authority(), url.path());
        Get { is_https: url.is_https(), authority, path, etag, timeout_ms: self.timeout_ms, limit }.send().await
    }

    fn now(&self) -> u64 {
        clock::seconds()
    }

    fn log(&self, line: String) {
        log::line(format!("poolgate: {line}"));
    }
}
