//! Browser applications: the cookie that scripts cannot read, and cross-origin scripts.

use super::{
    PASSWORD, Stage,
    account_setup::account_builder,
    body,
    gateway_setup::serve,
    problem,
    scripted_cognito::{Reply, ScriptedCognito},
    text,
};
use poolgate::gateway::{Gateway, RefreshCookie, SameSite};
use poolgate_tests::{ministack::Ministack, test_pool::PoolOptions};
use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::{Value, json};
use std::time::Duration;

const APPLICATION: &str = "https://app.example.com";

fn cookie(answer: &Response) -> String {
    answer.headers()[header::SET_COOKIE].to_str().expect("ASCII").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_can_be_stored_in_a_cookie_that_scripts_cannot_read_and_other_hosts_cannot_set() {
    let stage = Stage::new(|gateway| gateway.refresh_cookie(RefreshCookie::default())).await;
    stage.join("anna").await;
    let answer = stage.post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD })).await;
    let set = cookie(&answer);
    assert!(set.starts_with("__Host-poolgate-refresh="), "the name that no sibling domain can set");
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/;", "Max-Age=2592000"] {
        assert!(set.contains(attribute), "{attribute}");
    }
    assert!(!set.contains("Domain"), "browsers would reject the name");
    assert_eq!(body(answer).await["tokens"]["refresh_token"], Value::Null, "the cookie alone has it");

    let pair = set.split(';').next().expect("a pair");
    let refresh = |cookies: &str| {
        let request = stage.request(Method::POST, "/v1/refresh").json(&json!({}));
        request.header(header::COOKIE, cookies).send()
    };
    let answer = refresh(pair).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let refreshed = body(answer).await;
    assert_eq!(refreshed["refresh_token"], Value::Null);
    // Of two cookies, one may come from a sibling domain, in either position.
    for two in [format!("{pair}; __Host-poolgate-refresh=x"), format!("__Host-poolgate-refresh=x; {pair}")] {
        let rejected = problem(refresh(&two).await.expect("an answer"), 400, "invalid-request").await;
        assert!(text(&rejected, "detail").contains("two cookies"), "{rejected}");
    }
    // To a browser, these names have no prefix `__Host-`, so a sibling domain can set them.
    let planted = "\u{2003}__Host-poolgate-refresh=x; __Host-poolgate-refresh\u{a0}=x";
    problem(refresh(planted).await.expect("an answer"), 400, "invalid-request").await;
    assert_eq!(refresh(&format!("{planted}; {pair}")).await.expect("an answer").status(), 200);
    // A refresh token in the body is ignored.
    let token = pair.split_once('=').expect("a value").1;
    let rejected = stage.post("/v1/refresh", json!({ "refresh_token": token })).await;
    problem(rejected, 400, "invalid-request").await;
    let sign_out = stage.request(Method::POST, "/v1/sign-out").bearer_auth(text(&refreshed, "access_token"));
    assert!(cookie(&sign_out.send().await.expect("an answer")).contains("Max-Age=0"));
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_deleted_with_the_session_also_if_cognito_rejects_the_revocation() {
    const NAME: &str = "__Host-poolgate-refresh";
    let script = |operation: &str, request: &Value| match (operation, request["Token"].as_str()) {
        ("RevokeToken", Some("of-another-client")) => Reply::Exception("UnauthorizedException"),
        ("RevokeToken", Some("cannot-be-revoked")) => Reply::Exception("UnsupportedOperationException"),
        ("RevokeToken", Some("too-often")) => Reply::Exception("TooManyRequestsException"),
        ("RevokeToken", Some("failing")) => Reply::Exception("InternalErrorException"),
        _ => Reply::Pass,
    };
    let server = Ministack::start().await;
    let cognito = ScriptedCognito::start(server.endpoint(), script).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = account_builder(&cognito.endpoint, &pool).await.build().await.expect("the accounts build");
    let gateway = Gateway::new(accounts).rate_limit(None).refresh_cookie(RefreshCookie::default());
    let stage = Stage::of(server, pool, serve(gateway).await);
    let revoke = |token: &str| {
        let request = stage.request(Method::POST, "/v1/revoke-token").json(&json!({}));
        request.header(header::COOKIE, format!("{NAME}={token}")).send()
    };
    for token in ["of-another-client", "cannot-be-revoked"] {
        let rejected = revoke(token).await.expect("an answer");
        assert!(rejected.status().as_u16() >= 400, "{token}: {}", rejected.status());
        assert!(!rejected.headers().contains_key(header::RETRY_AFTER), "{token}");
        assert!(cookie(&rejected).starts_with(&format!("{NAME}=;")), "{token}: {}", cookie(&rejected));
        assert!(cookie(&rejected).contains("Max-Age=0"), "{token}");
    }
    for (token, status) in [("too-often", 429), ("failing", 503)] {
        let failed = revoke(token).await.expect("an answer");
        assert_eq!(failed.status(), status, "{token}");
        assert!(failed.headers().contains_key(header::RETRY_AFTER), "{token}");
        assert!(!failed.headers().contains_key(header::SET_COOKIE), "the browser needs it to try again");
    }

    let tokens = stage.join("anna").await;
    let delete = stage.request(Method::DELETE, "/v1/user").bearer_auth(text(&tokens, "access_token"));
    let deleted = delete.send().await.expect("an answer");
    assert_eq!(deleted.status(), 204);
    assert!(cookie(&deleted).contains("Max-Age=0"));
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_can_have_the_path_that_the_browser_sees_behind_a_prefix() {
    let configured = RefreshCookie::default().path("/auth").expect("a path").domain("example.com").expect("a domain");
    let configured = configured.same_site(SameSite::Lax).max_age(Duration::from_secs(7_200)).expect("two hours");
    let stage = Stage::new(|gateway| gateway.refresh_cookie(configured)).await;
    stage.join("anna").await;
    let answer = stage.post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD })).await;
    let set = cookie(&answer);
    assert!(set.starts_with("__Secure-poolgate-refresh="), "browsers reject __Host- with a domain or a path");
    assert!(set.ends_with("SameSite=Lax; Secure; Path=/auth; Domain=example.com; Max-Age=7200"));
    stage.gateway.stop().await;
}

fn from(origin: &'static str, request: RequestBuilder) -> RequestBuilder {
    request.header(header::ORIGIN, origin)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_scripts_of_configured_origins_can_use_the_flows() {
    let allow = |gateway: Gateway| gateway.cors_origins([APPLICATION]).expect("an origin");
    let stage = Stage::new(allow).await;
    let preflight = |origin, path| {
        let request = from(origin, stage.request(Method::OPTIONS, path));
        let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        request.header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type").send()
    };
    let answer = preflight(APPLICATION, "/v1/sign-in").await.expect("an answer");
    assert_eq!(answer.status(), 204);
    let header = |name| answer.headers()[name].to_str().expect("ASCII").to_owned();
    assert_eq!(header(header::ACCESS_CONTROL_ALLOW_ORIGIN), APPLICATION);
    assert_eq!(header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "true");
    assert!(header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("PATCH"));
    assert_eq!(header(header::ACCESS_CONTROL_ALLOW_HEADERS), "authorization, content-type");
    assert_eq!(header(header::VARY), "origin");

    // The script can also read errors.
    let sign_in = json!({ "username": "anna", "password": PASSWORD });
    for origin in [APPLICATION, "https://app.example.com.evil.example", "https://APP.example.com", "null"] {
        let answer = from(origin, stage.request(Method::POST, "/v1/sign-in").json(&sign_in)).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[header::VARY]),
            (401, &"origin".parse().expect("a value"))
        );
        let allowed =
            answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().expect("ASCII"));
        assert_eq!(allowed, (origin == APPLICATION).then_some(APPLICATION), "{origin}");
        problem(answer, 401, "invalid-credentials").await;
    }
    let rejected = preflight("https://other.example.com", "/v1/sign-in").await.expect("an answer");
    assert!(!rejected.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    assert_eq!(rejected.status(), 405);
    // In an authorization check, the preflight is the application's. The gateway allows or rejects it, and does not respond to the preflight.
    let asked = preflight(APPLICATION, "/v1/ext-authz/orders").await.expect("an answer");
    assert_eq!(asked.status(), 401);
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_configured_origins_responses_have_no_cors_headers() {
    let stage = Stage::new(|gateway| gateway).await;
    let answer = from(APPLICATION, stage.request(Method::GET, "/v1/user")).send().await.expect("an answer");
    for name in [header::VARY, header::ACCESS_CONTROL_ALLOW_ORIGIN, header::ACCESS_CONTROL_ALLOW_CREDENTIALS] {
        assert!(!answer.headers().contains_key(&name), "{name}");
    }
    stage.gateway.stop().await;
}
