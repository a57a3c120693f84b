//! `poolgate config`: valid and invalid configurations, the schema, and the decision about a request.

use super::{Run, Workbench, valid_token};
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, KEY_ID, POOL_ID, SUBJECT},
};
use serde_json::{Value, json};

fn configuration() -> Value {
    let keys: Value = serde_json::from_str(&jwks(&[RSA_2048.jwk(KEY_ID)])).expect("JSON");
    json!({
        "pools": [{"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access", "keys": {"jwks": keys}}],
        "policies": [{"name": "admins", "groups": {"any_of": ["admins"]}}],
        "routes": [
            {"prefix": "/public", "public": true},
            {"prefix": "/admin", "any_of": ["admins"]},
            {"prefix": "/any", "authenticated": true},
        ],
        "claims_to_headers": [{"claim": "sub", "header": "x-user"}],
    })
}

fn bench() -> Workbench {
    let bench = Workbench::new();
    bench.write("poolgate.json", configuration().to_string());
    bench
}

#[test]
fn a_configuration_is_checked_and_an_error_names_its_position() {
    let bench = bench();
    let run = bench.run(&["config", "check", "poolgate.json"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "valid\n", ""));
    let run = bench.run_with_input(&["config", "check", "--json", "-"], configuration().to_string().as_bytes());
    assert_eq!((run.code, run.json()), (0, json!({"valid": true, "warnings": []})));

    let mut hidden = configuration();
    hidden["routes"].as_array_mut().expect("a list").push(json!({"path": "/any/x", "public": true}));
    bench.write("hidden.json", hidden.to_string());
    let run = bench.run(&["config", "check", "hidden.json"]);
    assert!(run.code == 0 && run.stderr.starts_with("warning: routes[3]: never matches"), "{run:?}");

    let mut wrong = configuration();
    wrong["routes"][0] = json!({"prefix": "/public", "publik": true});
    bench.write("wrong.json", wrong.to_string());
    let run = bench.run(&["config", "check", "wrong.json"]);
    assert!(run.code == 1 && run.stderr.contains("routes[0].publik") && run.stdout.is_empty(), "{run:?}");
    let run = bench.run(&["config", "check", "--json", "wrong.json"]);
    assert_eq!((run.code, &run.json()["error"]["at"]), (1, &json!("routes[0].publik")));
    let mut plain = configuration();
    plain["pools"][0]["keys"] = json!({"cluster": "keys", "url": "http://127.0.0.1:1/jwks.json"});
    bench.write("plain.json", plain.to_string());
    assert_eq!(bench.run(&["config", "check", "plain.json"]).code, 1);
    assert_eq!(bench.run(&["config", "check", "plain.json", "--allow-http-loopback"]).code, 0);
    assert_eq!(bench.run(&["config", "check", "nothing.json"]).code, 2);
}

#[test]
fn the_schema_is_that_of_the_documentation() {
    let printed: Value = serde_json::from_str(&bench().run(&["config", "schema"]).stdout).expect("JSON");
    let documented: Value = serde_json::from_str(include_str!("../../docs/envoy.schema.json")).expect("JSON");
    assert_eq!(printed, documented);
}

#[test]
fn a_request_is_explained_by_its_rule_its_policy_and_the_decision() {
    let bench = bench();
    let explain = |arguments: &[&str]| -> (Run, Value) {
        let run = bench.run(&[&["config", "explain", "--json"], arguments].concat());
        let value = run.json();
        (run, value)
    };
    let (run, public) = explain(&["GET", "https://shop.example.com/public/a?b=c"]);
    assert_eq!((run.code, &public["decision"], &public["host"]), (0, &json!("admitted"), &json!("shop.example.com")));
    assert_eq!(public["rules"][0]["number"], 0);
    assert_eq!(public["changes"], json!([{"remove": "x-user"}]));

    let (run, none) = explain(&["GET", "/admin/users"]);
    assert_eq!((run.code, &none["status"], &none["reason"]), (1, &json!(401), &json!("no-token")));
    assert_eq!(none["policies"], json!([{"name": "admins", "groups": {"any_of": ["admins"]}}]));
    assert_eq!(none["headers"]["www-authenticate"], "Bearer");

    // The test tokens are of 2023, so what is explained is their expiry.
    let token = valid_token();
    let (run, expired) = explain(&["GET", "/any", "--token", &token]);
    assert_eq!((run.code, &expired["reason"], &expired["token"]["reason"]), (1, &json!("expired"), &json!("expired")));
    assert_eq!(expired["token"]["payload"]["sub"], SUBJECT);

    let (run, ambiguous) = explain(&["GET", "/public/../admin"]);
    assert_eq!((run.code, &ambiguous["reason"]), (1, &json!("ambiguous-path")));
    let detail = ambiguous["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("routes[0]") && detail.contains("routes[1]"), "{ambiguous}");
    let text = bench.run(&["config", "explain", "GET", "/public/../admin"]).stdout;
    assert!(text.contains("rule      none: ambiguous-path (") && text.contains("decision  rejected, 400"), "{text}");
    let (_, forged) = explain(&["GET", "/any", "-H", "Connection: x-user"]);
    assert_eq!(forged["reason"], "connection-header");
}

#[test]
fn what_is_misused_is_refused_and_no_token_is_repeated() {
    let bench = bench();
    let token = valid_token();
    for arguments in [
        &["GET", "shop.example.com/x"][..],
        &["GET", "/x", "--config", "nothing.json"],
        &["GET", "/x", "-H", "no colon"],
        &["GET", &token],
        &["GET", "/x", "-H", &token],
    ] {
        let run = bench.run(&[&["config", "explain"], arguments].concat());
        assert_eq!(run.code, 2, "{run:?}");
        assert!(!format!("{run:?}").contains(&token), "{run:?}");
    }
}
