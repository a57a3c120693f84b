//! In gRPC: the same refusals as statuses.

use super::scene::{admin, forged, token, verifier, without_keys};
use crate::example_services::{call, channel, serve};
use example_tonic::generated::{accounts_client::AccountsClient, office_client::OfficeClient};
use poolgate_tests::minting::SUBJECT;
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
        let refused = accounts.who_am_i(call(&sent)).await.expect_err("it is refused");
        assert_eq!((refused.code(), refused.message()), (code, message));
        assert_eq!(refused.metadata().get("www-authenticate").expect("a challenge"), challenge);
    }
    let caller = accounts.who_am_i(call(&[bearer(&token())])).await.expect("it passes").into_inner();
    assert_eq!(
        (caller.subject.as_str(), caller.groups.as_slice()),
        (SUBJECT, &["readers".into(), "writers".into()][..])
    );

    let mut office = OfficeClient::new(channel);
    let refused = office.enter(call(&[bearer(&token())])).await.expect_err("no administrator");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let entered = office.enter(call(&[bearer(&admin())])).await.expect("an administrator").into_inner();
    assert_eq!(entered.groups, ["admins"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_call_is_unavailable() {
    let refused = AccountsClient::new(channel(without_keys().await).await).who_am_i(call(&[bearer(&token())])).await;
    assert_eq!(refused.expect_err("it is not judged").code(), Code::Unavailable);
}

/// gRPC over HTTP/2, "Responses": Trailers-Only is one block of headers that ends the stream, with HTTP status 200.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_trailers_only() {
    let address = serve(example_axum::app(verifier().await)).await;
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
