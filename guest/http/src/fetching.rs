//! Fetches key sets: at once for a request that waits, and in the background before a key set is stale.

use crate::{
    authorizer,
    bindings::{
        wasi::http::{
            client,
            types::{ErrorCode, Headers, Request, RequestOptions, Response as HttpResponse, Scheme},
        },
        wit_future,
    },
    clock, log, pending,
};
use futures_util::future::{Either, select};
use poolgate_core::{Fetch, FetchError, LogicalTime, Response};
use poolgate_edge::{JwksUpstream, keys::freshness};
use std::{pin::pin, time::Duration};
use wit_bindgen::FutureReader;

/// The number of bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// Starts the fetches that are due. No request waits for them.
pub fn refresh() {
    let due = authorizer::with(|authorizer| authorizer.maintain(clock::seconds())).unwrap_or_default();
    due.into_iter().for_each(start);
}

/// Starts a fetch.
pub fn start(fetch: Fetch) {
    let fetch = FetchInProgress::new(fetch);
    wit_bindgen::spawn_local(async move { fetch.run().await });
}

/// A fetch in progress. Its outcome always reaches the authorizer, even if the host cancels the task.
struct FetchInProgress {
    fetch: Fetch,
    started_at: LogicalTime,
    has_ended: bool,
}

impl FetchInProgress {
    fn new(fetch: Fetch) -> Self {
        pending::started(&fetch.url);
        Self { fetch, started_at: LogicalTime::UNKNOWN, has_ended: false }
    }

    async fn run(mut self) {
        self.started_at = pending::logical_time();
        let upstream = authorizer::with(|authorizer| authorizer.jwks_upstream(&self.fetch.url)).flatten();
        let response = match upstream {
            Some(upstream) => in_time(&self.fetch, &upstream).await,
            None => Err(FetchError::Refused),
        };
        let outcome = match &response {
            Ok(FetchedResponse { body, max_age, etag }) => {
                Ok(Response { body: body.as_deref(), max_age: *max_age, etag: etag.as_deref() })
            }
            Err(error) => Err(*error),
        };
        self.end(outcome);
    }

    fn end(&mut self, outcome: Result<Response<'_>, FetchError>) {
        self.has_ended = true;
        let Fetch { url, key_id, .. } = &self.fetch;
        let now = clock::seconds();
        let error = outcome.as_ref().err().copied();
        let accepted = authorizer::with(|authorizer| {
            authorizer.fetched(now, url, key_id.as_deref(), self.started_at, now, outcome)
        });
        match (error, accepted) {
            (Some(error), _) => log::line(format!("poolgate: the fetch from {url} failed: {error:?}")),
            (None, Some(Err(error))) => log::line(format!("poolgate: the key set of {url} was rejected: {error:?}")),
            _ => (),
        }
        pending::completed(url);
    }
}

impl Drop for FetchInProgress {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Err(FetchError::Unreachable));
        }
    }
}

/// A response of status 200 or 304. It has a body only if the status is 200.
struct FetchedResponse {
    body: Option<Vec<u8>>,
    max_age: Option<u64>,
    etag: Option<String>,
}

async fn in_time(fetch: &Fetch, upstream: &JwksUpstream) -> Result<FetchedResponse, FetchError> {
    let late = pin!(clock::sleep(Duration::from_millis(upstream.timeout_ms.into())));
    match select(pin!(send(fetch, upstream)), late).await {
        Either::Left((response, _)) => response,
        Either::Right(_) => Err(FetchError::TimedOut),
    }
}

async fn send(fetch: &Fetch, upstream: &JwksUpstream) -> Result<FetchedResponse, FetchError> {
    // A host may cancel the exchange when the future of the transmission is dropped (Wasmtime 49 does), so it lives until the body is read.
    let (request, _sent) = request(fetch, upstream).ok_or(FetchError::Refused)?;
    let response = client::send(request).await.map_err(|error| match error {
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            FetchError::TimedOut
        }
        _ => FetchError::Unreachable,
    })?;
    // Redirects are not followed.
    let is_modified = match response.get_status_code() {
        200 => true,
        304 => false,
        _ => return Err(FetchError::BadStatus),
    };
    let headers = response.get_headers();
    let header = |name: &str| headers.get(name).into_iter().next().and_then(|value| String::from_utf8(value).ok());
    let max_age = freshness(header("cache-control").as_deref(), header("age").as_deref());
    let etag = header("etag");
    let length = header("content-length").and_then(|length| length.trim().parse().ok());
    drop(headers);
    let body = read(response).await?;
    // With some hosts, this is the only sign of a truncated body.
    if is_modified && length.is_some_and(|length: usize| length != body.len()) {
        return Err(FetchError::Unreachable);
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
    // A host may not support this option; `in_time` limits the whole fetch.
    let _ = options.set_connect_timeout(Some(nanoseconds));
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, sent) = Request::new(headers, None, trailers, Some(options));
    let scheme = if fetch.url.starts_with("https:") { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(Some(&upstream.authority)).ok()?;
    request.set_path_with_query(Some(&upstream.path)).ok()?;
    Some((request, sent))
}

async fn read(response: HttpResponse) -> Result<Vec<u8>, FetchError> {
    let limit = authorizer::configured(|config| config.limits.jwks_bytes).unwrap_or_default();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // Dropping this end reports that the body was read completely.
    let (_reading, was_read) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = HttpResponse::consume_body(response, was_read);
    let mut body = Vec::new();
    loop {
        let (result, chunk) = stream.read(Vec::with_capacity(CHUNK)).await;
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            return Err(FetchError::TooLarge);
        }
        if let wit_bindgen::StreamResult::Dropped | wit_bindgen::StreamResult::Cancelled = result {
            break;
        }
    }
    // A truncated body ends like a complete one. The trailers report the error.
    trailers.await.map_err(|_| FetchError::Unreachable)?;
    Ok(body)
}
