//! Error responses to gRPC calls.

use super::scene::{admin, forged, token, verifier, without_keys};
use crate::example_services::{call, channel, serve};
use axum::{Router, routing::any};
use example_tonic::generated::{accounts_client::AccountsClient, office_client::OfficeClient};
use poolgate::{
    Requirement, Verifier,
    tower::{AuthLayer, Claims, RequireLayer},
};
use poolgate_tests::minting::SUBJECT;
use reqwest::Method;
use tonic::Code;

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_call_gets_a_grpc_status() {
    let channel = channel(verifier().await).await;
    let mut accounts = AccountsClient::new(channel.clone());
    for (sent, code, message, challenge) in [
        (vec![], Code::Unauthenticated, "There is no access token.", "Bearer"),
        (vec!["Basic YTpi".into()], Code::Unauthenticated, "There is no access token.", "Bearer"),
        (
            vec![bearer(&forged())],
            Code::Unauthenticated,
            "The access or refresh token is invalid, has expired, or was revoked.",
            "Bearer error=\"invalid_token\"",
        ),
        (
            vec![bearer(&token()), bearer(&token())],
            Code::InvalidArgument,
            "there is more than one Authorization header",
            "Bearer error=\"invalid_request\"",
        ),
    ] {
        let error = accounts.who_am_i(call(&sent)).await.expect_err("it is rejected");
        assert_eq!((error.code(), error.message()), (code, message));
        assert_eq!(error.metadata().get("www-authenticate").expect("a challenge"), challenge);
    }
    let caller = accounts.who_am_i(call(&[bearer(&token())])).await.expect("it is accepted").into_inner();
    assert_eq!(
        (caller.subject.as_str(), caller.groups.as_slice()),
        (SUBJECT, &["readers".into(), "writers".into()][..])
    );

    let mut office = OfficeClient::new(channel);
    let error = office.enter(call(&[bearer(&token())])).await.expect_err("not an administrator");
    assert_eq!(error.code(), Code::PermissionDenied);
    let entered = office.enter(call(&[bearer(&admin())])).await.expect("an administrator").into_inner();
    assert_eq!(entered.groups, ["admins"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_call_is_unavailable() {
    let error = AccountsClient::new(channel(without_keys().await).await).who_am_i(call(&[bearer(&token())])).await;
    assert_eq!(error.expect_err("the token is not verified").code(), Code::Unavailable);
}

/// Routes behind an `AuthLayer`, behind a `RequireLayer`, and with an extractor where anonymous requests are allowed.
fn router(verifier: Verifier, layer: impl Fn(AuthLayer) -> AuthLayer) -> Router {
    let admins = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
    let anonymous = Router::new()
        .route("/claims", any(async |_: Claims| "in"))
        .route("/anonymous-admin", any(async || "in").layer(admins.clone()))
        .layer(layer(AuthLayer::new(verifier.clone()).allow_anonymous()));
    Router::new()
        .route("/me", any(async || "in"))
        .route("/admin", any(async || "in").layer(admins.clone()))
        .layer(layer(AuthLayer::new(verifier)))
        .merge(anonymous)
        .route("/bare", any(async || "in").layer(admins))
}

/// A client can set any content type. If a rejection had HTTP status 200, a proxy that reads the HTTP status would accept the request.
#[tokio::test(flavor = "multi_thread")]
async fn a_content_type_does_not_turn_a_rejection_into_http_status_200() {
    let http_1 = || reqwest::Client::builder().http1_only();
    let http_2 = || reqwest::Client::builder().http2_prior_knowledge();
    let verifier = verifier().await;
    let plain = serve(router(verifier.clone(), |layer| layer)).await;
    let grpc = serve(router(verifier, AuthLayer::grpc)).await;
    let no_administrator = bearer(&token());
    for (address, client, method, speaks_grpc) in [
        (&plain, http_1(), Method::GET, false),
        (&plain, http_1(), Method::POST, false),
        (&plain, http_2(), Method::POST, false),
        (&grpc, http_1(), Method::GET, false),
        (&grpc, http_1(), Method::POST, false),
        (&grpc, http_2(), Method::GET, false),
        (&grpc, http_2(), Method::PUT, false),
        (&grpc, http_2(), Method::POST, true),
    ] {
        let client = client.no_proxy().build().expect("an HTTP client");
        for (path, sent, status, code, is_guarded) in [
            ("/me", None, 401, "16", true),
            ("/me", Some("Bearer a.b.c"), 401, "16", true),
            ("/admin", Some(&*no_administrator), 403, "7", true),
            ("/claims", None, 401, "16", true),
            ("/anonymous-admin", None, 401, "16", true),
            // No layer is configured for gRPC here.
            ("/bare", Some(&*no_administrator), 401, "16", false),
        ] {
            let speaks_grpc = speaks_grpc && is_guarded;
            let mut request = client.request(method.clone(), format!("http://{address}{path}"));
            request = request.header("content-type", "application/grpc");
            if let Some(sent) = sent {
                request = request.header("authorization", sent);
            }
            let answer = request.send().await.expect("an answer");
            let actual = (answer.status().as_u16(), answer.headers().get("grpc-status").map(|code| code.as_bytes()));
            let expected = if speaks_grpc { (200, Some(code.as_bytes())) } else { (status, None) };
            assert_eq!(actual, expected, "{method} {path} {:?}, in gRPC: {speaks_grpc}", answer.version());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_require_layer_without_an_auth_layer_responds_in_grpc_if_it_is_configured_to() {
    let admins = RequireLayer::new(Requirement::new().any_of_groups(["admins"])).grpc();
    let address = serve(Router::new().route("/", any(async || "in").layer(admins))).await;
    let http = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("an HTTP client");
    let ask = async |content_type: &str| {
        let request = http.post(format!("http://{address}/")).header("content-type", content_type);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.headers().get("grpc-status").map(|code| code.as_bytes().to_vec()))
    };
    assert_eq!(ask("application/grpc").await, (200, Some(b"16".to_vec())));
    assert_eq!(ask("application/json").await, (401, None));
}

/// gRPC over HTTP/2, "Responses": Trailers-Only is one block of headers that ends the stream, with HTTP status 200.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_response_is_trailers_only() {
    let address = serve(router(verifier().await, AuthLayer::grpc)).await;
    let http = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("an HTTP client");
    let request = http.post(format!("http://{address}/me")).header("content-type", "application/grpc+proto");
    let response = request.send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["grpc-status"]),
        (200, &"16".parse().expect("a header"))
    );
    assert_eq!(response.headers()["content-type"], "application/grpc");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.bytes().await.expect("no body").len(), 0);
}
