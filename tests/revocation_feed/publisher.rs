//! A gateway that publishes the revocations of a store, and a verifier with keys.

use crate::{
    manual_clock::ManualClock,
    scene::{self, PATIENCE},
};
use poolgate::{
    Denial, Reason, Verifier,
    gateway::Gateway,
    revocation::{InMemory, Redis, RevocationMode, Revocations},
};
use poolgate_revocations::{Position, Table};
use poolgate_tests::{
    keys::RSA_2048,
    minting::{Draft, NOW},
};
use reqwest::{Client, Response};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{interval, timeout},
};

/// A gateway without account flows. It is stopped when dropped.
pub struct Publisher {
    /// The URL of the feed.
    pub url: String,
    operations: String,
    public: String,
    verifier: Verifier,
    http: Client,
    tasks: [JoinHandle<()>; 2],
}

impl Publisher {
    pub async fn start(store: Option<Arc<dyn Revocations>>) -> Self {
        let mut builder = scene::builder(&ManualClock::at(NOW));
        if let Some(store) = store {
            builder = builder.revocations(store, RevocationMode::FailClosed);
        }
        let verifier = scene::with_keys(builder).await;
        let gateway = Gateway::without_accounts(verifier.clone());
        let mut addresses = Vec::new();
        let mut listeners = Vec::new();
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
            addresses.push(format!("http://{}", listener.local_addr().expect("an address")));
            listeners.push(listener);
        }
        let (operations, public) = (listeners.remove(0), listeners.remove(0));
        let shown = gateway.clone();
        let tasks = [
            tokio::spawn(async move { shown.serve_operations(operations, std::future::pending()).await }),
            tokio::spawn(async move { gateway.serve(public, std::future::pending()).await }),
        ];
        let [operations, public] = <[String; 2]>::try_from(addresses).expect("two");
        let url = format!("{operations}/v1/revocations");
        let http = Client::builder().no_proxy().build().expect("an HTTP client");
        Self { url, operations, public, verifier, http, tasks }
    }

    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Requests a path of the operations address, with headers.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request(&self.operations, path, headers).await
    }

    /// Requests a path of the address for clients.
    pub async fn get_public(&self, path: &str) -> Response {
        self.request(&self.public, path, &[]).await
    }

    async fn request(&self, address: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.http.get(format!("{address}{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.expect("an answer")
    }

    /// Polls the feed once, and applies the document. Returns its length.
    pub async fn poll(&self, table: &mut Table) -> usize {
        let after = table.position().map(|position| format!("?after={position}")).unwrap_or_default();
        let answer = self.get(&format!("/v1/revocations{after}"), &[]).await;
        assert_eq!(answer.status(), 200);
        let document = answer.bytes().await.expect("a body").to_vec();
        let length = document.len();
        table.apply(document, NOW, 1_000_000).expect("it follows the table");
        length
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A token of this user, sign-in and ID.
pub fn token(subject: &str, origin_jti: &str, jti: &str) -> String {
    let text = |text: &str| format!("\"{text}\"");
    let draft = Draft::access(&RSA_2048).claim("sub", text(subject)).claim("origin_jti", text(origin_jti));
    draft.claim("jti", text(jti)).compact()
}

pub async fn verdict(verifier: &Verifier, token: &str) -> Result<(), Reason> {
    verifier.verify(token).await.map(|_| ()).map_err(|denial: Denial| denial.reason)
}

/// Waits until the token gets this verdict.
pub async fn wait_for(verifier: &Verifier, token: &str, expected: Result<(), Reason>) {
    wait_until(async || verdict(verifier, token).await == expected, &format!("{expected:?}")).await;
}

/// Waits until a condition is true.
pub async fn wait_until(is_true: impl AsyncFn() -> bool, what: &str) {
    let mut polls = interval(Duration::from_millis(20));
    let waiting = async {
        while !is_true().await {
            polls.tick().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came: {what}"));
}

pub fn in_memory(capacity: usize) -> Arc<InMemory> {
    Arc::new(scene::in_memory(capacity))
}

pub fn redis(url: &str) -> Arc<Redis> {
    Arc::new(scene::redis(url))
}

/// Applies the store's own document to a table.
pub async fn read(store: &dyn Revocations, table: &mut Table) -> Option<Position> {
    let document = store.feed(table.position(), NOW).await.expect("the store responds").expect("it can be listed");
    table.apply(document.as_bytes().to_vec(), NOW, 1_000_000).expect("it follows the table");
    assert_eq!(table.position(), Some(document.position()));
    table.position()
}
