//! Rate limits, health checks, metrics and shutdown.

use super::{PASSWORD, SIGN_UP_CODE, Stage, body, gateway_setup::serve, problem};
use crate::account_setup::account_builder;
use poolgate::gateway::{Gateway, RateLimit};
use poolgate_tests::{
    keys::RSA_2048, microburst::Microburst, ministack::Ministack, minting::Draft, server_process::free_port,
    test_pool::PoolOptions,
};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::json;
use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};

const X_REAL_IP: header::HeaderName = header::HeaderName::from_static("x-real-ip");

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_get_429_with_retry_after_and_verify_is_not_limited() {
    let one = NonZeroU32::MIN;
    let limit = RateLimit { per_second: one, burst: NonZeroU32::new(3).expect("three") };
    let stage = Stage::new(|gateway| gateway.rate_limit(Some(limit)).client_ip_header(X_REAL_IP)).await;
    let ask = |address: &'static str| {
        let post = stage.request(Method::POST, "/v1/forgot-password").header("x-real-ip", address);
        post.json(&json!({ "username": "anna" })).send()
    };
    let mut rejected = None;
    for _ in 0..50 {
        let answer = ask("192.0.2.1").await.expect("an answer");
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            rejected = Some(answer);
            break;
        }
    }
    let rejected = rejected.expect("fifty at once are too many");
    assert!(rejected.headers()[header::RETRY_AFTER].to_str().is_ok_and(|text| text == "1"));
    problem(rejected, 429, "too-many-requests").await;
    assert_eq!(ask("192.0.2.2").await.expect("an answer").status(), 200, "another client has a bucket of its own");
    for path in ["/v1/verify", "/v1/ext-authz/orders"] {
        for _ in 0..50 {
            let answer = stage.request(Method::GET, path).header("x-real-ip", "192.0.2.1").send().await;
            assert_eq!(answer.expect("an answer").status(), 401);
        }
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_for_clients_is_limited() {
    let limit = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };
    let stage = Stage::new(|gateway| gateway.rate_limit(Some(limit)).client_ip_header(X_REAL_IP)).await;
    for (number, path) in
        ["/openapi.json", "/problems/invalid-code", "/metrics", "/healthz", "/readyz", "/v1/user"].iter().enumerate()
    {
        let mut statuses = Vec::new();
        for _ in 0..50 {
            let ask = stage.request(Method::GET, path).header(X_REAL_IP, format!("192.0.2.{number}"));
            statuses.push(ask.send().await.expect("an answer").status().as_u16());
        }
        assert!(statuses[0] != 429 && statuses.contains(&429), "{path}: {statuses:?}");
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_behind_several_proxies_have_separate_limits_even_with_forged_headers() {
    let limit = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };
    let forwarded = header::HeaderName::from_static("x-forwarded-for");
    let two = NonZeroUsize::new(2).expect("two");
    let state = |gateway: Gateway| gateway.rate_limit(Some(limit)).client_ip_header(forwarded).trusted_hops(two);
    let stage = Stage::new(state).await;
    let ask = async |forwarded_for: &str| {
        let ask = stage.request(Method::GET, "/healthz").header("x-forwarded-for", forwarded_for);
        ask.send().await.expect("an answer").status().as_u16()
    };
    // The first request of every client passes.
    for user in ["192.0.2.1", "192.0.2.2:4711", "2001:db8::1", "[2001:db8:0:1::1]:4711", "2001:db8:0:2::1"] {
        assert_eq!(ask(&format!("{user}, 10.0.0.1")).await, 200, "{user}");
    }
    // Forged entries, another port, another proxy and another address of the /64 network do not make a new client.
    for (user, others) in [
        ("198.51.100.7", &["203.0.113.1, 198.51.100.7:99, 10.0.0.1", "x, 198.51.100.7, 10.0.0.2"][..]),
        ("2001:db8:1::1", &["[2001:db8:1::2]:99, 10.0.0.1", "2001:db8:2::1, 2001:db8:1::3, 10.0.0.2"]),
    ] {
        let mut statuses = vec![ask(&format!("{user}, 10.0.0.1")).await];
        for other in others.iter().cycle().take(50) {
            statuses.push(ask(other).await);
        }
        assert!(statuses[0] == 200 && statuses.contains(&429), "{user}: {statuses:?}");
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_once_it_has_keys_and_clients_cannot_read_the_counts_of_account_flows() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let mut elsewhere = pool.clone();
    // There is no listener at this port.
    elsewhere.jwks_url = format!("http://127.0.0.1:{}/jwks.json", free_port());
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    for (pool, expected) in [(&pool, 200), (&elsewhere, 503)] {
        let accounts = account_builder(server.endpoint(), pool).await.build().await.expect("the accounts build");
        let verifier = accounts.verifier().clone();
        let gateway = Gateway::new(accounts);
        let operator = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let operator_url = format!("http://{}", operator.local_addr().expect("an address"));
        let shown = tokio::spawn(axum::serve(operator, gateway.operations_router()).into_future());
        let served = serve(gateway).await;
        let get = async |base: &str, path: &str| http.get(format!("{base}{path}")).send().await.expect("an answer");
        verifier.hydrate().await.expect("the sandbox works");
        for base in [&served.public, &operator_url] {
            assert_eq!(get(base, "/healthz").await.status(), 200);
            assert_eq!(get(base, "/readyz").await.status(), expected, "{}", pool.jwks_url);
        }
        let answer = http
            .post(format!("{}/v1/sign-up", served.public))
            .json(&json!({ "username": "", "password": PASSWORD }))
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), 400);
        // The counts of account flows reveal whether an account exists.
        for (base, tells_accounts) in [(&operator_url, true), (&served.public, false)] {
            let metrics = get(base, "/metrics").await.text().await.expect("text");
            assert!(metrics.contains("poolgate_key_fetches_total") && metrics.ends_with("# EOF\n"), "{metrics}");
            assert_eq!(metrics.contains("account_flows"), tells_accounts, "{metrics}");
        }
        shown.abort();
        served.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_operator_gets_the_hint_that_an_issuer_differs_by_a_slash() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let gateway =
        Gateway::new(account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build"));
    let operator = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let operator_url = format!("http://{}", operator.local_addr().expect("an address"));
    let shown = tokio::spawn(axum::serve(operator, gateway.operations_router()).into_future());
    let served = serve(gateway).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let ready = async |base: &str| {
        let answer = http.get(format!("{base}/readyz")).send().await.expect("an answer");
        answer.text().await.expect("text")
    };
    let verify = async |issuer: String| {
        let token = Draft::access(&RSA_2048).claim("iss", format!("\"{issuer}\"")).compact();
        let answer = http.get(format!("{}/v1/verify", served.public)).bearer_auth(token).send().await;
        answer.expect("an answer").text().await.expect("text")
    };
    let elsewhere = verify("https://example.com".into()).await;
    assert!(!ready(&operator_url).await.contains("hint"), "another issuer is not a misconfiguration");
    assert_eq!(verify(format!("{}/", pool.issuer)).await, elsewhere, "the client gets the same response");
    let text = ready(&operator_url).await;
    assert!(text.contains("hint: ") && text.contains("`/` at the end"), "{text}");
    assert!(!ready(&served.public).await.contains("hint"), "the hint is not on the address for clients");
    shown.abort();
    served.stop().await;
}

/// A server that accepts a request, and responds when the test tells it to.
struct Slow {
    endpoint: String,
    has_come: Arc<Notify>,
    answer: Arc<Notify>,
}

impl Slow {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (has_come, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (came, may_answer) = (Arc::clone(&has_come), Arc::clone(&answer));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 4_096];
            assert!(stream.read(&mut request).await.is_ok_and(|count| count > 0));
            came.notify_one();
            may_answer.notified().await;
            let reply = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(reply.as_bytes()).await.expect("the caller listens");
        });
        Self { endpoint, has_come, answer }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_progress_are_finished_during_the_shutdown() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let slow = Slow::start().await;
    let accounts = account_builder(&slow.endpoint, &pool).await.build().await.expect("the accounts build");
    let served = serve(Gateway::new(accounts)).await;
    let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("an HTTP client");
    let post = http.post(format!("{}/v1/confirm-sign-up", served.public));
    let post = post.json(&json!({ "username": "anna", "code": SIGN_UP_CODE }));
    let under_way = tokio::spawn(post.send());
    slow.has_come.notified().await;
    let public = served.public.clone();
    let stopping = tokio::spawn(served.stop());
    // No new connections are accepted; then the slow request is finished.
    let mut polls = tokio::time::interval(std::time::Duration::from_millis(5));
    while http.get(format!("{public}/healthz")).send().await.is_ok() {
        polls.tick().await;
    }
    assert!(!stopping.is_finished(), "it has ended with a request in progress");
    slow.answer.notify_one();
    assert_eq!(under_way.await.expect("no panic").expect("an answer").status(), 204);
    stopping.await.expect("it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_429_with_retry_after() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = account_builder(proxy.endpoint(), &pool).await.build().await.expect("the accounts build");
    let served = serve(Gateway::new(accounts)).await;
    proxy.inject("InitiateAuth", "TooManyRequestsException").await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let post = http.post(format!("{}/v1/sign-in", served.public));
    let answer = post.json(&json!({ "username": "anna", "password": PASSWORD })).send().await.expect("an answer");
    assert_eq!(answer.headers()[header::RETRY_AFTER], "2");
    let details = problem(answer, 429, "too-many-requests").await;
    assert!(details["detail"].is_null());
    proxy.clear().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_is_served_and_contains_every_path() {
    let stage = Stage::new(|gateway| gateway).await;
    let answer = stage.request(Method::GET, "/openapi.json").send().await.expect("an answer");
    let document = body(answer).await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    for path in [
        "sign-up",
        "confirm-sign-up",
        "resend-code",
        "sign-in",
        "answer-challenge",
        "totp/associate",
        "totp/verify",
        "refresh",
        "forgot-password",
        "confirm-forgot-password",
        "change-password",
        "user",
        "send-attribute-code",
        "verify-attribute",
        "sign-out",
        "revoke-token",
        "mfa-preference",
        "verify",
    ] {
        assert!(paths.contains_key(&format!("/v1/{path}")), "{path}");
    }
    assert_eq!(paths.len(), 18, "a path that this test does not know");
    stage.gateway.stop().await;
}
