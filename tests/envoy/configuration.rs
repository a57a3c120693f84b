//! Envoy does not start with an invalid configuration, and the log names the error. The published schema matches the filter.

use crate::scene::Files;
use poolgate_edge::Config;
use poolgate_tests::edge_scene::{guarded, pool};
use poolgate_tests::envoy::{Envoy, Setup, cluster, validate, wasm_filter_of};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn setup(files: &Files, configuration: &str) -> Setup {
    Setup {
        listeners: vec![("0".to_owned(), vec![wasm_filter_of(&files.filter, configuration)])],
        clusters: vec![cluster("app", 1)],
        concurrency: 1,
        is_dynamic: false,
        answers_itself: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_does_not_start_with_an_invalid_configuration_and_logs_the_error() {
    let files = Files::new();
    let valid = guarded(pool());
    let checked = validate(&setup(&files, &valid.to_string())).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let with = |pointer: &str, value: Value| {
        let mut configuration = valid.clone();
        *configuration.pointer_mut(pointer).expect("there") = value;
        configuration.to_string()
    };
    let mut misspelled = valid.clone();
    misspelled["routs"] = json!([]);
    for (configuration, message) in [
        (misspelled.to_string(), "routs: unknown field \"routs\": did you mean \"routes\"?"),
        (String::new(), "it is not a JSON object"),
        (with("/routes/0", json!({"prefix": "/"})), "routes[0]: set one of public, authenticated, any_of and all_of"),
        (
            with("/pools/0/client_ids", json!([])),
            "pools[0].client_ids: is an empty list: add an entry, or remove the list",
        ),
        (with("/pools/0/keys/jwks", json!({"keys": []})), "pools[0].keys.jwks"),
        (with("/routes", json!([])), "routes: is empty: add a route, or every request is denied"),
    ] {
        let said = Envoy::refuses(&setup(&files, &configuration)).await;
        let is_logged = said.contains(message) && said.contains("poolgate: the configuration is invalid");
        assert!(is_logged, "{message:?} is not in:\n{said}");
    }
}

#[test]
fn the_published_schema_is_that_of_the_filter_and_rejects_the_same_configurations() {
    let schema = schemars::schema_for!(Config).to_value();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/envoy.schema.json");
    let published: Value = serde_json::from_slice(&fs::read(file).expect("the schema is there")).expect("JSON");
    assert_eq!(published, schema, "update it: cargo run -p poolgate-edge -- schema > docs/envoy.schema.json");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let valid = guarded(pool());
    assert!(validator.is_valid(&valid));
    for pointer in ["/pools/0/token_use", "/routes/0/prefix", "/answers/include_reason", "/pools"] {
        let mut invalid = valid.clone();
        *invalid.pointer_mut(pointer).expect("there") = json!(7);
        assert!(!validator.is_valid(&invalid), "{pointer}");
        assert!(poolgate_edge::config::read(invalid.to_string().as_bytes()).is_err(), "{pointer}");
    }
    let mut unknown = valid.clone();
    unknown["pools"][0]["colour"] = json!("red");
    assert!(!validator.is_valid(&unknown));
}
