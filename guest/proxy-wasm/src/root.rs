//! The root context: configured once, ticking, fetching keys.

use crate::{
    filter::{self, Filter, Shared},
    roots,
};
use poolgate_core::{Fetch, FetchFault, Response, Tick};
use poolgate_edge::{JwksUpstream, RequestAuthorizer, config, keys::freshness};
use proxy_wasm::{
    hostcalls,
    traits::{Context, RootContext},
    types::{BufferType, LogLevel, MapType},
};
use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

/// Between ticks while requests wait or a fetch is under way.
pub const BUSY_TICK: Duration = Duration::from_millis(5);
/// Between ticks otherwise: so long may a key that another worker knows of be unknown here.
const IDLE_TICK: Duration = Duration::from_millis(250);

pub struct Root {
    context_id: u32,
    filter: Shared,
    calls: HashMap<u32, Call>,
    limit: usize,
}

/// A fetch under way.
struct Call {
    url: String,
    key_id: Option<Box<str>>,
    began_at: Tick,
}

impl Root {
    pub fn new(context_id: u32) -> Self {
        let filter = Rc::new(RefCell::new(None));
        roots::created(context_id, &filter);
        Self { context_id, filter, calls: HashMap::new(), limit: 0 }
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
        let (timeout, began_at) = (Duration::from_millis((*timeout_ms).into()), filter::tick(now));
        match self.dispatch_http_call(cluster, headers, None, vec![], timeout) {
            Ok(token) => {
                self.calls.insert(token, Call { url: fetch.url, key_id: fetch.key_id, began_at });
            }
            Err(status) => {
                let text = format!("poolgate: keys can't be asked for at the cluster \"{cluster}\": {status:?}");
                let _ = hostcalls::log(LogLevel::Error, &text);
                filter.complete_fetch(now, &fetch.url, fetch.key_id.as_deref(), began_at, Err(FetchFault::Unreachable));
            }
        }
    }

    /// What the upstream has answered.
    fn response(&self, header_count: usize, body_size: usize) -> Result<FetchedResponse, FetchFault> {
        // It took too long, or the connection was lost. Asking for a header would be an error then.
        if header_count == 0 {
            return Err(FetchFault::Unreachable);
        }
        let header = |name| hostcalls::get_map_value(MapType::HttpCallResponseHeaders, name).ok().flatten();
        let is_modified = match header(":status").as_deref() {
            Some("200") => true,
            Some("304") => false,
            _ => return Err(FetchFault::BadStatus),
        };
        if body_size > self.limit {
            return Err(FetchFault::TooLarge);
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

struct FetchedResponse {
    body: Option<Vec<u8>>,
    max_age: Option<u64>,
    etag: Option<String>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, header_count: usize, body_size: usize, _: usize) {
        let Some(Call { url, key_id, began_at }) = self.calls.remove(&token) else { return };
        let response = self.response(header_count, body_size);
        let shared = Rc::clone(&self.filter);
        let mut shared = shared.borrow_mut();
        let (Some(filter), Ok(now)) = (shared.as_mut(), filter::now()) else { return };
        let outcome = match &response {
            Ok(FetchedResponse { body, max_age, etag }) => {
                Ok(Response { body: body.as_deref(), max_age: *max_age, etag: etag.as_deref() })
            }
            Err(fault) => Err(*fault),
        };
        filter.complete_fetch(now, &url, key_id.as_deref(), began_at, outcome);
        filter.resume_ready(now, self.context_id);
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let built = filter::now().map_err(|status| format!("the clock can't be read: {status:?}")).and_then(|now| {
            let config = config::read(&text).map_err(|fault| fault.to_string())?;
            // No two workers alike, and no two starts.
            let seed = now.subsec_nanos() as u64 ^ u64::from(self.context_id) << 32 ^ now.as_secs();
            let authorizer = RequestAuthorizer::new(&config, now.as_secs(), seed).map_err(|fault| fault.to_string())?;
            Ok((config, authorizer))
        });
        match built {
            Ok((config, authorizer)) => {
                for warning in authorizer.warnings() {
                    let _ = hostcalls::log(LogLevel::Warn, &format!("poolgate: {warning}"));
                }
                self.limit = usize::try_from(config.limits.jwks_bytes).unwrap_or(usize::MAX);
                *self.filter.borrow_mut() = Some(Filter::new(&config, authorizer));
                self.set_tick_period(BUSY_TICK);
                true
            }
            Err(fault) => {
                let _ = hostcalls::log(LogLevel::Critical, &format!("poolgate: the configuration is refused: {fault}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let shared = Rc::clone(&self.filter);
        let mut shared = shared.borrow_mut();
        let (Some(filter), Ok(now)) = (shared.as_mut(), filter::now()) else { return };
        filter.apply_shared(now);
        for (fetch, upstream) in filter.fetches_to_start(now) {
            self.start_fetch(filter, now, fetch, &upstream);
        }
        filter.resume_ready(now, self.context_id);
        filter.show_keys(now);
        self.set_tick_period(if filter.has_pending_work() { BUSY_TICK } else { IDLE_TICK });
    }
}
