//! The metadata of the protected resource (RFC 9728), the challenges that lead to it, and the redirect to a login page. The target `mcp` has
//! every case; these are the ones that depend on `wasi:http`.

use crate::scene::served;
use poolgate_tests::{
    edge_scene::{access, guarded, pool},
    exact_client::send,
};
use serde_json::{Value, json};

const DOCUMENT: &str = "/.well-known/oauth-protected-resource/mcp";

#[tokio::test(flavor = "multi_thread")]
async fn the_middleware_serves_the_document_the_challenges_and_the_redirect() {
    let mut configuration = guarded(pool());
    configuration["policies"] = json!([{"name": "read", "scopes": {"any_of": ["tools/read"]}}]);
    configuration["routes"] = json!([{"prefix": "/mcp", "any_of": ["read"]}]);
    configuration["resource"] = json!({"resource": "https://mcp.example.com/mcp"});
    configuration["answers"] = json!({"login": {
        "url": "https://login.example.com/start", "return_parameter": "return_to", "return_origin": "https://mcp.example.com",
    }});
    let serving = served(&configuration).await;

    let document = send(&serving.url, "GET", DOCUMENT, &[]).await;
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/json")), "{document:?}");
    assert_eq!(document.header("access-control-allow-origin"), Some("*"));
    assert_eq!(document.headers("echo-path").count(), 0, "the application was asked");
    let body: Value = serde_json::from_str(&document.body).expect("JSON");
    assert_eq!(body["resource"], "https://mcp.example.com/mcp");
    // The head of a response to HEAD is that to GET (RFC 9110 section 9.3.2).
    let head = send(&serving.url, "HEAD", DOCUMENT, &[]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""), "{head:?}");
    assert_eq!(head.header("content-length"), document.header("content-length"));
    let asked = [("origin", "https://inspector.example"), ("access-control-request-method", "GET")];
    let preflight = send(&serving.url, "OPTIONS", DOCUMENT, &asked).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-headers")), (200, Some("*")), "{preflight:?}");
    assert_eq!(preflight.header("content-length"), Some("0"));

    let metadata = format!("resource_metadata=\"https://mcp.example.com{DOCUMENT}\"");
    let bearer = format!("Bearer {}", access().compact());
    for (sent, status, challenge) in [
        (vec![], 401, "Bearer scope=\"tools/read\", "),
        (vec![("authorization", bearer.as_str())], 403, "Bearer error=\"insufficient_scope\", scope=\"tools/read\", "),
    ] {
        let response = send(&serving.url, "GET", "/mcp", &sent).await;
        let challenge = format!("{challenge}{metadata}");
        let actual = (response.status, response.header("www-authenticate"));
        assert_eq!(actual, (status, Some(challenge.as_str())), "{sent:?}");
    }
    let response = send(&serving.url, "GET", "/mcp?a=b", &[("accept", "text/html")]).await;
    let location = "https://login.example.com/start?return_to=https%3A%2F%2Fmcp.example.com%2Fmcp%3Fa%3Db";
    assert_eq!((response.status, response.header("location")), (302, Some(location)), "{response:?}");
    assert_eq!(response.header("content-length"), Some("0"));
}
