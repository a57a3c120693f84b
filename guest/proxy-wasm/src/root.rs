//! The root context of a plugin: reads the configuration, runs on every tick, and fetches key sets.

use crate::{
    clock,
    filter::{Filter, FilterCell},
    resume, roots,
    tick_period::{BUSY_TICK, IDLE_TICK},
};
use poolgate_core::{Fetch, FetchError, LogicalTime, Response};
use poolgate_edge::{JwksUpstream, RequestAuthorizer, config, keys::freshness};
use proxy_wasm::{
    hostcalls,
    traits::{Context, RootContext},
    types::{BufferType, LogLevel, MapType},
};
use std::{cell::RefCell, rc::Rc, time::Duration};

pub struct Root {
    context_id: u32,
    filter: FilterCell,
    /// The fetches in progress, about one for each URL at most.
    calls: Vec<Call>,
    /// The maximum length of a key set, in bytes.
    jwks_bytes: usize,
}

/// A fetch in progress.
struct Call {
    /// The proxy's token for the call.
    token: u32,
    url: String,
    key_id: Option<Box<str>>,
    started_at: LogicalTime,
}

impl Root {
    pub fn new(context_id: u32) -> Self {
        let filter = Rc::new(RefCell::new(None));
        roots::created(context_id, &filter);
        Self { context_id, filter, calls: Vec::new(), jwks_bytes: 0 }
    }

    fn start_fetch(&mut self, filter: &mut Filter, now: Duration, fetch: Fetch, upstream: &JwksUpstream) {
        let JwksUpstream { cluster, authority, path, timeout_ms } = upstream;
        let mut headers = vec![
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", authority.as_str()),
            (":path", path.as_str()),
            ("accept", "application/json"),
            ("user-agent", concat!("poolgate/", env!("CARGO_PKG_VERSION"))),
        ];
        if let Some(etag) = &fetch.etag {
            headers.push(("if-none-match", etag));
        }
        let (timeout, started_at) = (Duration::from_millis((*timeout_ms).into()), clock::logical_time(now));
        match self.dispatch_http_call(cluster, headers, None, vec![], timeout) {
            Ok(token) => {
                self.calls.push(Call { token, url: fetch.url, key_id: fetch.key_id, started_at });
            }
            Err(status) => {
                let text = format!("poolgate: keys can't be fetched from the cluster \"{cluster}\": {status:?}");
                let _ = hostcalls::log(LogLevel::Error, &text);
                let key_id = fetch.key_id.as_deref();
                filter.complete_fetch(now, &fetch.url, key_id, started_at, Err(FetchError::Unreachable));
            }
        }
    }

    /// Reads the response to the call that has just ended.
    fn response(&self, header_count: usize, body_size: usize) -> Result<FetchedResponse, FetchError> {
        // No headers means that the call timed out or the connection was lost. Reading a header would then be an error.
        if header_count == 0 {
            return Err(FetchError::Unreachable);
        }
        let header = |name| hostcalls::get_map_value(MapType::HttpCallResponseHeaders, name).ok().flatten();
        let is_modified = match header(":status").as_deref() {
            Some("200") => true,
            Some("304") => false,
            _ => return Err(FetchError::BadStatus),
        };
        if body_size > self.jwks_bytes {
            return Err(FetchError::TooLarge);
        }
        let body = match body_size {
            0 => None,
            size => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size).ok().flatten(),
        };
        Ok(FetchedResponse {
            body: is_modified.then(|| body.unwrap_or_default()),
            max_age: freshness(header("cache-control").as_deref(), header("age").as_deref()),
            etag: header("etag"),
        })
    }
}

/// A response of status 200 or 304. It has a body only if the status is 200.
struct FetchedResponse {
    body: Option<Vec<u8>>,
    max_age: Option<u64>,
    etag: Option<String>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, header_count: usize, body_size: usize, _: usize) {
        let Some(position) = self.calls.iter().position(|call| call.token == token) else { return };
        let Call { url, key_id, started_at, .. } = self.calls.swap_remove(position);
        let response = self.response(header_count, body_size);
        let cell = Rc::clone(&self.filter);
        let mut cell = cell.borrow_mut();
        let (Some(filter), Ok(now)) = (cell.as_mut(), clock::now()) else { return };
        let outcome = match &response {
            Ok(FetchedResponse { body, max_age, etag }) => {
                Ok(Response { body: body.as_deref(), max_age: *max_age, etag: etag.as_deref() })
            }
            Err(error) => Err(*error),
        };
        filter.complete_fetch(now, &url, key_id.as_deref(), started_at, outcome);
        resume::resume_ready(filter, now, self.context_id);
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let built = clock::now().map_err(|status| format!("the clock can't be read: {status:?}")).and_then(|now| {
            let config = config::read(&text).map_err(|error| error.to_string())?;
            config::fits_envoy(&config).map_err(|error| error.to_string())?;
            // Differs between workers and between starts, so that they do not refresh their keys at the same time.
            let seed = now.subsec_nanos() as u64 ^ u64::from(self.context_id) << 32 ^ now.as_secs();
            let authorizer = RequestAuthorizer::new(&config, now.as_secs(), seed).map_err(|error| error.to_string())?;
            Ok((config, authorizer))
        });
        match built {
            Ok((config, authorizer)) => {
                for warning in authorizer.warnings() {
                    let _ = hostcalls::log(LogLevel::Warn, &format!("poolgate: {warning}"));
                }
                self.jwks_bytes = usize::try_from(config.limits.jwks_bytes).unwrap_or(usize::MAX);
                *self.filter.borrow_mut() = Some(Filter::new(&config, authorizer));
                self.set_tick_period(BUSY_TICK);
                true
            }
            Err(error) => {
                let _ = hostcalls::log(LogLevel::Critical, &format!("poolgate: the configuration is invalid: {error}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let cell = Rc::clone(&self.filter);
        let mut cell = cell.borrow_mut();
        let (Some(filter), Ok(now)) = (cell.as_mut(), clock::now()) else { return };
        filter.apply_shared(now);
        for (fetch, upstream) in filter.fetches_to_start(now) {
            self.start_fetch(filter, now, fetch, &upstream);
        }
        resume::resume_ready(filter, now, self.context_id);
        filter.update_key_metrics(now);
        self.set_tick_period(if filter.has_pending_work() { BUSY_TICK } else { IDLE_TICK });
    }
}
