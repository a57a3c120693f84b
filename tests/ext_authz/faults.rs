//! Messages and requests that are not what Envoy sends: none of them is an admission.

use super::client::{CheckRequest, HttpRequest, Service, described, joined, raw};
use crate::{
    requests::Request,
    scene::{configuration, gate_now},
};
use poolgate::gateway::{Gateway, RateLimit};
use poolgate_tests::{edge_scene::access, exact_client};
use prost::Message;
use serde_json::json;
use std::num::NonZeroU32;
use tonic::Code;

/// Public, so that only a fault can be the reason of a denial.
fn public() -> Request {
    Request {
        name: String::new(),
        method: "GET",
        target: "/public".into(),
        host: "app.example.com",
        headers: vec![("x-other", "a".to_owned())],
    }
}

/// A message whose first field is a number, as no `CheckRequest` is.
#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    value: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_describes_no_request_is_denied() {
    let service = Service::start(&configuration()).await;
    assert_eq!(service.check(raw(&public())).await.code(), 0);
    let malformed = [
        service.send(Number { value: 7 }).await.expect("an answer"),
        service.check(CheckRequest::default()).await,
        service.check(CheckRequest { attributes: Some(Default::default()) }).await,
        service.check(with(|http| http.path = "/admin".into())).await,
        service.check(with(|http| http.method = "POST".into())).await,
        service.check(with(|http| http.headers = joined_headers())).await,
    ];
    for response in malformed {
        assert_eq!((response.denied().0, response.code()), (400, 3), "{response:?}");
        assert_eq!(response.metadata(), json!({"decision": "rejected", "reason": "malformed-message"}));
    }
    service.stop().await;
}

/// What Envoy sends, with a change.
fn with(change: impl FnOnce(&mut HttpRequest)) -> CheckRequest {
    let mut http = http_of(raw(&public()));
    change(&mut http);
    described(http)
}

fn http_of(request: CheckRequest) -> HttpRequest {
    request.attributes.and_then(|it| it.request).and_then(|it| it.http).expect("a request")
}

fn joined_headers() -> std::collections::HashMap<String, String> {
    http_of(joined(&public())).headers
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_that_does_not_send_all_headers_is_not_configured_correctly() {
    let service = Service::start(&configuration()).await;
    let filtered = with(|http| {
        let fields = http.header_map.as_mut().expect("fields");
        fields.headers.retain(|field| field.key == "x-other");
    });
    let empty = with(|http| http.header_map = None);
    for request in [filtered, empty] {
        let response = service.check(request).await;
        assert_eq!((response.denied().0, response.code()), (500, 13), "{response:?}");
        assert_eq!(response.metadata(), json!({"decision": "rejected", "reason": "misconfigured"}));
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_denied_and_not_a_failure() {
    let service = Service::start(&configuration()).await;
    let sized = |length| Request { headers: vec![("x-other", "a".repeat(length))], ..public() };
    assert_eq!(service.check(raw(&sized(1_000_000))).await.code(), 0);
    // More than a head may have, and more than a message may have.
    for length in [1_060_000, 3_000_000] {
        let response = service.check(raw(&sized(length))).await;
        assert_eq!((response.denied().0, response.code()), (431, 8), "{length}");
        assert_eq!(response.metadata()["reason"], "head-too-large");
    }
    // The connection is still of use.
    assert_eq!(service.check(raw(&public())).await.code(), 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gate_the_service_is_not_implemented() {
    let verifier = gate_now(&configuration()).await.verifier();
    let service = Service::of(Gateway::without_accounts(verifier)).await;
    let status = service.send(raw(&public())).await.expect_err("no gate");
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_not_rate_limited_and_http_1_is_no_call() {
    let one = NonZeroU32::MIN;
    let gate = gate_now(&configuration()).await;
    let limit = RateLimit { per_second: one, burst: one };
    let gateway = Gateway::without_accounts(gate.verifier()).gate(gate).expect("one verifier").rate_limit(Some(limit));
    let service = Service::of(gateway).await;
    let token = ("authorization", format!("Bearer {}", access().compact()));
    let request = Request { target: "/any".into(), headers: vec![token], ..public() };
    for _ in 0..20 {
        assert_eq!(service.check(raw(&request)).await.code(), 0);
    }
    let path = "/envoy.service.auth.v3.Authorization/Check";
    let headers = [("content-type", "application/grpc"), ("content-length", "0")];
    assert_eq!(exact_client::send(&service.served.public, "POST", path, &headers).await.status, 505);
    assert_eq!(exact_client::send(&service.served.public, "GET", path, &[]).await.status, 405);
    service.stop().await;
}
