//! `tower::GateLayer` in an axum application.

use super::{
    exchange::send,
    requests::Request,
    scene::{configuration, gate_now},
};
use axum::{Router, extract, routing::any};
use poolgate::{
    Gate,
    tower::{Claims, GateLayer},
};
use poolgate_tests::edge_scene::access;
use serde_json::json;
use std::net::Ipv4Addr;
use tokio::{net::TcpListener, task::JoinHandle};

/// A running application. It stops when it is dropped.
pub struct Application {
    pub url: String,
    server: JoinHandle<()>,
}

impl Drop for Application {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves an application that returns the head that it received.
pub async fn serve(gate: Gate) -> Application {
    serve_app(Router::new().fallback(any(received)).layer(GateLayer::new(gate))).await
}

async fn serve_app(app: Router) -> Application {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    Application { url, server: tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") }) }
}

async fn received(request: extract::Request) -> String {
    let mut text = format!("{}\n", request.uri());
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    let claims = request.extensions().get::<Claims>();
    text + &format!("claims: {:?}\n", claims.and_then(|claims| claims.username.clone()))
}

fn get(target: &str, headers: Vec<(&'static str, String)>) -> Request {
    Request { name: String::new(), method: "GET", target: target.into(), host: "app.example.com", headers }
}

fn bearer() -> String {
    format!("Bearer {}", access().compact())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_receives_claims_and_nothing_that_a_client_has_forged() {
    let app = serve(gate_now(&configuration()).await).await;
    let forged = vec![
        ("authorization", bearer()),
        ("x-user", "root".to_owned()),
        ("x_user", "root".to_owned()),
        ("x-original-url", "/public".to_owned()),
        ("x-other", "stays".to_owned()),
    ];
    let response = send(&app.url, &get("/any?a=b", forged)).await;
    assert_eq!(response.status, 200, "{response:?}");
    let text = response.body;
    assert!(text.starts_with("/any?a=b\n") && text.contains("claims: Some(\"ada\")"), "{text}");
    assert!(text.contains("x-other: stays") && text.contains("x-groups: readers,writers"), "{text}");
    assert!(!text.contains("root") && !text.contains("x-original-url"), "{text}");
    let public = send(&app.url, &get("/public", vec![("x-user", "root".to_owned())])).await;
    assert!(
        public.status == 200 && !public.body.contains("root") && public.body.contains("claims: None"),
        "{public:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_taken_out_of_headers_cookies_and_the_query() {
    let mut configuration = configuration();
    configuration["tokens"] = json!({
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "session"}, {"query": "access"}], "forward": false,
    });
    let app = serve(gate_now(&configuration).await).await;
    let token = access().compact();
    for request in [
        get("/any", vec![("authorization", format!("Bearer {token}"))]),
        get("/any", vec![("cookie", format!("a=1; session={token}"))]),
        get(&format!("/any?x=1&access={token}"), vec![]),
    ] {
        let response = send(&app.url, &request).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert!(response.body.contains("claims: Some") && !response.body.contains(&token), "{}", response.body);
    }
    // Another cookie of the application, which is not ASCII.
    let request = get("/any", vec![("cookie", format!("name=J\u{fc}rgen; session={token}"))]);
    let response = send(&app.url, &request).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert!(response.body.contains("claims: Some") && !response.body.contains(&token), "{}", response.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_forwarded_is_not_in_the_debug_output_of_the_request() {
    let shown = any(|request: extract::Request| async move { format!("{request:?}") });
    let mut configuration = configuration();
    let elsewhere = json!({"header": "x-amzn-oidc-accesstoken"});
    configuration["tokens"]["from"].as_array_mut().expect("a list").push(elsewhere);
    let app = serve_app(Router::new().fallback(shown).layer(GateLayer::new(gate_now(&configuration).await))).await;
    let token = access().compact();
    for header in [
        ("authorization", format!("Bearer {token}")),
        ("cookie", format!("a=1; session={token}")),
        ("x-amzn-oidc-accesstoken", token.clone()),
    ] {
        let response = send(&app.url, &get("/any", vec![header])).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert!(response.body.contains("Sensitive") && !response.body.contains(&token), "{}", response.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_request_gets_the_configured_response_and_never_reaches_the_application() {
    let app = serve(gate_now(&configuration()).await).await;
    let none = send(&app.url, &get("/any", vec![])).await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, Some("Bearer")), "{none:?}");
    assert_eq!(none.header("content-type"), Some("application/problem+json"));
    assert_eq!(none.header("cache-control"), Some("no-store"));
    let forbidden = send(&app.url, &get("/admin", vec![("authorization", bearer())])).await;
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
    assert!(forbidden.body.contains("\"reason\":\"group-missing\""), "{}", forbidden.body);
    // Over HTTP/1, no gRPC status is sent, whatever the client says.
    let mut grpc = configuration();
    grpc["answers"]["grpc"] = json!(true);
    let app = serve(gate_now(&grpc).await).await;
    let mut post =
        get("/any", vec![("content-type", "application/grpc".to_owned()), ("content-length", "0".to_owned())]);
    post.method = "POST";
    assert_eq!(send(&app.url, &post).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_call_over_http_2_gets_a_grpc_status() {
    let mut configuration = configuration();
    configuration["answers"]["grpc"] = json!(true);
    let app = serve(gate_now(&configuration).await).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    let call = client.post(format!("{}/any", app.url)).header("content-type", "application/grpc");
    let response = call.send().await.expect("a response");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["grpc-status"], "16");
    assert_eq!(response.headers()["content-type"], "application/grpc");
}
