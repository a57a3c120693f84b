//! The gateway with a gate: `/v1/verify` and `/v1/ext-authz` decide about the original request.

use super::{
    exchange::{ask, ask_like_envoy, send},
    requests::Request,
    scene::{configuration, gate_now},
};
use crate::gateway_setup::{Served, serve};
use poolgate::gateway::Gateway;
use poolgate_tests::{
    edge_scene::access,
    exact_client::{self, Response},
};
use serde_json::{Value, json};

pub const NGINX: [&str; 3] = ["x-original-uri", "x-original-method", "x-original-host"];
pub const CADDY: [&str; 3] = ["x-forwarded-uri", "x-forwarded-method", "x-forwarded-host"];

pub async fn gateway(configuration: &Value) -> Served {
    let gate = gate_now(configuration).await;
    let gateway = Gateway::without_accounts(gate.verifier()).gate(gate).expect("one verifier");
    serve(gateway).await
}

fn get(target: &str, headers: Vec<(&'static str, String)>) -> Request {
    Request { name: String::new(), method: "GET", target: target.into(), host: "app.example.com", headers }
}

fn with_token(target: &str) -> Request {
    get(target, vec![("authorization", format!("Bearer {}", access().compact()))])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_claim_header_is_in_the_response_and_empty_without_a_claim() {
    let served = gateway(&configuration()).await;
    for names in [NGINX, CADDY] {
        let verified = ask(&served.public, &with_token("/any"), names).await;
        assert_eq!((verified.status, verified.header("x-groups")), (200, Some("readers,writers")), "{verified:?}");
        let public = ask(&served.public, &with_token("/public"), names).await;
        assert_eq!(public.status, 200);
        // The proxy replaces what the client sent under these names.
        assert!(public.body.is_empty() && header_is_empty(&public, "x-user") && header_is_empty(&public, "x-groups"));
        assert_eq!(ask(&served.public, &with_token("/admin"), names).await.status, 403);
        assert_eq!(ask(&served.public, &get("/any", vec![]), names).await.status, 401);
    }
    let like_envoy = ask_like_envoy(&served.public, &with_token("/any?a=b")).await;
    assert_eq!((like_envoy.status, like_envoy.header("x-groups")), (200, Some("readers,writers")));
    served.stop().await;
}

fn header_is_empty(response: &Response, name: &str) -> bool {
    // The client splits at ": ", and an empty value has no space after it in some servers.
    response.header(name).is_none_or(str::is_empty) && format!("{response:?}").contains(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_must_be_admitted_as_each_proxy_describes_it() {
    let served = gateway(&configuration()).await;
    let token = format!("Bearer {}", access().compact());
    let ask = |headers: Vec<(&'static str, &'static str)>| {
        let (public, token) = (served.public.clone(), token.clone());
        async move {
            let hosts = [("x-original-host", "app.example.com"), ("x-forwarded-host", "app.example.com")];
            let headers = [headers.as_slice(), &hosts, &[("authorization", token.as_str())]].concat();
            exact_client::send(&public, "GET", "/v1/verify", &headers).await.status
        }
    };
    let nginx = |target| vec![("x-original-uri", target), ("x-original-method", "GET")];
    let caddy = |target| vec![("x-forwarded-uri", target), ("x-forwarded-method", "GET")];
    assert_eq!(ask([nginx("/any"), caddy("/any")].concat()).await, 200);
    assert_eq!(ask([nginx("/admin"), caddy("/any")].concat()).await, 403);
    assert_eq!(ask([nginx("/any"), caddy("/admin")].concat()).await, 403);
    // Not described, or only half.
    for headers in [
        vec![],
        vec![("x-original-uri", "/any")],
        vec![("x-original-method", "GET")],
        [nginx("/any"), vec![("x-forwarded-uri", "/any")]].concat(),
    ] {
        assert_eq!(ask(headers.clone()).await, 500, "{headers:?}");
    }
    let twice = [nginx("/any"), nginx("/any")].concat();
    assert_eq!(ask(twice).await, 400);
    // A requirement in the query would not be checked.
    let query = exact_client::send(&served.public, "GET", "/v1/verify?group=admins", &nginx("/any")).await;
    assert_eq!(query.status, 400);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_is_the_one_that_the_proxy_names() {
    let served = gateway(&configuration()).await;
    let request = |host| Request { host, ..with_token("/public") };
    for names in [NGINX, CADDY] {
        assert_eq!(ask(&served.public, &request("app.example.com"), names).await.status, 200);
        assert_eq!(ask(&served.public, &request("admin.example.com"), names).await.status, 403);
    }
    assert_eq!(ask_like_envoy(&served.public, &request("admin.example.com")).await.status, 403);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_the_proxy_cannot_remove_is_refused() {
    let served = gateway(&configuration()).await;
    for (name, value) in
        [("x_user", "root"), ("X-Groups_", "a"), ("script_name", "/admin"), ("x-rewrite-url", "/admin")]
    {
        let mut request = with_token("/any");
        let name: &'static str = name;
        request.headers.push((name, value.to_owned()));
        let expected = if name == "X-Groups_" { 200 } else { 400 };
        assert_eq!(ask(&served.public, &request, NGINX).await.status, expected, "{name}");
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_names_another_host_is_refused_if_rules_have_hosts() {
    let named = [
        ("x_forwarded_host", "admin.example.com"),
        ("x.forwarded.host", "admin.example.com"),
        ("x-host", "admin.example.com"),
        ("x-http-host-override", "admin.example.com"),
        ("forwarded", "for=192.0.2.1;host=admin.example.com"),
    ];
    let mut without_hosts = configuration();
    without_hosts["routes"].as_array_mut().expect("a list").remove(0);
    let (with, without) = (gateway(&configuration()).await, gateway(&without_hosts).await);
    for (name, value) in named {
        let mut request = with_token("/any");
        request.headers.push((name, value.to_owned()));
        for names in [NGINX, CADDY] {
            assert_eq!(ask(&with.public, &request, names).await.status, 400, "{name}");
            assert_eq!(ask(&without.public, &request, names).await.status, 200, "{name}");
        }
        assert_eq!(ask_like_envoy(&with.public, &request).await.status, 400, "{name}");
    }
    // Envoy itself sets none of them, so they come from the client.
    for (name, value, status) in [
        ("x-forwarded-host", "admin.example.com", 400),
        ("x-original-host", "admin.example.com", 400),
        ("x-original-uri", "/admin", 400),
        ("x-forwarded-uri", "/admin", 400),
        ("x-forwarded-host", "app.example.com", 200),
        ("forwarded", "for=192.0.2.1", 200),
    ] {
        let mut request = with_token("/any");
        request.headers.push((name, value.to_owned()));
        assert_eq!(ask_like_envoy(&with.public, &request).await.status, status, "{name}");
    }
    with.stop().await;
    without.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_the_resource_is_at_the_gateway_and_not_at_verify() {
    let mut configuration = configuration();
    configuration["resource"] = json!({"resource": "https://app.example.com/mcp"});
    let served = gateway(&configuration).await;
    let path = "/.well-known/oauth-protected-resource/mcp";
    let document = exact_client::get(&served.public, path, None).await;
    assert_eq!(document.status, 200, "{document:?}");
    let document_json: Value = serde_json::from_str(&document.body).expect("JSON");
    assert_eq!(document_json["resource"], "https://app.example.com/mcp");
    assert_eq!(document.header("access-control-allow-origin"), Some("*"));
    assert_ne!(document.header("cache-control"), Some("no-store"));
    let head = send(&served.public, &Request { method: "HEAD", ..get(path, vec![]) }).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(
        exact_client::get(&served.public, "/.well-known/oauth-protected-resource/other", None).await.status,
        404
    );
    // A proxy would read 200 as: it may pass.
    assert_eq!(ask(&served.public, &get(path, vec![]), CADDY).await.status, 403);
    let challenge = ask(&served.public, &get("/any", vec![]), CADDY).await;
    let challenge = challenge.header("www-authenticate").unwrap_or_default().to_owned();
    assert!(
        challenge.contains("resource_metadata=\"https://app.example.com/.well-known/oauth-protected-resource/mcp\""),
        "{challenge}"
    );
    served.stop().await;
    // Without a resource, the path is like any other.
    let served = gateway(&super::scene::configuration()).await;
    assert_eq!(exact_client::get(&served.public, path, None).await.status, 404);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_chooses_between_resources_at_the_same_path() {
    let mut configuration = configuration();
    configuration["routes"] = json!([
        {"prefix": "/mcp", "hosts": ["a.example.com"], "authenticated": true, "resource": {"resource": "https://a.example.com/mcp"}},
        {"prefix": "/mcp", "hosts": ["b.example.com"], "authenticated": true, "resource": {"resource": "https://b.example.com/mcp"}},
    ]);
    let served = gateway(&configuration).await;
    for host in ["a.example.com", "b.example.com"] {
        let request = Request { host, ..get("/.well-known/oauth-protected-resource/mcp", vec![]) };
        let document = send(&served.public, &request).await;
        assert_eq!(document.status, 200, "{document:?}");
        let document: Value = serde_json::from_str(&document.body).expect("JSON");
        assert_eq!(document["resource"], format!("https://{host}/mcp"));
    }
    served.stop().await;
}
