//! nginx, Caddy and Traefik, which call `/v1/verify` before they forward a request, and Envoy, which calls `/v1/ext-authz`, with the
//! configurations of `examples/`.

mod account_setup;
#[path = "proxies/claims.rs"]
mod claims;
mod gateway_setup;
#[path = "proxies/one_file.rs"]
mod one_file;
#[path = "proxies/paths.rs"]
mod paths;
#[path = "proxies/preflights.rs"]
mod preflights;
#[path = "proxies/proxied.rs"]
mod proxied;
#[path = "gate/requests.rs"]
mod requests;

use account_setup::{PASSWORD, account_builder};
use axum::{Router, extract::Request, response::IntoResponse};
use gateway_setup::{Served, serve};
use poolgate::gateway::{Gateway, RouteRules};
use poolgate_tests::{
    ministack::Ministack,
    proxies::{Behind, Proxy},
    test_pool::{PoolOptions, TestPool},
};
use std::{
    mem,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A request that reached the application.
#[derive(Debug, PartialEq, Eq)]
struct Reached {
    method: String,
    /// The path and the query as they were received, without decoding.
    target: String,
    headers: Vec<(String, String)>,
}

impl Reached {
    fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// A proxy in front of a gateway and an application. `/admin` requires the group `admins`, `/public` is public, and preflights are forwarded
/// below `/orders` and `/admin`.
struct Scene {
    _server: Ministack,
    pool: TestPool,
    gateway: Option<Served>,
    proxy: Proxy,
    reached: Arc<Mutex<Vec<Reached>>>,
    /// The access token of a user in the group `readers`.
    anna: String,
    /// The access token of a user in the group `admins`.
    berta: String,
}

impl Scene {
    async fn start(proxy: impl AsyncFnOnce(&Behind) -> Proxy) -> Self {
        let server = Ministack::start().await;
        let pool = server.create_pool(PoolOptions::default()).await;
        pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
        pool.sign_up_user_in_groups("berta", PASSWORD, &["admins"]).await;
        let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
        let rules = RouteRules::new().any_of_groups("/admin", ["admins"]).and_then(|rules| rules.public("/public"));
        let rules = rules.and_then(|rules| rules.preflights("/orders")?.preflights("/admin"));
        let gateway = serve(Gateway::new(accounts).routes(rules.expect("the rules are valid"))).await;
        let reached = Arc::default();
        let application = application(Arc::clone(&reached)).await;
        let behind = Behind { gateway: gateway.public.trim_start_matches("http://").into(), application };
        let proxy = proxy(&behind).await;
        let anna = pool.sign_in("anna", PASSWORD).await.access_token;
        let berta = pool.sign_in("berta", PASSWORD).await.access_token;
        let scene = Self { _server: server, pool, gateway: Some(gateway), proxy, reached, anna, berta };
        // Removes the requests that waited for the proxy to start.
        scene.reached();
        scene
    }

    /// Returns the requests that reached the application since the last call.
    fn reached(&self) -> Vec<Reached> {
        mem::take(&mut *self.reached.lock().expect("no panic"))
    }

    /// Sends a request unchanged, and returns the status and the text of the response, in lower case.
    async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let address = self.proxy.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("the proxy listens");
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: app\r\n");
        if !headers.iter().any(|(name, _)| *name == "Connection") {
            head += "Connection: close\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("it reads");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.expect("it responds");
        let response = String::from_utf8_lossy(&response).into_owned();
        let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("{method} {target}: {response}")), response.to_lowercase())
    }

    /// Sends a request with a token, or without one if `token` is empty, and returns the status.
    async fn get(&self, target: &str, token: &str) -> u16 {
        let authorization = format!("Bearer {token}");
        let headers = [("Authorization", authorization.as_str())];
        self.send("GET", target, if token.is_empty() { &[] } else { &headers }).await.0
    }
}

/// Starts an application that records its requests.
async fn application(reached: Arc<Mutex<Vec<Reached>>>) -> String {
    let handler = async move |request: Request| {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
        reached.lock().expect("no panic").push(Reached {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            headers: headers.collect(),
        });
        "the application".into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
    address.to_string()
}
