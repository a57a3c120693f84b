//! Fetching keys: at once for a request that waits for them, and in good time before they are too old.

use crate::{
    authorizer,
    bindings::{
        wasi::http::{
            client,
            types::{ErrorCode, Headers, Request, RequestOptions, Response as HttpResponse, Scheme},
        },
        wit_future,
    },
    clock,
    head::WasiRequestHead,
    log,
};
use futures_util::future::{Either, select};
use poolgate_core::{Fetch, FetchFault, Reason, Response, Tick};
use poolgate_edge::{Decision, JwksUpstream, PausedRequest, Rejection, keys::freshness};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};
use wit_bindgen::FutureReader;

/// What is read at a time.
const CHUNK: usize = 16 << 10;

// The URLs that this instance is fetching from, and for each the requests that wait for it, by a number of their own.
thread_local!(static PENDING: RefCell<HashMap<String, BTreeMap<u32, Waker>>> = RefCell::default());

// The number of the next request that waits.
thread_local!(static NEXT: Cell<u32> = const { Cell::new(0) });

// The order in which requests come and fetches begin.
thread_local!(static LAST_TICK: Cell<u64> = const { Cell::new(0) });

fn tick() -> Tick {
    LAST_TICK.set(LAST_TICK.get().saturating_add(1));
    Tick(LAST_TICK.get())
}

// How many requests wait.
thread_local!(static WAITING: Cell<u32> = const { Cell::new(0) });

/// A place among the requests that wait.
struct WaitingSlot;

impl WaitingSlot {
    /// None if there are too many.
    fn take() -> Option<Self> {
        let most = authorizer::configured(|config| config.limits.waiting_requests).unwrap_or_default();
        let waiting = WAITING.get();
        (waiting < most).then(|| {
            WAITING.set(waiting.saturating_add(1));
            Self
        })
    }
}

impl Drop for WaitingSlot {
    fn drop(&mut self) {
        WAITING.set(WAITING.get().saturating_sub(1));
    }
}

/// Waits until the keys have come for a request, or will not, and decides about it. A fetch that began before the request came is no
/// proof that there is no such key: then it waits for one more, within the same time.
pub async fn wait(head: &WasiRequestHead, mut paused: PausedRequest) -> Decision {
    let came_at = tick();
    if let Some(fetch) = paused.fetch.take() {
        start(fetch);
    }
    let Some(_slot) = WaitingSlot::take() else {
        return Decision::Reject(Rejection::Token(Reason::Overloaded));
    };
    let timeout = authorizer::configured(|config| config.limits.wait_ms).unwrap_or_default();
    let mut late = pin!(clock::sleep(Duration::from_millis(timeout.into())));
    loop {
        let timed_out = matches!(select(FetchCompletion::of(&paused.url), late.as_mut()).await, Either::Right(_));
        let decided = authorizer::with(|authorizer| match timed_out {
            true => authorizer.time_out(head, &paused),
            false => authorizer.authorize_paused(clock::seconds(), head, &paused, came_at),
        });
        match decided {
            Some(Decision::Pause(next)) => paused = next,
            Some(decision) => return decision,
            None => return Decision::Reject(Rejection::Token(Reason::NotConfigured)),
        }
        match paused.fetch.take() {
            Some(fetch) => start(fetch),
            // Nothing will come.
            None if !is_pending(&paused.url) => return Decision::Reject(Rejection::Token(Reason::KeysUnavailable)),
            None => (),
        }
    }
}

fn is_pending(url: &str) -> bool {
    PENDING.with_borrow(|pending| pending.contains_key(url))
}

/// The end of the fetch from a URL, or of all that are begun meanwhile.
struct FetchCompletion<'a> {
    url: &'a str,
    number: u32,
}

impl<'a> FetchCompletion<'a> {
    fn of(url: &'a str) -> Self {
        Self { url, number: NEXT.replace(NEXT.get().wrapping_add(1)) }
    }
}

impl Future for FetchCompletion<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        PENDING.with_borrow_mut(|pending| match pending.get_mut(self.url) {
            Some(waiting) => {
                waiting.insert(self.number, context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
    }
}

impl Drop for FetchCompletion<'_> {
    fn drop(&mut self) {
        PENDING.with_borrow_mut(|pending| pending.get_mut(self.url).map(|waiting| waiting.remove(&self.number)));
    }
}

/// Begins the fetches that it is time for. No request waits for them.
pub fn refresh() {
    let due = authorizer::with(|authorizer| authorizer.maintain(clock::seconds())).unwrap_or_default();
    due.into_iter().for_each(start);
}

fn start(fetch: Fetch) {
    let fetch = FetchInProgress::new(fetch);
    wit_bindgen::spawn_local(async move { fetch.run().await });
}

/// A fetch in progress. Its outcome always reaches the authorizer, even if the host cancels the task.
struct FetchInProgress {
    fetch: Fetch,
    began_at: Tick,
    has_ended: bool,
}

impl FetchInProgress {
    fn new(fetch: Fetch) -> Self {
        PENDING.with_borrow_mut(|pending| {
            pending.entry(fetch.url.clone()).or_default();
        });
        Self { fetch, began_at: Tick::UNKNOWN, has_ended: false }
    }

    async fn run(mut self) {
        self.began_at = tick();
        let upstream = authorizer::with(|authorizer| authorizer.jwks_upstream(&self.fetch.url).cloned()).flatten();
        let response = match upstream {
            Some(upstream) => in_time(&self.fetch, &upstream).await,
            None => Err(FetchFault::Refused),
        };
        let outcome = match &response {
            Ok(FetchedResponse { body, max_age, etag }) => {
                Ok(Response { body: body.as_deref(), max_age: *max_age, etag: etag.as_deref() })
            }
            Err(fault) => Err(*fault),
        };
        self.end(outcome);
    }

    fn end(&mut self, outcome: Result<Response<'_>, FetchFault>) {
        self.has_ended = true;
        let Fetch { url, key_id, .. } = &self.fetch;
        let now = clock::seconds();
        let fault = outcome.as_ref().err().copied();
        let taken =
            authorizer::with(|authorizer| authorizer.fetched(now, url, key_id.as_deref(), self.began_at, now, outcome));
        match (fault, taken) {
            (Some(fault), _) => log::line(format!("poolgate: no keys from {url}: {fault:?}")),
            (None, Some(Err(fault))) => log::line(format!("poolgate: the keys of {url} are not taken: {fault:?}")),
            _ => (),
        }
        let waiting = PENDING.with_borrow_mut(|pending| pending.remove(url));
        waiting.into_iter().flatten().for_each(|(_, waker)| waker.wake());
    }
}

impl Drop for FetchInProgress {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Err(FetchFault::Unreachable));
        }
    }
}

struct FetchedResponse {
    body: Option<Vec<u8>>,
    max_age: Option<u64>,
    etag: Option<String>,
}

async fn in_time(fetch: &Fetch, upstream: &JwksUpstream) -> Result<FetchedResponse, FetchFault> {
    let late = pin!(clock::sleep(Duration::from_millis(upstream.timeout_ms.into())));
    match select(pin!(ask(fetch, upstream)), late).await {
        Either::Left((response, _)) => response,
        Either::Right(_) => Err(FetchFault::TimedOut),
    }
}

async fn ask(fetch: &Fetch, upstream: &JwksUpstream) -> Result<FetchedResponse, FetchFault> {
    // A host may end the exchange when the future of the transmission goes (Wasmtime 49 does): it is held until the body has been read.
    let (request, _sent) = request(fetch, upstream).ok_or(FetchFault::Refused)?;
    let response = client::send(request).await.map_err(|fault| match fault {
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            FetchFault::TimedOut
        }
        _ => FetchFault::Unreachable,
    })?;
    // Redirects are not followed.
    let is_modified = match response.get_status_code() {
        200 => true,
        304 => false,
        _ => return Err(FetchFault::BadStatus),
    };
    let headers = response.get_headers();
    let header = |name: &str| headers.get(name).into_iter().next().and_then(|value| String::from_utf8(value).ok());
    let max_age = freshness(header("cache-control").as_deref(), header("age").as_deref());
    let etag = header("etag");
    let length = header("content-length").and_then(|length| length.trim().parse().ok());
    drop(headers);
    let body = read(response).await?;
    // Some hosts tell of a body that broke off by nothing else.
    if is_modified && length.is_some_and(|length: usize| length != body.len()) {
        return Err(FetchFault::Unreachable);
    }
    Ok(FetchedResponse { body: is_modified.then_some(body), max_age, etag })
}

type Sent = FutureReader<Result<(), ErrorCode>>;

fn request(fetch: &Fetch, upstream: &JwksUpstream) -> Option<(Request, Sent)> {
    let mut fields =
        vec![("accept", "application/json"), ("user-agent", concat!("poolgate/", env!("CARGO_PKG_VERSION")))];
    if let Some(etag) = &fetch.etag {
        fields.push(("if-none-match", etag));
    }
    let fields: Vec<(String, Vec<u8>)> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
    let headers = Headers::from_list(&fields).ok()?;
    let options = RequestOptions::new();
    let nanoseconds = u64::from(upstream.timeout_ms).saturating_mul(1_000_000);
    // A host that can't is not needed: `in_time` has a deadline for the whole.
    let _ = options.set_connect_timeout(Some(nanoseconds));
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, sent) = Request::new(headers, None, trailers, Some(options));
    let scheme = if fetch.url.starts_with("https:") { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(Some(&upstream.authority)).ok()?;
    request.set_path_with_query(Some(&upstream.path)).ok()?;
    Some((request, sent))
}

async fn read(response: HttpResponse) -> Result<Vec<u8>, FetchFault> {
    let limit = authorizer::configured(|config| config.limits.jwks_bytes).unwrap_or_default();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // Dropping this end says that all was read.
    let (_reading, was_read) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = HttpResponse::consume_body(response, was_read);
    let mut body = Vec::new();
    loop {
        let (result, chunk) = stream.read(Vec::with_capacity(CHUNK)).await;
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            return Err(FetchFault::TooLarge);
        }
        if let wit_bindgen::StreamResult::Dropped | wit_bindgen::StreamResult::Cancelled = result {
            break;
        }
    }
    // A body that broke off ends like any other; the trailers tell.
    trailers.await.map_err(|_| FetchFault::Unreachable)?;
    Ok(body)
}
