//! The gateway over HTTP, with a Cognito emulator.

mod account_setup;
#[path = "gateway/browsers.rs"]
mod browsers;
#[path = "gateway/deadlines.rs"]
mod deadlines;
mod gateway_setup;
#[path = "gateway/http2.rs"]
mod http2;
#[path = "gateway/load.rs"]
mod load;
#[path = "gateway/operations.rs"]
mod operations;
#[path = "gateway/schema.rs"]
mod schema;
mod scripted_cognito;
#[path = "gateway/verifiers.rs"]
mod verifiers;
#[path = "gateway/verify.rs"]
mod verify;

use account_setup::{PASSWORD, account_builder};
use gateway_setup::{Served, serve};
use poolgate::gateway::Gateway;
use poolgate_tests::{
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

const NEW_PASSWORD: &str = "Better-Horse-8";
/// The codes that ministack sends for a sign-up and for a new password.
const SIGN_UP_CODE: &str = "123456";
const RESET_CODE: &str = "654321";

/// An emulator, a pool in it, and a gateway for the pool.
struct Stage {
    _server: Ministack,
    pool: TestPool,
    gateway: Served,
    http: Client,
}

impl Stage {
    async fn new(state: impl FnOnce(Gateway) -> Gateway) -> Self {
        let server = Ministack::start().await;
        let pool = server.create_pool(PoolOptions::default()).await;
        let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
        let gateway = serve(state(Gateway::new(accounts).rate_limit(None))).await;
        Self::of(server, pool, gateway)
    }

    fn of(server: Ministack, pool: TestPool, gateway: Served) -> Self {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        Self { _server: server, pool, gateway, http: http.expect("an HTTP client") }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.gateway.public))
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).json(&body).send().await.expect("an answer")
    }

    async fn post_as(&self, token: &str, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).bearer_auth(token).json(&body).send().await.expect("an answer")
    }

    /// Creates a confirmed user and returns the user's tokens.
    async fn join(&self, username: &str) -> Value {
        let email = json!({ "email": format!("{username}@example.com") });
        let sign_up = json!({ "username": username, "password": PASSWORD, "attributes": email });
        assert_eq!(self.post("/v1/sign-up", sign_up).await.status(), 200);
        let confirm = json!({ "username": username, "code": SIGN_UP_CODE });
        assert_eq!(self.post("/v1/confirm-sign-up", confirm).await.status(), 204);
        self.sign_in(username, PASSWORD).await
    }

    async fn sign_in(&self, username: &str, password: &str) -> Value {
        let answer = self.post("/v1/sign-in", json!({ "username": username, "password": password })).await;
        assert_eq!(answer.status(), 200);
        let body = body(answer).await;
        assert_eq!(body["status"], "signed-in", "{body}");
        body["tokens"].clone()
    }
}

async fn body(answer: Response) -> Value {
    let bytes = answer.bytes().await.expect("a body");
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Checks that a response has problem details (RFC 9457), and returns them.
async fn problem(answer: Response, status: u16, reason: &str) -> Value {
    assert_eq!(answer.status(), status, "{reason}");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let body = body(answer).await;
    assert_eq!(text(&body, "reason"), reason, "{body}");
    assert_eq!(text(&body, "type"), format!("/problems/{reason}"));
    assert_eq!(body["status"], status);
    assert!(!text(&body, "title").is_empty());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn all_flows_from_sign_up_to_deletion_are_served() {
    let stage = Stage::new(|gateway| gateway).await;
    let email = json!({ "email": "anna@example.com" });
    let sign_up = json!({ "username": "anna", "password": PASSWORD, "attributes": email });
    let answer = stage.post("/v1/sign-up", sign_up).await;
    assert_eq!(body(answer).await, json!({ "delivery": { "medium": "email", "destination": "a***@e***" } }));
    let answer = stage.post("/v1/resend-code", json!({ "username": "anna" })).await;
    assert_eq!(body(answer).await, json!({ "delivery": { "medium": "on-file", "destination": null } }));
    let wrong = stage.post("/v1/confirm-sign-up", json!({ "username": "anna", "code": "000000" })).await;
    problem(wrong, 400, "invalid-code").await;
    let right = stage.post("/v1/confirm-sign-up", json!({ "username": "anna", "code": SIGN_UP_CODE })).await;
    assert_eq!(right.status(), 204);
    let wrong = stage.post("/v1/sign-in", json!({ "username": "anna", "password": "Wrong-Horse-7" })).await;
    assert_eq!(wrong.headers()[header::WWW_AUTHENTICATE], "Bearer");
    problem(wrong, 401, "invalid-credentials").await;
    let srp = json!({ "username": "anna", "password": PASSWORD, "method": "srp" });
    let tokens = body(stage.post("/v1/sign-in", srp).await).await["tokens"].clone();
    let access = text(&tokens, "access_token");
    assert_eq!(text(&tokens, "token_type"), "Bearer");

    let answer = stage.request(Method::GET, "/v1/user").bearer_auth(access).send().await.expect("an answer");
    let user = body(answer).await;
    assert_eq!((&user["username"], &user["attributes"]["email"]), (&json!("anna"), &json!("anna@example.com")));
    let patch = stage.request(Method::PATCH, "/v1/user").bearer_auth(access);
    let answer = patch.json(&json!({ "attributes": { "name": "Anna Livia" } })).send().await.expect("an answer");
    assert_eq!(body(answer).await, json!({ "deliveries": [] }));
    let change = json!({ "previous": PASSWORD, "proposed": NEW_PASSWORD });
    assert_eq!(stage.post_as(access, "/v1/change-password", change).await.status(), 204);

    let answer = stage.post("/v1/forgot-password", json!({ "username": "anna" })).await;
    assert_eq!(answer.status(), 200);
    let set = json!({ "username": "anna", "code": RESET_CODE, "password": PASSWORD });
    assert_eq!(stage.post("/v1/confirm-forgot-password", set).await.status(), 204);

    let tokens = stage.sign_in("anna", PASSWORD).await;
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let refreshed = body(stage.post("/v1/refresh", refresh).await).await;
    assert!(!text(&refreshed, "access_token").is_empty(), "{refreshed}");
    let latest = refreshed["refresh_token"].as_str().unwrap_or(text(&tokens, "refresh_token"));
    assert_eq!(stage.post("/v1/revoke-token", json!({ "refresh_token": latest })).await.status(), 204);
    problem(stage.post("/v1/refresh", json!({ "refresh_token": latest })).await, 401, "token-invalid").await;

    let tokens = stage.sign_in("anna", PASSWORD).await;
    let signed_out = stage.request(Method::POST, "/v1/sign-out").bearer_auth(text(&tokens, "access_token"));
    assert_eq!(signed_out.send().await.expect("an answer").status(), 204);
    let tokens = stage.sign_in("anna", PASSWORD).await;
    let deleted = stage.request(Method::DELETE, "/v1/user").bearer_auth(text(&tokens, "access_token"));
    assert_eq!(deleted.send().await.expect("an answer").status(), 204);
    let gone = stage.post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD })).await;
    problem(gone, 401, "invalid-credentials").await;
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn challenges_are_answered() {
    let stage = Stage::new(|gateway| gateway).await;
    let temporary = json!({ "Username": "anna", "TemporaryPassword": PASSWORD, "MessageAction": "SUPPRESS" });
    stage.pool.administer("AdminCreateUser", temporary).await;
    let answer = stage.post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD })).await;
    let challenged = body(answer).await;
    assert_eq!(challenged["status"], "challenged");
    let challenge = &challenged["challenge"];
    assert_eq!(challenge["name"], "new-password-required");
    let new = json!({ "challenge": "new-password-required", "password": NEW_PASSWORD });
    let answer = json!({ "username": challenge["username"], "session": challenge["session"], "answer": new });
    let signed_in = body(stage.post("/v1/answer-challenge", answer).await).await;
    assert_eq!(signed_in["status"], "signed-in", "{signed_in}");
    let access = text(&signed_in["tokens"], "access_token");
    // The code of another authenticator app is rejected.
    let secret = body(stage.post_as(access, "/v1/totp/associate", json!({})).await).await;
    assert!(text(&secret, "secret_code").len() >= 16);
    let malformed = stage.post_as(access, "/v1/totp/verify", json!({ "code": "12345x" })).await;
    problem(malformed, 400, "invalid-request").await;
    let contrary = json!({ "sms": { "enabled": false, "preferred": true } });
    let put = stage.request(Method::PUT, "/v1/mfa-preference").bearer_auth(access).json(&contrary);
    let details = problem(put.send().await.expect("an answer"), 400, "invalid-request").await;
    assert_eq!(details["detail"], "mfa: a preferred factor must be enabled");
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_requests_get_problem_details_that_do_not_repeat_the_input() {
    const SECRET: &str = "s3cret-and-not-to-be-repeated";
    let stage = Stage::new(|gateway| gateway.body_limit(1_024)).await;
    let send = async |path: &str, content_type: &str, body: String| {
        let request = stage.request(Method::POST, path).header(header::CONTENT_TYPE, content_type).body(body);
        request.send().await.expect("an answer")
    };
    let json_type = "application/json";
    for (content_type, body, status) in [
        (json_type, format!("{{\"username\": \"{SECRET}"), 400),
        (json_type, format!("[\"{SECRET}\"]"), 400),
        (json_type, format!("{{\"username\": \"anna\", \"{SECRET}\": 1}}"), 400),
        (json_type, format!("{{\"username\": {{\"{SECRET}\": 1}}}}"), 400),
        (json_type, format!("{{\"username\": \"a {SECRET}\"}}"), 400),
        (json_type, format!("{{\"username\": \"{}\"}}", SECRET.repeat(50)), 413),
        ("text/plain", format!("{{\"username\": \"{SECRET}\"}}"), 415),
    ] {
        let details = problem(send("/v1/forgot-password", content_type, body.clone()).await, status, "invalid-request");
        assert!(!details.await.to_string().contains(SECRET), "{body}");
    }
    let long = json!({ "username": "a".repeat(129), "password": PASSWORD });
    let details = problem(stage.post("/v1/sign-in", long).await, 400, "invalid-request").await;
    assert_eq!(details["detail"], "username: must have at most 128 characters");
    problem(stage.post("/v1/nothing", json!({})).await, 404, "invalid-request").await;
    let get = stage.request(Method::GET, "/v1/sign-in").send().await.expect("an answer");
    assert!(get.headers().contains_key(header::ALLOW), "RFC 9110 section 15.5.6");
    problem(get, 405, "invalid-request").await;
    let anonymous = stage.request(Method::GET, "/v1/user").send().await.expect("an answer");
    assert_eq!(anonymous.headers()[header::WWW_AUTHENTICATE], "Bearer");
    problem(anonymous, 401, "token-missing").await;
    let forged = stage.request(Method::GET, "/v1/user").bearer_auth("a.b.c").send().await.expect("an answer");
    assert_eq!(forged.headers()[header::WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");
    problem(forged, 401, "token-invalid").await;
    let page = stage.request(Method::GET, "/problems/invalid-code").send().await.expect("an answer");
    assert_eq!(page.status(), StatusCode::OK);
    stage.gateway.stop().await;
}
