//! A real nginx that asks `/v1/verify` before it lets a request through (`auth_request`).

mod account_setup;
mod gateway_setup;

use account_setup::{PASSWORD, account_builder};
use axum::{Router, extract::Request, response::IntoResponse};
use gateway_setup::serve;
use poolgate::gateway::Gateway;
use poolgate_tests::{ministack::Ministack, nginx::Nginx, test_pool::PoolOptions};
use reqwest::{Client, header};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

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

/// As the README shows it.
fn configuration(gateway: &str, application: &str) -> String {
    include_str!("nginx/server.conf")
        .replace("GATEWAY", gateway.trim_start_matches("http://"))
        .replace("APPLICATION", application)
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_lets_good_tokens_through_with_claims_that_nobody_can_forge_and_no_others() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    pool.sign_up_user_in_groups("berta", PASSWORD, &["admins"]).await;
    let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts)).await;
    let seen = Seen::default();
    let application = application(Arc::clone(&seen)).await;
    let nginx = Nginx::start(&configuration(&gateway.public, &application)).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let get = |path: &str| http.get(format!("{}{path}", nginx.endpoint));
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
    let forbidden = get("/admin/users").bearer_auth(&anna.access_token).send().await.expect("an answer");
    assert_eq!(forbidden.status(), 403);
    assert_eq!(reached(), Vec::<Vec<_>>::new(), "a refused request reached the application");

    // With a good one: the claims are the token's, whatever the caller has put there.
    let forged = get("/orders").bearer_auth(&anna.access_token).header("X-Poolgate-Username", "root");
    let forged = forged.header("X-Poolgate-Groups", "admins").header("x-poolgate-client-id", "forged");
    let answer = forged.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", nginx.said());
    assert_eq!(answer.text().await.expect("text"), "the application");
    let [headers] = <[_; 1]>::try_from(reached()).expect("one request");
    let values = |name: &str| -> Vec<&str> {
        headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(values("x-poolgate-username"), ["anna"]);
    assert_eq!(values("x-poolgate-groups"), ["readers"]);
    assert_eq!(values("x-poolgate-client-id"), [pool.client_id.as_str()]);
    assert_eq!(values("authorization"), Vec::<&str>::new(), "the token is for nginx, not for the application");
    let allowed = get("/admin/users").bearer_auth(&berta.access_token).send().await.expect("an answer");
    assert_eq!(allowed.status(), 200);

    // A gateway that is gone opens no door.
    gateway.stop().await;
    reached();
    let refused = get("/orders").bearer_auth(&anna.access_token).send().await.expect("an answer");
    assert_eq!((refused.status().as_u16(), reached().len()), (500, 0));
}
