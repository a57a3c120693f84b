//! The command that checks a configuration of the Envoy filter and the middleware, before it is put anywhere.

use poolgate_tests::{
    edge_scene::{guarded, pool},
    keys::RSA_2048,
};
use serde_json::{Value, json};
use std::{fs, process::Command};
use tempfile::TempDir;

/// What the command does with a configuration: its exit code, standard output and standard error.
fn run(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate-edge-config"));
    let output = command.args(arguments).current_dir(folder.path()).output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn folder_with(configuration: &Value) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("poolgate.json"), configuration.to_string()).expect("a file");
    folder
}

#[test]
fn a_good_configuration_is_good_and_a_fault_is_said_with_its_place() {
    let good = folder_with(&guarded(pool()));
    assert_eq!(run(&good, &["check", "poolgate.json"]), (Some(0), "good\n".into(), String::new()));
    assert_eq!(run(&good, &["check", "absent.json"]).0, Some(2));

    let mut misspelled = guarded(pool());
    misspelled["routes"][0]["metods"] = json!(["GET"]);
    let (code, said, fault) = run(&folder_with(&misspelled), &["check", "poolgate.json"]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(fault.starts_with("routes[0].metods: ") && fault.contains("did you mean \"methods\"?"), "{fault}");
}

#[test]
fn stated_keys_that_verify_nothing_are_warned_about_once() {
    let mut configuration = guarded(pool());
    let keys = configuration["pools"][0]["keys"]["jwks"]["keys"].as_array_mut().expect("keys");
    let mut private = RSA_2048.jwk("private");
    private["d"] = json!("c2VjcmV0IGV4cG9uZW50");
    keys.push(private);
    let number = keys.len() - 1;
    let (code, said, warned) = run(&folder_with(&configuration), &["check", "poolgate.json"]);
    assert_eq!((code, said.as_str()), (Some(0), "good\n"));
    assert_eq!(warned.lines().count(), 1, "{warned}");
    assert!(warned.starts_with(&format!("warning: pools[0].keys.jwks: keys[{number}] can't be used: ")), "{warned}");
    assert!(!warned.contains("c2VjcmV0"), "it tells the key");
}

#[test]
fn a_component_is_written_of_what_fits_the_middleware_and_of_nothing_else() {
    let arguments = ["component", "poolgate.json", "--output", "configuration.wasm"];
    let good = folder_with(&guarded(pool()));
    assert_eq!(run(&good, &arguments), (Some(0), String::new(), String::new()));
    let component = fs::read(good.path().join("configuration.wasm")).expect("it is written");
    assert!(component.starts_with(b"\0asm"));

    let mut for_envoy_alone = guarded(pool());
    for_envoy_alone["claims_to_filter_state"] = json!([{"claim": "sub", "name": "user"}]);
    let refused = folder_with(&for_envoy_alone);
    let (code, _, fault) = run(&refused, &arguments);
    assert_eq!(code, Some(1));
    assert!(fault.contains("claims_to_filter_state"), "{fault}");
    assert!(!refused.path().join("configuration.wasm").exists());
}

#[test]
fn the_schema_is_json() {
    let folder = TempDir::new().expect("a folder");
    let (code, schema, _) = run(&folder, &["schema"]);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!((code, schema["title"].as_str()), (Some(0), Some("Config")));
}
