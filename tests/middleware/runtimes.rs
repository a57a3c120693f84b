//! The middleware in the programs that users run: several versions of Wasmtime, and wasmCloud.

use crate::{composing::plugged, scene::remote_pool};
use poolgate_artifacts::{ECHO, MIDDLEWARE};
use poolgate_tests::{
    edge_scene::{access, guarded},
    exact_client::{Exchange, get},
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::{KEY_ID, SUBJECT},
    wash::Wash,
    wasmtime_serve::{WASMTIME_VERSIONS, WasmtimeServe},
};
use serde_json::json;
use std::time::Duration;

const PATH: &str = "/jwks.json";

/// Returns the middleware, a configuration and the application as one component.
fn protected(keys_url: &str) -> Vec<u8> {
    let mut configuration = guarded(remote_pool(keys_url));
    configuration["claims_to_headers"] = json!([{"claim": "sub", "header": "x-user"}]);
    let configuration = poolgate_edge::component::of(&configuration.to_string()).expect("a component");
    plugged(MIDDLEWARE, &[&configuration, ECHO])
}

/// One instance per request, so that each fetches, from a server that splits its response. Wasmtime 49 closes the connection when the guest
/// drops the future of the transmission (<https://github.com/bytecodealliance/wasmtime/issues/14227>).
#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_wasmtime_fetches_keys_for_any_split_of_the_response() {
    let keys = jwks(&[RSA_2048.jwk(KEY_ID)]);
    for version in WASMTIME_VERSIONS {
        let server = FaultyServer::start(Behaviour::Stall).await;
        let component = protected(&server.url(PATH));
        let serving = WasmtimeServe::start(version, &component, &["--max-instance-reuse-count", "1"]).await;
        for behaviour in [
            Behaviour::Serve(keys.clone()),
            Behaviour::Pausing(keys.clone(), Duration::ZERO),
            Behaviour::Pausing(keys.clone(), Duration::from_millis(50)),
            Behaviour::Chunked(keys.clone()),
            Behaviour::Drip(keys.clone(), Duration::from_micros(100)),
        ] {
            server.now_does(behaviour.clone());
            for (token, status) in [(access(), 200), (access().claim("exp", 1), 401), (access(), 200)] {
                let response = get(&serving.url, "/x", Some(&token.compact())).await;
                assert_eq!(response.status, status, "{version} {behaviour:?}: {response:?}\n{}", serving.output());
            }
        }
        // A forwarded request has its own body, and the claim instead of the client's header.
        let bearer = format!("Bearer {}", access().compact());
        let headers = [("authorization", bearer.as_str()), ("x-user", "root"), ("transfer-encoding", "chunked")];
        let mut exchange = Exchange::begin(&serving.url, "POST", "/x", &headers).await;
        exchange.write(b"5\r\nfirst\r\n").await;
        let response = exchange.finish(b"7\r\n second\r\n0\r\n\r\n").await;
        assert_eq!((response.status, response.body.as_str()), (200, "first second"), "{version}: {response:?}");
        let user = format!("x-user: {SUBJECT}");
        assert!(response.headers("echo-header").any(|line| line == user), "{version}: {response:?}");
        assert_eq!(get(&serving.url, "/x", None).await.status, 401, "{version}");
        // A truncated body.
        server.now_does(Behaviour::CloseMidway(keys.clone()));
        assert_eq!(get(&serving.url, "/x", Some(&access().compact())).await.status, 503, "{version}");
        assert!(
            serving.output().contains("Unreachable") && !serving.output().contains("was rejected"),
            "{}",
            serving.output()
        );
    }
}

/// Many requests in one instance wait for one fetch. All of them are resumed when it ends.
#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_wasmtime_resumes_the_waiting_requests() {
    for version in WASMTIME_VERSIONS {
        let keys = Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]));
        let server = FaultyServer::start(Behaviour::Held(Box::new(keys))).await;
        let component = protected(&server.url(PATH));
        let options = ["--max-instance-reuse-count", "1000000", "--max-instance-concurrent-reuse-count", "64"];
        let serving = WasmtimeServe::start(version, &component, &options).await;
        let request = || {
            let (url, token) = (serving.url.clone(), access().compact());
            tokio::spawn(async move { get(&url, "/x", Some(&token)).await })
        };
        let first = request();
        server.wait_for_fetches(1).await;
        let others: Vec<_> = (0..40).map(|_| request()).collect();
        // The same instance responds while the others wait.
        assert_eq!(get(&serving.url, "/x", None).await.status, 401, "{version}");
        server.release();
        for request in others.into_iter().chain([first]) {
            let response = request.await.expect("no panic");
            assert_eq!(response.status, 200, "{version}: {response:?}\n{}", serving.output());
        }
    }
}

/// The statement of docs/middleware.md about wasmCloud.
#[tokio::test(flavor = "multi_thread")]
async fn wasmcloud_fetches_for_every_request_unless_the_component_is_pooled() {
    let keys = jwks(&[RSA_2048.jwk(KEY_ID)]);
    for (pooling, most) in [("", 20), (", poolSize: 1, maxConcurrency: 16", 1)] {
        let server = FaultyServer::start(Behaviour::Pausing(keys.clone(), Duration::from_millis(20))).await;
        let configuration = poolgate_edge::component::of("{}").expect("a component");
        let origin = server.url("");
        let serving = Wash::start(&protected(&server.url(PATH)), &configuration, pooling, &origin).await;
        for _ in 0..10 {
            for (token, status) in [(access(), 200), (access().claim("exp", 1), 401)] {
                let response = get(&serving.url, "/x", Some(&token.compact())).await;
                assert_eq!(response.status, status, "{pooling}: {response:?}\n{}", serving.output());
            }
        }
        assert!(server.fetches() <= most, "{pooling}: {} fetches", server.fetches());
        assert!(!pooling.is_empty() || server.fetches() >= 10, "{} fetches", server.fetches());
    }
}
