//! What a gate is built from: a valid configuration, or a clear error.

use super::scene::{builder, configuration, gate, get, verdict};
use poolgate::{BuildError, Decision, Gate, RequestHead};
use poolgate_tests::{keys::RSA_2048, minting::Draft};
use serde_json::json;

async fn error(configuration: &serde_json::Value) -> BuildError {
    match builder(configuration).build().await {
        Ok(_) => panic!("accepted: {configuration}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn an_invalid_configuration_is_an_error_that_names_its_position() {
    let mut unknown = configuration();
    unknown["routes"][1]["publik"] = json!(true);
    let text = error(&unknown).await.to_string();
    assert!(text.contains("routes[1]") && text.contains("did you mean \"public\"?"), "{text}");
    let mut version = configuration();
    version["version"] = json!(2);
    assert!(matches!(error(&version).await, BuildError::Gate(problem) if problem.at == "version"));
    let no_json = Gate::builder("{").build().await;
    assert!(matches!(no_json, Err(BuildError::Gate(problem)) if problem.at.is_empty()));
    let mut plain = configuration();
    plain["pools"][0]["keys"] = json!({"cluster": "keys", "url": "http://keys.example.com/jwks.json"});
    assert!(matches!(error(&plain).await, BuildError::KeyUrl(_)));
    // A verifier's component has no gate.
    let other = builder(&configuration()).component(poolgate_artifacts::TOKEN_VERIFIER_WIDE).build().await;
    assert!(matches!(other, Err(BuildError::Sandbox(_))), "{:?}", other.err());
}

#[tokio::test]
async fn warnings_are_returned_and_an_effect_of_envoy_only_is_one() {
    let mut configuration = configuration();
    configuration["claims_to_filter_state"] = json!([{"claim": "sub", "name": "user"}]);
    configuration["routes"].as_array_mut().expect("a list").push(json!({"path": "/public/x", "authenticated": true}));
    let gate = gate(&configuration).await;
    let all: Vec<String> = gate.warnings().iter().map(ToString::to_string).collect();
    assert!(all.iter().any(|warning| warning.starts_with("claims_to_filter_state: ")), "{all:?}");
    assert!(all.iter().any(|warning| warning.starts_with("routes[9]: never matches")), "{all:?}");
    assert_eq!(
        (gate.claim_headers(), gate.forwards_tokens()),
        (["x-user", "x-groups"].map(String::from).to_vec(), true)
    );
}

#[tokio::test]
async fn a_head_that_would_not_fit_is_rejected_before_the_sandbox() {
    let gate = gate(&configuration()).await;
    let long = RequestHead::new("GET", "/any").header("x", vec![b'a'; 1 << 20]);
    let Decision::Reject(rejection) = gate.decide(&long).await else { panic!("it is too long") };
    assert_eq!((rejection.status, rejection.reason.as_str()), (431, "head-too-large"));
    let many =
        (0..10_000).fold(RequestHead::new("GET", "/any").authority("app.example.com"), |head, _| head.header("x", "y"));
    assert_eq!(verdict(&gate.decide(&many).await), "401 no-token");
    assert_eq!(verdict(&gate.decide(&get("/any", &Draft::access(&RSA_2048))).await), "verified");
    assert_eq!(gate.verifier().sandbox_failures(), 0);
}

#[tokio::test]
async fn nothing_that_debug_shows_is_a_secret() {
    let gate = gate(&configuration()).await;
    let token = Draft::access(&RSA_2048).compact();
    let head = RequestHead::new("GET", format!("/any?t={token}"))
        .header("authorization", format!("Bearer {token}"))
        .header("cookie", "session=secret");
    let decision = gate.decide(&head).await;
    let text = format!("{head:?} {decision:?} {gate:?}");
    assert!(!text.contains(&token) && !text.contains("secret") && !text.contains("ada"), "{text}");
}
