//! Rejected requests: the responses and the log.

use crate::{
    scene::{protected_echo, remote_pool, served},
    serving::{Instances, Serving},
};
use poolgate_tests::{
    edge_scene::{access, guarded, pool, reason},
    exact_client::{get, send},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_response_to_a_rejected_request_follows_rfc_6750() {
    let mut configuration = guarded(pool());
    configuration["policies"] = json!([{"name": "admins", "groups": {"any_of": ["admin"]}}]);
    configuration["routes"] = json!([
        {"prefix": "/admin", "any_of": ["admins"]},
        {"prefix": "/watched", "any_of": ["admins"], "report_only": true},
        {"prefix": "/api", "authenticated": true},
    ]);
    let serving = served(&configuration).await;
    let token = access().compact();
    let invalid = access().claim("exp", 1).compact();
    for (target, token, status, name, challenge) in [
        ("/api", None, 401, "no-token", Some("Bearer")),
        ("/api", Some(&invalid), 401, "expired", Some("Bearer error=\"invalid_token\"")),
        ("/admin", Some(&token), 403, "group-missing", Some("Bearer error=\"insufficient_scope\"")),
        ("/other", Some(&token), 403, "no-rule", None),
        ("/api/../admin", Some(&token), 400, "ambiguous-path", None),
        ("//admin", Some(&token), 400, "ambiguous-path", None),
        ("/api", Some(&token), 200, "", None),
        ("/watched", Some(&token), 200, "", None),
    ] {
        let response = get(&serving.url, target, token.map(String::as_str)).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (status, name), "{target}: {response:?}");
        assert_eq!(response.header("www-authenticate"), challenge, "{target}");
        if status != 200 {
            assert_eq!(response.header("cache-control"), Some("no-store"), "{target}");
            assert_eq!(response.headers("echo-path").count(), 0, "{target}: the application was asked");
        }
    }
    let bearer = format!("Bearer {token}");
    let twice = [("Authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    let response = send(&serving.url, "GET", "/api", &twice).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (400, "several-tokens"));
    // The log names the report_only rejection, and contains nothing of a token.
    let said = serving.output();
    assert!(said.contains("its rule (report_only) would reject: group-missing"), "{said}");
    let parts = token.split('.').chain(invalid.split('.'));
    parts.for_each(|part| assert!(!said.contains(part), "a part of a token in {said}"));
}

/// The server, like `wasmtime serve`, passes on the authority of the URL in the request line, and no `Host` field.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_chosen_by_the_host() {
    let mut configuration = guarded(pool());
    configuration["policies"] = json!([{"name": "admins", "groups": {"any_of": ["admin"]}}]);
    configuration["routes"] = json!([
        {"path": "/health", "public": true},
        {"hosts": ["admin.example.com"], "prefix": "/", "any_of": ["admins"]},
        {"hosts": ["www.example.com"], "prefix": "/", "public": true},
        {"prefix": "/", "authenticated": true},
    ]);
    let serving = served(&configuration).await;
    let token = access().compact();
    for (target, token, status, name) in [
        ("http://www.example.com/", None, 200, ""),
        ("http://WWW.example.com:8080/", None, 200, ""),
        ("http://other.example.com/", None, 401, "no-token"),
        ("http://admin.example.com/", Some(token.as_str()), 403, "group-missing"),
        ("http://www.example.com./", Some(&token), 400, "ambiguous-host"),
        ("/", Some(&token), 400, "ambiguous-host"),
        ("/health", None, 200, ""),
    ] {
        let response = get(&serving.url, target, token).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (status, name), "{target}: {response:?}");
    }
}

/// WASI does not report the HTTP version, so the operator must configure that responses to gRPC calls have the status 200.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_grpc_call_gets_a_grpc_response_only_if_configured() {
    let mut configuration = guarded(pool());
    let by_default = served(&configuration).await;
    configuration["answers"]["grpc"] = json!(true);
    let opted_in = served(&configuration).await;
    let grpc = [("content-type", "application/grpc+proto"), ("content-length", "0")];
    for (serving, method, headers) in [
        (&by_default, "POST", &grpc),
        (&by_default, "GET", &grpc),
        (&opted_in, "GET", &grpc),
        (&opted_in, "POST", &[("content-type", "application/grpc-web"), ("content-length", "0")]),
        (&opted_in, "POST", &[("content-type", "application/json"), ("content-length", "0")]),
    ] {
        let response = send(&serving.url, method, "/a.B/C", headers).await;
        assert_eq!((response.status, response.header("grpc-status")), (401, None), "{method} {headers:?}");
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
    }
    let response = send(&opted_in.url, "POST", "/a.B/C", &grpc).await;
    assert_eq!((response.status, response.header("grpc-status")), (200, Some("16")));
    assert_eq!(
        (response.header("grpc-message"), response.header("content-type")),
        (Some("no-token"), Some("application/grpc"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_configuration_every_request_is_rejected() {
    let mut with_state = guarded(pool());
    with_state["claims_to_filter_state"] = json!([{"claim": "sub", "name": "user"}]);
    for (configuration, says) in [
        ("{".to_owned(), "the configuration is invalid"),
        (json!({"pools": [pool()], "routes": [{"prefix": "/", "public": true}], "chache": {}}).to_string(), "chache"),
        (with_state.to_string(), "claims_to_filter_state"),
        (guarded(remote_pool("http://keys.example/jwks.json")).to_string(), "without TLS"),
    ] {
        let serving = Serving::start(protected_echo(), &configuration, Instances::One).await;
        for token in [None, Some(access().compact())] {
            let response = get(&serving.url, "/x", token.as_deref()).await;
            assert_eq!(response.status, 503, "{says}: {response:?}");
            assert_eq!(response.headers("echo-path").count(), 0);
        }
        assert!(serving.output().contains(says), "{says}: {}", serving.output());
    }
}
