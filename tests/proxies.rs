//! Real proxies that ask `/v1/verify` before they let a request through, with the configurations of `examples/`.

mod account_setup;
mod gateway_setup;

use account_setup::{PASSWORD, account_builder};
use axum::{Router, extract::Request, response::IntoResponse};
use gateway_setup::serve;
use poolgate::gateway::Gateway;
use poolgate_tests::{
    ministack::Ministack,
    proxies::{Behind, Proxy},
    test_pool::PoolOptions,
};
use reqwest::{Client, header};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What reached the application behind nginx: the names and values of its headers.
type Seen = Arc<Mutex<Vec<Vec<(String, String)>>>>;

/// An application that records what it is asked.
async fn application(seen: Seen) -> String {
    let handler = async move |request: Request| {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
        seen.lock().expect("no panic").push(headers.collect());
        "the application".into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
    address.to_string()
}

/// The proxy before a gateway and an application. What differs: the status when the gateway is gone, and whether claim headers are also
/// taken away when they are spelled with underscores.
async fn lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others(
    start: impl AsyncFnOnce(&Behind) -> Proxy,
    without_gateway: u16,
    hides_underscores: bool,
) {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    pool.sign_up_user_in_groups("berta", PASSWORD, &["admins"]).await;
    let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts)).await;
    let seen = Seen::default();
    let application = application(Arc::clone(&seen)).await;
    let proxy = start(&Behind { gateway: gateway.public.trim_start_matches("http://").into(), application }).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let get = |path: &str| http.get(format!("{}{path}", proxy.endpoint));
    let reached = || std::mem::take(&mut *seen.lock().expect("no panic"));
    let anna = pool.sign_in("anna", PASSWORD).await;
    let berta = pool.sign_in("berta", PASSWORD).await;
    reached();

    // Without a token, with a bad one, with an ID token: the application sees nothing, and the challenge reaches the caller.
    let anonymous = get("/orders").send().await.expect("an answer");
    assert_eq!(
        (anonymous.status().as_u16(), &anonymous.headers()[header::WWW_AUTHENTICATE]),
        (401, &"Bearer".parse().expect("a header"))
    );
    for token in ["a.b.c", &anna.id_token, &format!("{}x", anna.access_token)] {
        let refused = get("/orders").bearer_auth(token).header("X-Poolgate-Username", "root").send().await;
        let refused = refused.expect("an answer");
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");
    }
    // However the path is written: where it is not the administrators', the application is not to take it for that.
    for path in
        ["/admin/users", "/admin/", "/./admin/x", "//admin/x", "/%61dmin/x", "/x/../admin/x", "/admin/x?group=readers"]
    {
        let forbidden = raw_get(&proxy.endpoint, path, &anna.access_token).await;
        assert!([400, 403].contains(&forbidden), "{path}: {forbidden}");
    }
    assert_eq!(reached(), Vec::<Vec<_>>::new(), "a refused request reached the application");

    // With a good one: the claims are the token's, whatever the caller has put there.
    let forged = get("/orders?page=2&group=x").bearer_auth(&anna.access_token).header("X-Poolgate-Username", "root");
    let forged = forged.header("X-Poolgate-Groups", "admins").header("x-poolgate-client-id", "forged");
    let forged = forged.header("X_Poolgate_Username", "root").header("x-poolgate_username", "root");
    let answer = forged.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", proxy.said());
    assert_eq!(answer.text().await.expect("text"), "the application");
    let [headers] = <[_; 1]>::try_from(reached()).expect("one request");
    let values = |name: &str| -> Vec<&str> {
        headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(values("x-poolgate-username"), ["anna"]);
    assert_eq!(values("x-poolgate-groups"), ["readers"]);
    assert_eq!(values("x-poolgate-client-id"), [pool.client_id.as_str()]);
    // Some applications take these names for those with hyphens.
    let misread =
        headers.iter().any(|(name, _)| name.contains('_') && name.replace('_', "-").starts_with("x-poolgate-"));
    assert_eq!(misread, !hides_underscores, "{headers:?}");
    assert_eq!(values("authorization"), Vec::<&str>::new(), "the token is for the proxy, not for the application");
    let allowed = get("/admin/users").bearer_auth(&berta.access_token).send().await.expect("an answer");
    assert_eq!(allowed.status(), 200);

    // A gateway that is gone opens no door.
    gateway.stop().await;
    reached();
    let refused = get("/orders").bearer_auth(&anna.access_token).send().await.expect("an answer");
    assert_eq!((refused.status().as_u16(), reached().len()), (without_gateway, 0));
}

/// The status of a request whose path is sent as it is.
async fn raw_get(endpoint: &str, target: &str, token: &str) -> u16 {
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("the proxy listens");
    let head =
        format!("GET {target} HTTP/1.1\r\nHost: app\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others() {
    lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others(Proxy::nginx, 503, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others() {
    lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others(Proxy::caddy, 502, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others() {
    lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others(Proxy::traefik, 500, false).await;
}
