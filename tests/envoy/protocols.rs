//! HTTP/2 and gRPC.

use crate::scene::Scene;
use poolgate_tests::{
    edge_scene::{access, guarded, pool},
    exact_client::send,
};
use tonic::{Code, Request, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

#[tokio::test(flavor = "multi_thread")]
async fn requests_over_http_2_are_verified_too() {
    let scene = Scene::with(guarded(pool())).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    let url = format!("{}/x", scene.url);
    let rejected = client.get(&url).send().await.expect("a response");
    assert_eq!((rejected.status().as_u16(), rejected.version()), (401, reqwest::Version::HTTP_2));
    let passed = client.get(&url).bearer_auth(access().compact()).send().await.expect("a response");
    assert_eq!(passed.status(), 200);
    let seen = scene.upstream.seen();
    assert_eq!((seen.len(), seen[0].version.as_str()), (1, "HTTP/2.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_call_gets_a_grpc_status() {
    let mut configuration = guarded(pool());
    configuration["answers"]["grpc"] = serde_json::json!(true);
    configuration["policies"] = serde_json::json!([{"name": "admins", "groups": {"any_of": ["admin"]}}]);
    configuration["routes"] = serde_json::json!([
        {"path": "/grpc.health.v1.Health/Check", "any_of": ["admins"]},
    ]);
    let scene = Scene::with(configuration).await;
    let channel = Endpoint::from_shared(scene.url.clone()).expect("a URL").connect().await.expect("Envoy listens");
    let mut client = HealthClient::new(channel);
    let call = |token: Option<String>| {
        let mut request = Request::new(HealthCheckRequest { service: String::new() });
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("metadata"));
        }
        request
    };
    let none = client.check(call(None)).await.expect_err("no token");
    assert_eq!((none.code(), none.message()), (Code::Unauthenticated, "no-token"));
    let stranger = client.check(call(Some(access().compact()))).await.expect_err("no group");
    assert_eq!((stranger.code(), stranger.message()), (Code::PermissionDenied, "group-missing"));
    let watch = client.watch(call(None)).await.expect_err("no rule");
    assert_eq!(watch.code(), Code::PermissionDenied);
    assert!(scene.upstream.seen().is_empty());
    let admin = access().claim("cognito:groups", "[\"admin\"]").compact();
    let response = client.check(call(Some(admin))).await.expect("the call is forwarded").into_inner();
    assert_eq!(response.status(), ServingStatus::Serving);
}

/// Envoy converts the response of any filter to a gRPC request into a gRPC response, also over HTTP/1, as its documentation says.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_option_envoy_chooses_the_grpc_status() {
    let scene = Scene::with(guarded(pool())).await;
    let channel = Endpoint::from_shared(scene.url.clone()).expect("a URL").connect().await.expect("Envoy listens");
    let call = Request::new(HealthCheckRequest { service: String::new() });
    let rejected = HealthClient::new(channel).check(call).await.expect_err("no token");
    assert_eq!(rejected.code(), Code::Unauthenticated, "{rejected:?}");
    let headers = [("content-type", "application/grpc"), ("content-length", "0")];
    let over_http_1 = send(&scene.url, "POST", "/a.B/C", &headers).await;
    assert_eq!((over_http_1.status, over_http_1.header("grpc-status")), (200, Some("16")), "{over_http_1:?}");
    assert!(scene.upstream.seen().is_empty());
}
