//! nginx, Caddy and Traefik in front of the gateway, with the configurations of `examples/`.

use super::verifiers::{send_all, verifiers};
use crate::example_services::serve;
use axum::{Router, extract::Request};
use poolgate::{
    TokenUseRule,
    accounts::{Accounts, ResponseTimeFloor},
    gateway::Gateway,
};
use poolgate_tests::{
    minting::{CLIENT_ID, POOL_ID},
    proxies::{Behind, Proxy},
    seen::Seen,
};
use reqwest::Client;
use tokio::sync::OnceCell;
use tower_service::Service;

/// Selects the verifier. The proxies forward this header to the gateway.
const VERIFIER: &str = "x-verifier-for-the-test";
const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");

pub async fn nginx() -> Vec<Seen> {
    verdicts(Proxy::nginx(behind().await).await).await
}

pub async fn caddy() -> Vec<Seen> {
    verdicts(Proxy::caddy(behind().await).await).await
}

pub async fn traefik() -> Vec<Seen> {
    verdicts(Proxy::traefik(behind().await).await).await
}

/// The proxies forward only the status of a rejection.
async fn verdicts(proxy: Proxy) -> Vec<Seen> {
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    send_all(|number, case| {
        let request = http.get(&proxy.endpoint).header(VERIFIER, number).bearer_auth(&case.token);
        async move {
            let response = request.send().await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            match response.status().as_u16() {
                200 => Seen::Verified,
                status => Seen::Rejected { reason: None, status: Some(status) },
            }
        }
    })
    .await
}

/// Starts a gateway in front of all verifiers, and an application.
async fn behind() -> &'static Behind {
    static BEHIND: OnceCell<Behind> = OnceCell::const_new();
    let make = async || {
        let mut gateways = Vec::new();
        for configured in verifiers().await {
            // The test only verifies tokens; it does not sign in.
            let accounts = Accounts::builder(configured.verifier.clone(), POOL_ID, CLIENT_ID)
                .endpoint("http://127.0.0.1:1")
                .allow_http_loopback(true)
                .response_time_floor(ResponseTimeFloor::OFF)
                .compilation_cache(COMPILED);
            let accounts = accounts.build().await.expect("the accounts build");
            gateways.push(Gateway::new(accounts).verifies(TokenUseRule::Unchecked).router());
        }
        let gateway = Router::new().fallback(move |request: Request| {
            let number = request.headers().get(VERIFIER).and_then(|number| number.to_str().ok()?.parse::<usize>().ok());
            // Requests that wait for a proxy to start do not have the header.
            let mut gateway = gateways[number.unwrap_or(0)].clone();
            async move { gateway.call(request).await }
        });
        let application = Router::new().fallback(|| async { "the application" });
        Behind { gateway: serve(gateway).await, application: serve(application).await }
    };
    BEHIND.get_or_init(make).await
}
