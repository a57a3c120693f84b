//! `poolgate verify --explain`: each check with what was compared, and nothing of it without the option.

use super::{Run, Workbench, expired_token, valid_token};
use poolgate_core::{Algorithm, Stage};
use poolgate_tests::{
    corpus::load_balancers::{self, ARN, OTHER_ARN, draft, padded},
    keys::{OTHER_RSA_2048, P256, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID, SUBJECT},
};
use serde_json::{Value, json};

/// Whether only some tokens have this check.
fn is_optional(stage: Stage) -> bool {
    matches!(stage, Stage::ClaimRule | Stage::Signer | Stage::HeaderCopies)
}

/// The check of a stage.
fn check<'r>(explanation: &'r Value, stage: &str) -> &'r Value {
    let checks = explanation["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["stage"] == stage).unwrap_or_else(|| panic!("no check {stage}: {explanation}"))
}

fn explained(bench: &Workbench, token: &str) -> (Run, Value) {
    let run = bench.verify(&["--explain", "--json", token]);
    let explanation = run.json()["explanation"].clone();
    (run, explanation)
}

#[test]
fn a_verdict_is_explained_check_by_check() {
    let bench = Workbench::new();
    let token = Draft::access(&RSA_2048).claim("client_id", json!("another")).claim("exp", NOW - 90).compact();
    let (run, explanation) = explained(&bench, &token);
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("expired")), "{run:?}");
    assert_eq!(explanation["signatureValid"], true);
    let expiry = check(&explanation, "expiry");
    assert_eq!(
        (&expiry["result"], &expiry["reason"], &expiry["found"]),
        (&json!("failed"), &json!("expired"), &json!(NOW - 90))
    );
    assert!(expiry["detail"].as_str().is_some_and(|text| text.contains("1 min 30 s ago")), "{expiry}");
    let client = check(&explanation, "client");
    assert_eq!(client["reason"], "client-mismatch");
    assert_eq!((&client["found"], &client["accepted"]), (&json!("another"), &json!([format!("\"{CLIENT_ID}\"")])));
    let stages: Vec<&str> =
        explanation["checks"].as_array().expect("checks").iter().filter_map(|check| check["stage"].as_str()).collect();
    let all: Vec<&str> = Stage::ALL.iter().filter(|stage| !is_optional(**stage)).map(|stage| stage.name()).collect();
    assert_eq!(stages, all);
    assert_eq!(explanation["times"]["exp"], json!({ "date": "2023-11-14T22:11:50Z", "secondsFromNow": -90 }));

    let text = bench.verify(&["--explain", &token]);
    assert_eq!(text.code, 1);
    for line in [
        "  FAIL expiry        expired\n",
        "found     exp = 1699999910\n",
        "  ok   signature     RS256 with the key of the issuer.\n",
        "  FAIL client        client-mismatch\n",
        "found     client_id = \"another\"\n",
        "payload (verified)\n",
    ] {
        assert!(text.stdout.contains(line), "no {line:?} in {}", text.stdout);
    }
    assert!(!text.stdout.contains(" \n"), "white space at the end of a line");
}

#[test]
fn a_valid_token_is_explained_too() {
    let (run, explanation) = explained(&Workbench::new(), &valid_token());
    assert_eq!((run.code, run.json()["verdict"].as_str()), (0, Some("allow")));
    assert_eq!((&explanation["reason"], &explanation["payload"]["sub"]), (&Value::Null, &json!(SUBJECT)));
}

#[test]
fn what_is_not_verified_is_marked() {
    let bench = Workbench::new();
    let forged = Draft::access(&OTHER_RSA_2048).with_signature_below(&RSA_2048);
    let (run, explanation) = explained(&bench, &forged);
    assert_eq!((run.code, &explanation["signatureValid"]), (1, &json!(false)));
    assert_eq!(check(&explanation, "signature")["reason"], "signature-invalid");
    let text = bench.verify(&["--explain", &forged]).stdout;
    assert!(text.contains("\nNOT VERIFIED: anyone can create") && text.contains("payload (not verified)"), "{text}");
    assert!(!text.contains("(verified)"), "{text}");
}

#[test]
fn keys_and_issuers_are_explained() {
    let bench = Workbench::new();
    let weak = json!({ "kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB" });
    let keys = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), weak]);
    bench.write("jwks.json", keys);
    let (_, explanation) = explained(&bench, &Draft::access(&RSA_2048).header("kid", json!("gone")).compact());
    let key = check(&explanation, "key");
    assert_eq!(
        (&key["reason"], &key["found"], &key["accepted"]),
        (&json!("key-unknown"), &json!("gone"), &json!([format!("\"{KEY_ID}\"")]))
    );
    let detail = key["detail"].as_str().expect("a detail");
    assert!(detail.contains("keys[1] (\"weak\"): modulus-too-small, `n`"), "{detail}");

    let other = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE02";
    let (_, explanation) = explained(&bench, &Draft::access(&RSA_2048).claim("iss", json!(other)).compact());
    let issuer = check(&explanation, "issuer");
    assert!(issuer["accepted"].to_string().contains(POOL_ID), "{issuer}");
    assert!(
        issuer["detail"].as_str().is_some_and(|text| text.contains("It has \"1\" where the token has \"2\"")),
        "{issuer}"
    );
}

#[test]
fn the_token_of_a_load_balancer_is_verified_and_explained() {
    let bench = Workbench::new();
    bench.write("alb.json", jwks(&[P256.jwk_for(Algorithm::Es256, load_balancers::KEY_ID)]));
    let verify = |arn: &str, more: &[&str]| {
        let options = ["verify", "--issuer", ISSUER, "--alb-arn", arn, "--client-id", CLIENT_ID, "--token-use"];
        let rest = ["unchecked", "--jwks", "alb.json", "--at", "1700000000", "--json"];
        bench.run(&[&options, &rest[..], more, &[&padded(&draft())]].concat())
    };
    let run = verify(ARN, &["--explain"]);
    assert_eq!((run.code, run.json()["verdict"].as_str()), (0, Some("allow")), "{run:?}");
    let explanation = run.json()["explanation"].clone();
    assert_eq!((&explanation["signatureValid"], &explanation["header"]["signer"]), (&json!(true), &json!(ARN)));
    assert_eq!(check(&explanation, "client")["member"], "client");

    let run = verify(OTHER_ARN, &["--explain"]);
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("signer-mismatch")), "{run:?}");
    let signer = check(&run.json()["explanation"], "signer").clone();
    assert_eq!((&signer["found"], &signer["accepted"]), (&json!(ARN), &json!([format!("\"{OTHER_ARN}\"")])));
    // It has no nonce.
    assert_eq!(verify(ARN, &["--nonce", "n"]).json()["reason"], "nonce-mismatch");
}

#[test]
fn control_characters_of_a_token_are_escaped() {
    let bench = Workbench::new();
    let token = Draft::access(&RSA_2048).claim("client_id", json!("\u{1b}[31m\nok\u{202e}")).compact();
    for arguments in [&["--explain", &token][..], &["--explain", "--json", &token]] {
        let run = bench.verify(arguments);
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{run:?}");
    }
}

#[test]
fn nothing_is_explained_without_the_option_and_not_in_a_batch() {
    let bench = Workbench::new();
    let run = bench.verify(&[&expired_token()]);
    assert!(!run.stdout.contains(SUBJECT) && !run.stdout.contains("checks"), "{run:?}");
    assert_eq!(bench.verify(&["--explain", "--batch", "jwks.json"]).code, 2);
}

#[test]
fn an_id_token_is_compared_with_the_nonce_and_the_access_token() {
    let bench = Workbench::new();
    // The example of OpenID Connect Core 1.0, appendix A.3.
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let draft = || Draft::id(&RSA_2048).claim("nonce", json!("n-0S6_WzA2Mj"));
    let bound = draft().claim("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")).compact();
    let verify = |more: &[&str], token: &str| {
        let arguments =
            ["verify", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--token-use", "id", "--jwks", "jwks.json"];
        let run = bench.run(&[&arguments, &["--at", "1700000000", "--json"][..], more, &[token]].concat());
        (run.code, run.json()["reason"].as_str().map(ToOwned::to_owned))
    };
    let denied = |reason: &str| (1, Some(reason.to_owned()));
    assert_eq!(verify(&[], &bound), (0, None));
    assert_eq!(verify(&["--nonce", "n-0S6_WzA2Mj", "--access-token", access_token], &bound), (0, None));
    assert_eq!(verify(&["--nonce", "n-0S6_WzA2Mk"], &bound), denied("nonce-mismatch"));
    assert_eq!(verify(&["--nonce", ""], &bound), denied("nonce-mismatch"));
    assert_eq!(
        verify(&["--nonce", ""], &Draft::id(&RSA_2048).claim("nonce", json!("")).compact()),
        denied("nonce-mismatch")
    );
    assert_eq!(verify(&["--nonce", "n"], &Draft::id(&RSA_2048).compact()), denied("nonce-mismatch"));
    assert_eq!(verify(&["--access-token", "another"], &bound), denied("access-token-mismatch"));
    assert_eq!(verify(&["--access-token", access_token], &draft().compact()), denied("access-token-mismatch"));
}
