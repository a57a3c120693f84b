//! The HTTP client for key sets and discovery documents. Time and response size are limited, and redirects are not followed.

use crate::{
    bindings::{
        wasi::http::{
            client,
            types::{ErrorCode, Headers, Request, RequestOptions, Response as HttpResponse, Scheme},
        },
        wit_future,
    },
    clock,
};
use futures_util::future::{Either, select};
use poolgate_core::FetchError;
use poolgate_edge::{
    discovery::{FetchedResponse, HttpError},
    keys::freshness,
};
use std::{pin::pin, time::Duration};
use wit_bindgen::FutureReader;

/// The number of bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// A GET request.
pub struct Get<'a> {
    pub is_https: bool,
    pub authority: &'a str,
    /// The path and the query.
    pub path: &'a str,
    pub etag: Option<&'a str>,
    /// The maximum duration, in milliseconds.
    pub timeout_ms: u32,
    /// The maximum length of the body, in bytes.
    pub limit: usize,
}

impl Get<'_> {
    /// Makes the request.
    pub async fn send(&self) -> Result<FetchedResponse, HttpError> {
        let late = pin!(clock::sleep(Duration::from_millis(self.timeout_ms.into())));
        match select(pin!(self.send_without_timeout()), late).await {
            Either::Left((response, _)) => response,
            Either::Right(_) => Err(FetchError::TimedOut.into()),
        }
    }

    async fn send_without_timeout(&self) -> Result<FetchedResponse, HttpError> {
        // A host may cancel the exchange when the future of the transmission is dropped (Wasmtime 49 does), so it lives until the body is read.
        let (request, _sent) = self.request().ok_or(FetchError::Refused)?;
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
            status => return Err(HttpError::Status(status)),
        };
        let headers = response.get_headers();
        let header = |name: &str| headers.get(name).into_iter().next().and_then(|value| String::from_utf8(value).ok());
        let max_age = freshness(header("cache-control").as_deref(), header("age").as_deref());
        let etag = header("etag");
        let length = header("content-length").and_then(|length| length.trim().parse().ok());
        drop(headers);
        let body = read(response, self.limit).await?;
        // With some hosts, this is the only sign of a truncated body.
        if is_modified && length.is_some_and(|length: usize| length != body.len()) {
            return Err(FetchError::Unreachable.into());
        }
        Ok(FetchedResponse { body: is_modified.then_some(body), max_age, etag })
    }

    fn request(&self) -> Option<(Request, Sent)> {
        let mut fields =
            vec![("accept", "application/json"), ("user-agent", concat!("poolgate/", env!("CARGO_PKG_VERSION")))];
        if let Some(etag) = self.etag {
            fields.push(("if-none-match", etag));
        }
        let fields: Vec<(String, Vec<u8>)> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
        let headers = Headers::from_list(&fields).ok()?;
        let options = RequestOptions::new();
        let nanoseconds = u64::from(self.timeout_ms).saturating_mul(1_000_000);
        // A host may not support this option; `send` limits the whole request.
        let _ = options.set_connect_timeout(Some(nanoseconds));
        let (_, trailers) = wit_future::new(|| Ok(None));
        let (request, sent) = Request::new(headers, None, trailers, Some(options));
        let scheme = if self.is_https { Scheme::Https } else { Scheme::Http };
        request.set_scheme(Some(&scheme)).ok()?;
        request.set_authority(Some(self.authority)).ok()?;
        request.set_path_with_query(Some(self.path)).ok()?;
        Some((request, sent))
    }
}

type Sent = FutureReader<Result<(), ErrorCode>>;

async fn read(response: HttpResponse, limit: usize) -> Result<Vec<u8>, FetchError> {
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
