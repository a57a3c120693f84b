//! Over HTTP: the responses of RFC 6750, anonymous requests, groups and scopes, and the extractor.

use super::scene::{admin, forged, get, token, verifier};
use crate::example_services::{serve, with_reason};
use axum::{Router, routing};
use poolgate::{
    Requirement,
    tower::{AuthLayer, Claims, RequireLayer},
};
use poolgate_tests::minting::SUBJECT;
use serde_json::Value;

const INVALID: &str = "Bearer error=\"invalid_token\"";
const INSUFFICIENT: &str = "Bearer error=\"insufficient_scope\"";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_response_follows_rfc_6750_and_does_not_contain_the_reason() {
    let url = format!("http://{}", serve(with_reason(example_axum::app(verifier().await))).await);
    let (valid, invalid) = (bearer(&token()), bearer(&forged()));
    for (path, sent, status, challenge, problem, denial) in [
        ("/me", &[][..], 401, "Bearer", "token-missing", None),
        ("/me", &["Basic YTpi"], 401, "Bearer", "token-missing", None),
        ("/me", &["Bearer"], 401, INVALID, "token-invalid", Some("token-empty")),
        ("/me", &["Bearer a.b"], 401, INVALID, "token-invalid", Some("token-not-three-parts")),
        ("/me", &[&invalid], 401, INVALID, "token-invalid", Some("signature-invalid")),
        ("/me", &[&valid, &valid], 400, "Bearer error=\"invalid_request\"", "invalid-request", None),
        ("/me", &[&valid, "Basic YTpi"], 400, "Bearer error=\"invalid_request\"", "invalid-request", None),
        ("/admin", &[&valid], 403, INSUFFICIENT, "insufficient-scope", Some("group-missing")),
        ("/admin", &[&invalid], 401, INVALID, "token-invalid", Some("signature-invalid")),
        ("/admin", &[], 401, "Bearer", "token-missing", None),
    ] {
        let response = get(&format!("{url}{path}"), sent).await;
        let actual = (response.status, response.challenge.as_deref(), response.is_stored, response.reason.as_deref());
        // The reason is visible to an outer layer, and not to the client.
        assert_eq!(actual, (status, Some(challenge), false, denial), "{path} {}", sent.len());
        assert_eq!(response.content_type.as_deref(), Some("application/problem+json"));
        assert_eq!(response.problem(), problem);
        assert!(
            denial.is_none_or(|reason| !response.body.contains(reason)),
            "the response contains the reason: {response:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_token_is_accepted_and_the_handler_gets_its_claims() {
    let url = format!("http://{}", serve(example_axum::app(verifier().await)).await);
    let me = get(&format!("{url}/me"), &[&bearer(&token())]).await;
    assert_eq!(me.status, 200);
    let claims: Value = serde_json::from_str(&me.body).expect("JSON");
    assert_eq!((&claims["subject"], &claims["username"]), (&SUBJECT.into(), &"ada".into()));
    assert_eq!(claims["groups"], serde_json::json!(["readers", "writers"]));
    // The scheme is case-insensitive.
    assert_eq!(get(&format!("{url}/admin"), &[&format!("bearer  {}", admin())]).await.status, 200);
    assert_eq!(get(&format!("{url}/health"), &[]).await.body, "well");
}

#[tokio::test(flavor = "multi_thread")]
async fn if_anonymous_requests_are_allowed_an_invalid_token_is_still_rejected() {
    let url = format!("http://{}/", serve(example_axum::app(verifier().await)).await);
    let (valid, invalid) = (bearer(&token()), bearer(&forged()));
    for (sent, status, text) in [
        (&[][..], 200, "Hello, whoever you are!"),
        (&["Basic YTpi"], 200, "Hello, whoever you are!"),
        (&[&valid], 200, "Hello, ada!"),
        (&[&invalid], 401, "token-invalid"),
        (&["Bearer"], 401, "token-invalid"),
        (&[&valid, &valid], 400, "invalid-request"),
    ] {
        let response = get(&url, sent).await;
        assert_eq!(response.status, status, "{response:?}");
        assert!(response.body.contains(text), "{response:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_challenge_names_the_required_scopes() {
    let protected = |requirement: Requirement| {
        Router::new().route("/", routing::get(|| async { "in" })).layer(RequireLayer::new(requirement))
    };
    let new = Requirement::new;
    let router = Router::new()
        .nest("/any", protected(new().any_of_scopes(["orders/admin", "orders/read"])))
        .nest("/all", protected(new().all_of_scopes(["orders/read", "orders/admin"])))
        .nest("/both", protected(new().any_of_groups(["readers"]).all_of_scopes(["orders/write"])))
        .layer(AuthLayer::new(verifier().await));
    let url = format!("http://{}", serve(router).await);
    let sent = [&*bearer(&token())];
    assert_eq!(get(&format!("{url}/any"), &sent).await.status, 200);
    assert_eq!(get(&format!("{url}/both"), &sent).await.status, 200);
    let rejected = get(&format!("{url}/all"), &sent).await;
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"orders/read orders/admin\"";
    assert_eq!((rejected.status, rejected.challenge.as_deref()), (403, Some(challenge)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_auth_layer_every_request_is_rejected() {
    let router = || {
        let require = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
        Router::new()
            .route("/claims", routing::get(async |_: Claims| "in"))
            .route(
                "/perhaps",
                routing::get(async |claims: Option<Claims>| if claims.is_some() { "in" } else { "nobody" }),
            )
            .route("/require", routing::get(async || "in").layer(require))
    };
    let bare = format!("http://{}", serve(router()).await);
    let anonymous = router().layer(AuthLayer::new(verifier().await).allow_anonymous());
    let anonymous = format!("http://{}", serve(anonymous).await);
    let protected = format!("http://{}", serve(router().layer(AuthLayer::new(verifier().await))).await);
    let sent = bearer(&admin());
    for path in ["/claims", "/require"] {
        // The layer, the extractor and the requirement respond in the same way.
        let expected = get(&format!("{protected}{path}"), &[]).await;
        assert_eq!(expected.status, 401);
        assert_eq!(get(&format!("{anonymous}{path}"), &[]).await, expected, "{path}, without a token");
        assert_eq!(get(&format!("{bare}{path}"), &[&sent]).await, expected, "{path}, without a layer");
        assert_eq!(get(&format!("{anonymous}{path}"), &[&sent]).await.body, "in");
    }
    assert_eq!(get(&format!("{bare}/perhaps"), &[&sent]).await.body, "nobody");
    assert_eq!(get(&format!("{anonymous}/perhaps"), &[&sent]).await.body, "in");
}

#[tokio::test(flavor = "multi_thread")]
async fn error_responses_can_be_without_a_body_in_all_layers() {
    let require = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
    let layer = AuthLayer::new(verifier().await).without_body();
    let router = |layer| {
        Router::new()
            .route("/claims", routing::get(async |_: Claims| "in"))
            .route("/admin", routing::get(async || "in").layer(require.clone()))
            .layer(layer)
    };
    let strict = format!("http://{}", serve(router(layer.clone())).await);
    let anonymous = format!("http://{}", serve(router(layer.allow_anonymous())).await);
    let sent = bearer(&token());
    for (url, sent, status) in [
        (format!("{strict}/claims"), &[][..], 401),
        (format!("{anonymous}/claims"), &[], 401),
        (format!("{anonymous}/admin"), &[], 401),
        (format!("{strict}/admin"), &[sent.as_str()], 403),
    ] {
        let response = get(&url, sent).await;
        assert_eq!((response.status, response.body.as_str(), response.content_type), (status, "", None), "{url}");
        assert!(response.challenge.is_some() && !response.is_stored, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claims_are_those_of_the_innermost_layer() {
    // A layer in between removes the token.
    let strip = axum::middleware::map_request(async |mut request: axum::extract::Request| {
        request.headers_mut().remove("authorization");
        request
    });
    let who = async |claims: Option<Claims>| if claims.is_some() { "someone" } else { "nobody" };
    let verifier = verifier().await;
    let router = Router::new()
        .route("/", routing::get(who))
        .layer(AuthLayer::new(verifier.clone()).allow_anonymous())
        .layer(strip)
        .layer(AuthLayer::new(verifier));
    let url = format!("http://{}/", serve(router).await);
    assert_eq!(get(&url, &[&bearer(&token())]).await.body, "nobody");
}
