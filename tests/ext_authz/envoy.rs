//! The real Envoy asks the gateway.

use super::{
    client::Service,
    proxied::{GRPC, HTTP, Proxied, RBAC},
};
use crate::{
    decided::{decided, is_same, wanted_of_envoy},
    requests::{Request, all},
    scene::{configuration, gate_now},
    upstream::Upstream,
};
use poolgate_tests::{
    edge_scene::{access, now},
    envoy::Envoy,
    exact_client,
};
use serde_json::{Value, json};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

fn get(target: &str, headers: Vec<(&'static str, String)>) -> Request {
    Request { name: String::new(), method: "GET", target: target.into(), host: "app.example.com", headers }
}

fn bearer() -> (&'static str, String) {
    ("authorization", format!("Bearer {}", access().compact()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_about_every_request_is_that_of_the_library() {
    let configuration = configuration();
    let (proxied, gate) = (Proxied::start(&configuration).await, gate_now(&configuration).await);
    let requests = all(access, now());
    let mut faults = Vec::new();
    for request in &requests {
        let over_grpc = wanted_of_envoy(&gate, request).await;
        // Over HTTP, the gateway can't have Envoy remove a header, so it refuses what it would have to remove.
        let is_refused = |(name, _): &(&str, String)| ["x_user", "x-original-url", "script_name"].contains(name);
        // Envoy also sends it two fields `Cookie` as one, joined with a comma. HTTP/1 has one field (RFC 6265 section 5.4).
        let has_two_cookies = request.name == "two cookie headers" && over_grpc.0 == 200 && request.target != "/public";
        let over_http = match (request.headers.iter().any(is_refused), has_two_cookies) {
            (true, _) => (400, String::new()),
            (false, true) => (401, "no-token".to_owned()),
            (false, false) => over_grpc.clone(),
        };
        for (listener, wanted) in [(GRPC, &over_grpc), (HTTP, &over_http)] {
            let decided = decided(request, &proxied.send(listener, request).await);
            if !is_same(wanted, &decided) {
                faults.push(format!("{listener}: {request:?}: {decided:?}, not {wanted:?}"));
            }
            let has_passed = !proxied.upstream.seen().is_empty();
            if has_passed != (wanted.0 == 200) {
                faults.push(format!("{listener}: {request:?}: the application has received it: {has_passed}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), requests.len(), faults.join("\n"));
    proxied.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_receives_claims_and_nothing_that_a_client_has_forged() {
    let mut configuration = configuration();
    configuration["tokens"] = json!({
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"query": "access"}], "forward": false,
    });
    let proxied = Proxied::start(&configuration).await;
    let token = access().compact();
    let forged = [
        ("x-user", "root"),
        ("x-user", "root2"),
        ("x_user", "root"),
        ("x-original-url", "/public"),
        ("x-other", "stays"),
    ];
    let forged: Vec<_> = forged.map(|(name, value)| (name, value.to_owned())).into();
    let requests = [
        (
            get("/any?a=b", [vec![("authorization", format!("Bearer {token}"))], forged.clone()].concat()),
            "/any?a=b",
            true,
        ),
        (get(&format!("/any?a=b&access={token}"), forged.clone()), "/any?a=b", true),
        (get("/public", forged), "/public", false),
    ];
    for (request, target, is_verified) in requests {
        let response = proxied.send(GRPC, &request).await;
        assert_eq!(response.status, 200, "{response:?}");
        let seen = proxied.upstream.seen();
        let [seen] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(seen.target, target);
        let text = format!("{seen:?}");
        assert!(!text.contains("root") && !text.contains("x_user") && !text.contains("x-original-url"), "{text}");
        assert!(!text.contains(&token), "the token is forwarded: {text}");
        assert_eq!(seen.header("x-other"), ["stays"]);
        assert_eq!(seen.header("x-groups"), if is_verified { vec!["readers,writers"] } else { vec![] });
        assert_eq!(seen.header("x-user").len(), usize::from(is_verified));
    }
    // Over HTTP, headers that the gateway does not refuse are replaced.
    let request = get("/any", vec![bearer(), ("x-user", "root".to_owned())]);
    assert_eq!(proxied.send(HTTP, &request).await.status, 200);
    let seen = proxied.upstream.seen();
    assert!(!format!("{seen:?}").contains("root") && seen[0].header("x-groups") == ["readers,writers"], "{seen:?}");
    proxied.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_filters_and_access_logs_read_the_metadata() {
    let proxied = Proxied::start(&configuration()).await;
    let admitted = proxied.send(GRPC, &get("/any", vec![bearer()])).await;
    assert_eq!((admitted.status, admitted.header("x-seen-decision")), (200, Some("verified")), "{admitted:?}");
    let seen = proxied.upstream.seen();
    assert_eq!(seen[0].header("x-seen-groups"), [r#"["readers","writers"]"#]);
    assert_eq!(seen[0].header("x-seen-subject"), seen[0].header("x-user"));
    let rejected = proxied.send(GRPC, &get("/admin", vec![bearer()])).await;
    assert_eq!((rejected.status, rejected.header("x-seen-reason")), (403, Some("group-missing")), "{rejected:?}");
    let reported = proxied.send(GRPC, &get("/reported", vec![bearer()])).await;
    assert_eq!((reported.status, reported.header("x-seen-decision")), (200, Some("reported")), "{reported:?}");
    assert_eq!(reported.header("x-seen-reason"), Some("group-missing"));
    // RBAC, with a token of another group.
    let reader = access().claim("cognito:groups", "[\"readers\"]").compact();
    let reader = get("/any", vec![("authorization", format!("Bearer {reader}"))]);
    proxied.upstream.seen();
    assert_eq!(proxied.send(GRPC, &reader).await.status, 200);
    assert_eq!(proxied.upstream.seen().len(), 1);
    assert_eq!(proxied.send(RBAC, &reader).await.status, 403);
    assert_eq!(proxied.send(RBAC, &get("/public", vec![])).await.status, 403);
    assert!(proxied.upstream.seen().is_empty());
    assert_eq!(proxied.send(RBAC, &get("/any", vec![bearer()])).await.status, 200);
    proxied.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_has_the_response_of_the_configuration() {
    let mut configuration = configuration();
    configuration["resource"] = json!({"resource": "https://app.example.com/mcp"});
    let proxied = Proxied::start(&configuration).await;
    let none = proxied.send(GRPC, &get("/any", vec![])).await;
    assert_eq!((none.status, none.header("content-type")), (401, Some("application/problem+json")), "{none:?}");
    assert_eq!(none.headers("content-type").count(), 1);
    assert_eq!(none.header("cache-control"), Some("no-store"));
    assert!(none.header("www-authenticate").is_some_and(|it| it.contains("resource_metadata=")), "{none:?}");
    let document = proxied.send(GRPC, &get("/.well-known/oauth-protected-resource/mcp", vec![])).await;
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/json")), "{document:?}");
    let body: Value = serde_json::from_str(&document.body).expect("JSON");
    assert_eq!(body["resource"], "https://app.example.com/mcp");
    assert!(proxied.upstream.seen().is_empty());
    proxied.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_grpc_gets_the_status_of_the_library() {
    let mut configuration = configuration();
    configuration["answers"]["grpc"] = json!(true);
    configuration["routes"] = json!([{"prefix": "/grpc.health.v1.Health", "authenticated": true}]);
    let proxied = Proxied::start(&configuration).await;
    let url = proxied.envoy.url(GRPC).await;
    let channel = Channel::from_shared(url).expect("a URL").connect().await.expect("Envoy listens");
    let call = async |token: Option<String>| {
        let mut request = tonic::Request::new(HealthCheckRequest { service: String::new() });
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        }
        let answer = HealthClient::new(channel.clone()).check(request).await;
        answer.map(drop).map_err(|status| (status.code(), status.message().to_owned()))
    };
    assert_eq!(call(None).await, Err((Code::Unauthenticated, "no-token".to_owned())));
    let expired = access().claim("exp", now() - 1).compact();
    assert_eq!(call(Some(expired)).await, Err((Code::Unauthenticated, "expired".to_owned())));
    assert!(proxied.upstream.seen().is_empty());
    assert_eq!(call(Some(access().compact())).await, Ok(()));
    assert_eq!(proxied.upstream.seen().len(), 1);
    proxied.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_while_the_gateway_is_stopped() {
    let proxied = Proxied::start(&configuration()).await;
    for listener in [GRPC, HTTP] {
        assert_eq!(proxied.send(listener, &get("/public", vec![])).await.status, 200);
    }
    let Proxied { service, upstream, envoy } = proxied;
    upstream.seen();
    service.stop().await;
    for listener in [GRPC, RBAC, HTTP] {
        let url = envoy.url(listener).await;
        for target in ["/public", "/any"] {
            let response = exact_client::get(&url, target, Some(&access().compact())).await;
            // Envoy's own response: `status_on_error` is 403 by default.
            assert_eq!(response.status, 403, "{listener} {target}: {response:?}");
        }
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_protects_an_application() {
    let (service, upstream) = (Service::start(&configuration()).await, Upstream::start().await);
    let mut text = include_str!("../../examples/ext-authz/envoy.yaml").to_owned();
    let gateway = service.served.public.rsplit(':').next().expect("a port");
    for (from, to) in [
        ("address: app, port_value: 80 ", format!("address: 127.0.0.1, port_value: {} ", upstream.port)),
        ("address: poolgate, port_value: 8080", format!("address: 127.0.0.1, port_value: {gateway}")),
        ("port_value: 10000", "port_value: 0".to_owned()),
        ("0.0.0.0", "127.0.0.1".to_owned()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, &to);
    }
    let envoy = Envoy::start_with(|port| text.replace("port_value: 9901", &format!("port_value: {port}"))).await;
    // The health check of gRPC succeeds.
    envoy.waits_for("health_check.success: 1", "/stats?filter=cluster.poolgate.health_check.success").await;
    let url = envoy.url("main").await;
    assert_eq!(exact_client::get(&url, "/public", None).await.status, 200);
    assert_eq!(exact_client::get(&url, "/any", None).await.status, 401);
    assert_eq!(exact_client::get(&url, "/any", Some(&access().compact())).await.status, 200);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].header("x-groups"), ["readers,writers"]);
    service.stop().await;
}
