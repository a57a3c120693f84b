//! Over HTTP: the answers of RFC 6750, anonymous callers, groups and scopes, the extractor.

use super::scene::{admin, forged, get, token, verifier};
use crate::example_services::{serve, telling};
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
async fn every_refusal_is_as_rfc_6750_says_and_does_not_say_why() {
    let url = format!("http://{}", serve(telling(example_axum::app(verifier().await))).await);
    let (good, bad) = (bearer(&token()), bearer(&forged()));
    for (path, sent, status, challenge, problem, denial) in [
        ("/me", &[][..], 401, "Bearer", "token-missing", None),
        ("/me", &["Basic YTpi"], 401, "Bearer", "token-missing", None),
        ("/me", &["Bearer"], 401, INVALID, "token-invalid", Some("token-empty")),
        ("/me", &["Bearer a.b"], 401, INVALID, "token-invalid", Some("token-not-three-parts")),
        ("/me", &[&bad], 401, INVALID, "token-invalid", Some("signature-invalid")),
        ("/me", &[&good, &good], 400, "Bearer error=\"invalid_request\"", "invalid-request", None),
        ("/me", &[&good, "Basic YTpi"], 400, "Bearer error=\"invalid_request\"", "invalid-request", None),
        ("/admin", &[&good], 403, INSUFFICIENT, "insufficient-scope", Some("group-missing")),
        ("/admin", &[&bad], 401, INVALID, "token-invalid", Some("signature-invalid")),
        ("/admin", &[], 401, "Bearer", "token-missing", None),
    ] {
        let answer = get(&format!("{url}{path}"), sent).await;
        let came = (answer.status, answer.challenge.as_deref(), answer.is_stored, answer.reason.as_deref());
        // The last of them is what a layer further out sees, and no caller.
        assert_eq!(came, (status, Some(challenge), false, denial), "{path} {}", sent.len());
        assert_eq!(answer.content_type.as_deref(), Some("application/problem+json"));
        assert_eq!(answer.problem(), problem);
        assert!(denial.is_none_or(|reason| !answer.body.contains(reason)), "the caller is told why: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_passes_with_its_claims() {
    let url = format!("http://{}", serve(example_axum::app(verifier().await)).await);
    let me = get(&format!("{url}/me"), &[&bearer(&token())]).await;
    assert_eq!(me.status, 200);
    let claims: Value = serde_json::from_str(&me.body).expect("JSON");
    assert_eq!((&claims["subject"], &claims["username"]), (&SUBJECT.into(), &"ada".into()));
    assert_eq!(claims["groups"], serde_json::json!(["readers", "writers"]));
    // A scheme has no case.
    assert_eq!(get(&format!("{url}/admin"), &[&format!("bearer  {}", admin())]).await.status, 200);
    assert_eq!(get(&format!("{url}/health"), &[]).await.body, "well");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_anonymous_callers_are_allowed_a_bad_token_is_still_refused() {
    let url = format!("http://{}/", serve(example_axum::app(verifier().await)).await);
    let (good, bad) = (bearer(&token()), bearer(&forged()));
    for (sent, status, said) in [
        (&[][..], 200, "Hello, whoever you are!"),
        (&["Basic YTpi"], 200, "Hello, whoever you are!"),
        (&[&good], 200, "Hello, ada!"),
        (&[&bad], 401, "token-invalid"),
        (&["Bearer"], 401, "token-invalid"),
        (&[&good, &good], 400, "invalid-request"),
    ] {
        let answer = get(&url, sent).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(said), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_are_asked_for_by_name() {
    let guarded = |requirement: Requirement| {
        Router::new().route("/", routing::get(|| async { "in" })).layer(RequireLayer::new(requirement))
    };
    let new = Requirement::new;
    let router = Router::new()
        .nest("/any", guarded(new().any_of_scopes(["orders/admin", "orders/read"])))
        .nest("/all", guarded(new().all_of_scopes(["orders/read", "orders/admin"])))
        .nest("/both", guarded(new().any_of_groups(["readers"]).all_of_scopes(["orders/write"])))
        .layer(AuthLayer::new(verifier().await));
    let url = format!("http://{}", serve(router).await);
    let sent = [&*bearer(&token())];
    assert_eq!(get(&format!("{url}/any"), &sent).await.status, 200);
    assert_eq!(get(&format!("{url}/both"), &sent).await.status, 200);
    let refused = get(&format!("{url}/all"), &sent).await;
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"orders/read orders/admin\"";
    assert_eq!((refused.status, refused.challenge.as_deref()), (403, Some(challenge)));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_layer_verifies_nobody_is_let_in() {
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
    let guarded = format!("http://{}", serve(router().layer(AuthLayer::new(verifier().await))).await);
    let sent = bearer(&admin());
    for path in ["/claims", "/require"] {
        // The layer's own answer, the extractor's and the requirement's are one.
        let expected = get(&format!("{guarded}{path}"), &[]).await;
        assert_eq!(expected.status, 401);
        assert_eq!(get(&format!("{anonymous}{path}"), &[]).await, expected, "{path}, without a token");
        assert_eq!(get(&format!("{bare}{path}"), &[&sent]).await, expected, "{path}, without a layer");
        assert_eq!(get(&format!("{anonymous}{path}"), &[&sent]).await.body, "in");
    }
    assert_eq!(get(&format!("{bare}/perhaps"), &[&sent]).await.body, "nobody");
    assert_eq!(get(&format!("{anonymous}/perhaps"), &[&sent]).await.body, "in");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_can_be_without_a_body_here_and_further_in() {
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
        let answer = get(&url, sent).await;
        assert_eq!((answer.status, answer.body.as_str(), answer.content_type), (status, "", None), "{url}");
        assert!(answer.challenge.is_some() && !answer.is_stored, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claims_are_those_of_the_nearest_layer() {
    // Something between the layers takes the token away.
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
