//! nginx, Caddy and Traefik before the gateway, with the configurations of `examples/`.

use super::judges::{judges, put};
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

/// Says which judge is asked; proxies pass it on to the gateway.
const JUDGE: &str = "x-judge-for-the-test";
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

/// The proxies pass the status on, and no more.
async fn verdicts(proxy: Proxy) -> Vec<Seen> {
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    put(|number, case| {
        let request = http.get(&proxy.endpoint).header(JUDGE, number).bearer_auth(&case.token);
        async move {
            let response = request.send().await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            match response.status().as_u16() {
                200 => Seen::Verified,
                status => Seen::Refused { reason: None, status: Some(status) },
            }
        }
    })
    .await
}

/// A gateway that is all judges' at once, and an application.
async fn behind() -> &'static Behind {
    static BEHIND: OnceCell<Behind> = OnceCell::const_new();
    let make = async || {
        let mut gateways = Vec::new();
        for judge in judges().await {
            // Nobody signs in here: only tokens are verified.
            let accounts = Accounts::builder(judge.verifier.clone(), POOL_ID, CLIENT_ID)
                .endpoint("http://127.0.0.1:1")
                .allow_http_loopback(true)
                .response_time_floor(ResponseTimeFloor::OFF)
                .compilation_cache(COMPILED);
            let accounts = accounts.build().await.expect("the accounts build");
            gateways.push(Gateway::new(accounts).verifies(TokenUseRule::Unchecked).router());
        }
        let gateway = Router::new().fallback(move |request: Request| {
            let number = request.headers().get(JUDGE).and_then(|number| number.to_str().ok()?.parse::<usize>().ok());
            // Who waits for a proxy to come up names none.
            let mut gateway = gateways[number.unwrap_or(0)].clone();
            async move { gateway.call(request).await }
        });
        let application = Router::new().fallback(|| async { "the application" });
        Behind { gateway: serve(gateway).await, application: serve(application).await }
    };
    BEHIND.get_or_init(make).await
}
