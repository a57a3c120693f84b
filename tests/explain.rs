//! The Rust host explains verdicts, and compares ID tokens with the request of a client.

use poolgate::{
    CheckResult, CheckStage, Denial, ErrorCode, FixedClock, IdTokenChecks, Pool, Reason, TokenUseRule, Verifier,
};
use poolgate_core::{Algorithm, Stage};
use poolgate_tests::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID, SUBJECT},
};
use serde_json::json;

async fn verifier() -> Verifier {
    let pool = Pool::user_pool(POOL_ID).token_use(TokenUseRule::AccessOrId).client_ids([CLIENT_ID]).local_keys_only();
    let builder = Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).disable_background_refresh();
    let builder = builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let verifier = builder.build().await.expect("a verifier");
    let keys = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
    verifier.load_key_set(ISSUER, keys, NOW).await.expect("a key set");
    verifier
}

fn denied(reason: Reason) -> Denial {
    Denial { reason, error: ErrorCode::InvalidToken, hint: None, misfit: None }
}

#[test]
fn the_contract_has_the_stages_of_the_core_in_their_order() {
    let names = |stages: &[CheckStage]| stages.iter().map(|stage| stage.name()).collect::<Vec<_>>();
    assert_eq!(names(CheckStage::ALL), Stage::ALL.iter().map(|stage| stage.name()).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_explanation_says_what_was_compared_and_its_debug_output_does_not() {
    let verifier = verifier().await;
    let token = Draft::access(&RSA_2048).claim("client_id", json!("another")).compact();
    let explanation = verifier.explain(&token).await.expect("an explanation");
    assert_eq!((explanation.reason, explanation.is_signature_valid), (Some(Reason::ClientMismatch), true));
    let failed: Vec<_> =
        explanation.checks.iter().filter(|check| matches!(check.result, CheckResult::Failed(_))).collect();
    let [client] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((client.stage, client.found.as_deref()), (CheckStage::Client, Some("\"another\"")));
    assert_eq!(client.accepted, [format!("\"{CLIENT_ID}\"")]);
    assert!(explanation.payload.as_ref().is_some_and(|payload| payload.contains(SUBJECT)));
    let debug = format!("{explanation:?}");
    assert!(!debug.contains("another") && !debug.contains(SUBJECT) && debug.contains("ClientMismatch"), "{debug}");

    let forged = verifier
        .explain(&Draft::access(&OTHER_RSA_2048).with_signature_below(&RSA_2048))
        .await
        .expect("an explanation");
    assert_eq!((forged.reason, forged.is_signature_valid), (Some(Reason::SignatureInvalid), false));
    let too_long = verifier.explain(&"x".repeat(16_385)).await;
    assert_eq!(too_long.map(drop), Err(denied(Reason::TokenTooLarge)));
}

#[tokio::test]
async fn an_explanation_neither_fetches_keys_nor_counts_in_the_metrics() {
    let pool =
        Pool::user_pool(POOL_ID).token_use(TokenUseRule::Access).any_client().jwks_url("http://127.0.0.1:9/keys");
    let builder = Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).disable_background_refresh();
    let builder =
        builder.allow_http_loopback(true).compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let verifier = builder.build().await.expect("a verifier");
    let counts = || {
        let text = verifier.metrics();
        let is_count = |line: &&str| line.starts_with("poolgate_") && line.contains("_total");
        let mut counts: Vec<String> = text.lines().filter(is_count).map(str::to_owned).collect();
        counts.sort_unstable();
        counts
    };
    let before = counts();
    assert!(before.len() > 50, "{before:?}");
    let explanation = verifier.explain(&Draft::access(&RSA_2048).compact()).await.expect("an explanation");
    assert_eq!(explanation.reason, Some(Reason::KeysUnavailable));
    assert_eq!(counts(), before);
    assert!(verifier.key_reports().await.expect("reports").iter().all(|report| report.last_error.is_none()));
}

#[tokio::test]
async fn an_id_token_is_compared_with_the_request_of_the_client() {
    let verifier = verifier().await;
    // OpenID Connect Core 1.0, appendix A.3.
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let token =
        Draft::id(&RSA_2048).claim("nonce", json!("n")).claim("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")).compact();
    let checks = IdTokenChecks::new().nonce("n").access_token(access_token);
    assert!(!format!("{checks:?}").contains(access_token));
    let verified = verifier.verify_id_token(&token, &checks).await.expect("a valid token");
    assert_eq!(verified.subject.as_deref(), Some(SUBJECT));
    let other = IdTokenChecks::new().nonce("m").access_token(access_token);
    assert_eq!(verifier.verify_id_token(&token, &other).await, Err(denied(Reason::NonceMismatch)));
    let other = IdTokenChecks::new().access_token("another");
    assert_eq!(verifier.verify_id_token(&token, &other).await, Err(denied(Reason::AccessTokenMismatch)));
    // The checks come after all others, and don't replace one.
    let forged = Draft::id(&OTHER_RSA_2048).claim("nonce", json!("n")).with_signature_below(&RSA_2048);
    let denial = verifier.verify_id_token(&forged, &IdTokenChecks::new().nonce("n")).await;
    assert_eq!(denial, Err(denied(Reason::SignatureInvalid)));
    assert!(verifier.metrics().contains("reason=\"nonce-mismatch\"} 1"), "{}", verifier.metrics());
}
