//! The axum service of `examples/axum`, over HTTP.

use super::verifiers::{send_all, verifiers};
use crate::example_services::{REASON, serve, with_reason};
use axum::Router;
use poolgate_tests::seen::Seen;
use reqwest::Client;

pub async fn verdicts() -> Vec<Seen> {
    let mut router = Router::new();
    for (number, configured) in verifiers().await.iter().enumerate() {
        router = router.nest(&format!("/{number}"), example_axum::app(configured.verifier.clone()));
    }
    let address = serve(with_reason(router)).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    send_all(|number, case| {
        let request = http.get(format!("http://{address}/{number}/me")).bearer_auth(&case.token);
        async move {
            let response = request.send().await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let reason = response.headers().get(REASON).map(|reason| reason.to_str().expect("ASCII").to_owned());
            match (response.status().as_u16(), reason) {
                (200, None) => Seen::Verified,
                (status, Some(reason)) => Seen::rejected(reason, status),
                (status, None) => panic!("{}: {status}, and no denial in the response's extensions", case.name),
            }
        }
    })
    .await
}
