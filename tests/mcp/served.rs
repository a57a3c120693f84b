//! What Envoy sends for the responses of the filter itself.

use crate::gate::Gate;
use poolgate_tests::{
    edge_scene::{access, pool},
    exact_client::{Response, send},
    server_process::free_port,
};
use serde_json::{Value, json};

const DOCUMENT: &str = "/.well-known/oauth-protected-resource/mcp";

fn configuration() -> Value {
    json!({
        "pools": [pool()],
        "policies": [{"name": "read", "scopes": {"any_of": ["tools/read"]}}],
        "routes": [{"prefix": "/mcp", "any_of": ["read"]}],
        "resource": {"resource": "https://mcp.example.com/mcp", "resource_name": "Sums"},
        "answers": {
            "expose_challenge": true,
            "login": {
                "url": "https://login.example.com/start", "return_parameter": "return_to", "return_origin": "https://mcp.example.com",
            },
        },
    })
}

fn headers<'r>(response: &'r Response, names: &[&str]) -> Vec<Option<&'r str>> {
    names.iter().map(|name| response.header(name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_serves_the_document_the_challenges_and_the_redirect() {
    // No request reaches an application.
    let gate = Gate::start(&configuration(), free_port()).await;
    let document = send(&gate.url, "GET", DOCUMENT, &[]).await;
    let names = ["content-type", "cache-control", "access-control-allow-origin"];
    let expected = [Some("application/json"), Some("public, max-age=300"), Some("*")];
    assert_eq!((document.status, headers(&document, &names)), (200, expected.to_vec()), "{document:?}");
    let body: Value = serde_json::from_str(&document.body).expect("JSON");
    assert_eq!((&body["resource"], &body["resource_name"]), (&json!("https://mcp.example.com/mcp"), &json!("Sums")));
    // The head of a response to HEAD is that to GET (RFC 9110 section 9.3.2).
    let head = send(&gate.url, "HEAD", DOCUMENT, &[]).await;
    assert_eq!((head.status, headers(&head, &names), head.body.as_str()), (200, expected.to_vec(), ""), "{head:?}");
    assert_eq!(head.header("content-length"), document.header("content-length"));
    let asked = [("origin", "https://inspector.example"), ("access-control-request-method", "GET")];
    let preflight = send(&gate.url, "OPTIONS", DOCUMENT, &asked).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-headers")), (200, Some("*")), "{preflight:?}");
    assert_eq!(gate.envoy.metric("poolgate_requests_verdict_answered_reason_none").await, 3);

    let metadata = "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";
    let names = ["www-authenticate", "access-control-expose-headers"];
    let bearer = format!("Bearer {}", access().compact());
    for (sent, status, challenge) in [
        (vec![], 401, "Bearer scope=\"tools/read\", "),
        (vec![("authorization", "Bearer a.b.c")], 401, "Bearer error=\"invalid_token\", scope=\"tools/read\", "),
        (vec![("authorization", bearer.as_str())], 403, "Bearer error=\"insufficient_scope\", scope=\"tools/read\", "),
    ] {
        let response = send(&gate.url, "GET", "/mcp", &sent).await;
        let challenge = format!("{challenge}{metadata}");
        let expected = vec![Some(challenge.as_str()), Some("www-authenticate")];
        assert_eq!((response.status, headers(&response, &names)), (status, expected), "{sent:?}");
    }
    let response =
        send(&gate.url, "GET", "/mcp?a=b", &[("accept", "text/html"), ("x-forwarded-host", "evil.example")]).await;
    let location = "https://login.example.com/start?return_to=https%3A%2F%2Fmcp.example.com%2Fmcp%3Fa%3Db";
    assert_eq!((response.status, response.header("location")), (302, Some(location)), "{response:?}");
    assert_eq!(gate.envoy.metric("poolgate_requests_verdict_refused_reason_no_token").await, 2);
}
