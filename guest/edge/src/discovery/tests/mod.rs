//! Tests of discovery, with requests that a table answers at once.

use super::*;
use crate::config;
use poolgate_core::FetchError;
use poolgate_tests::discovery_documents::{ISSUER, KEY_HOST};
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

mod fetches;
mod rules;

const DOCUMENT: &str = "https://login.example.com/realms/shop/.well-known/openid-configuration";
const KEYS: &str = "https://login.example.com/keys";
const NEW_KEYS: &str = "https://keys.example.com/new";
const NOW: u64 = 1_700_000_000;
const DAY: u64 = 86_400;
/// The configured minimum. It is not the time after which a document may be asked for again.
const MIN_LIFETIME: u64 = 900;

/// The servers, and the time.
struct Servers {
    now: Cell<u64>,
    responses: RefCell<HashMap<String, Result<FetchedResponse, HttpError>>>,
    /// The URL of each request, its ETag and its limit.
    requests: RefCell<Vec<(String, Option<String>, usize)>>,
    lines: RefCell<Vec<String>>,
}

impl Requests for Servers {
    async fn get(&self, url: &KeyUrl, etag: Option<&str>, limit: usize) -> Result<FetchedResponse, HttpError> {
        self.requests.borrow_mut().push((url.as_str().to_owned(), etag.map(str::to_owned), limit));
        self.responses.borrow().get(url.as_str()).cloned().unwrap_or(Err(HttpError::Status(404)))
    }

    fn now(&self) -> u64 {
        self.now.get()
    }

    fn log(&self, line: String) {
        self.lines.borrow_mut().push(line);
    }
}

impl Servers {
    /// An issuer with a document and a key set.
    fn new() -> Self {
        let servers = Self {
            now: Cell::new(NOW),
            responses: RefCell::default(),
            requests: RefCell::default(),
            lines: RefCell::default(),
        };
        servers.document_names(KEYS);
        servers.serves(KEYS, "keys");
        servers
    }

    fn responds(&self, url: &str, response: Result<FetchedResponse, HttpError>) {
        self.responses.borrow_mut().insert(url.to_owned(), response);
    }

    fn serves(&self, url: &str, body: &str) {
        self.responds(url, Ok(FetchedResponse { body: Some(body.into()), ..FetchedResponse::default() }));
    }

    fn document_names(&self, key_url: &str) {
        self.serves(DOCUMENT, &json!({"issuer": ISSUER, "jwks_uri": key_url}).to_string());
    }

    /// Returns the URLs of the requests since the last call.
    fn requested(&self) -> Vec<String> {
        self.requests.take().into_iter().map(|(url, _, _)| url).collect()
    }

    fn lines(&self) -> Vec<String> {
        self.lines.take()
    }

    fn seconds_pass(&self, seconds: u64) {
        self.now.set(self.now.get() + seconds);
    }
}

/// Runs a future whose requests are answered at once.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits for something else than a request"),
    }
}

fn configuration(pool: &Value) -> config::Config {
    let mut pool = pool.clone();
    for (member, value) in [("name", json!("main")), ("token_use", json!("unchecked")), ("any_client", json!(true))] {
        pool[member] = value;
    }
    let key_policy = json!({"soft_ttl_min": MIN_LIFETIME});
    let routes = json!([{"prefix": "/", "authenticated": true}]);
    let text = json!({"pools": [pool], "routes": routes, "key_policy": key_policy}).to_string();
    config::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn discovered(pool: &Value, url: &str) -> Rc<DiscoveredKeys> {
    let issuers = DiscoveredIssuers::new(&configuration(pool)).expect("an https URL");
    issuers.get(url).unwrap_or_else(|| panic!("{url}: no document in {issuers:?}"))
}

fn shop() -> Rc<DiscoveredKeys> {
    discovered(&json!({"issuer": ISSUER, "keys": {"discover": true, "key_hosts": [KEY_HOST]}}), DOCUMENT)
}

/// Fetches the keys as the middleware does it. The core judges each key set as usable or not.
fn fetch(keys: &DiscoveredKeys, servers: &Servers, etag: Option<&str>, is_usable: bool) -> Result<String, FetchError> {
    if keys.starts_refresh(servers.now()) {
        run(keys.refresh(servers));
    }
    let KeyFetch { outcome, key_url } = run(keys.fetch_keys(servers, etag));
    let body = outcome?.body.unwrap_or_default();
    keys.judged(servers, &key_url.expect("the URL of a response"), is_usable);
    Ok(String::from_utf8(body).expect("a text"))
}
