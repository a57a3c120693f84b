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
    assert_eq!(run(&good, &["check", "poolgate.json"]), (Some(0), "valid\n".into(), String::new()));
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
    assert_eq!((code, said.as_str()), (Some(0), "valid\n"));
    assert_eq!(warned.lines().count(), 1, "{warned}");
    assert!(warned.starts_with(&format!("warning: pools[0].keys.jwks: keys[{number}] can't be used: ")), "{warned}");
    assert!(!warned.contains("c2VjcmV0"), "it tells the key");
}

#[test]
fn a_rule_that_does_not_do_what_it_seems_to_is_warned_about() {
    let never = |number: usize, before: &str| {
        format!("warning: routes[{number}]: never matches: {before} comes first and covers it")
    };
    let torn = |number: usize| format!("warning: routes[{number}]: requests for its path are rejected (400)");
    let public = |kind: &str, path: &str| json!({kind: path, "public": true});
    let guarded_by = |kind: &str, path: &str| json!({kind: path, "authenticated": true});
    for (routes, expected) in [
        (json!([public("prefix", "/"), guarded_by("prefix", "/admin")]), vec![never(1, "routes[0] (prefix /)")]),
        (
            json!([public("template", "/a/{x}"), guarded_by("path", "/a/b")]),
            vec![never(1, "routes[0] (template /a/{})")],
        ),
        (
            json!([{"prefix": "/", "methods": ["GET"], "public": true}, {"prefix": "/admin", "methods": ["HEAD"], "authenticated": true}]),
            vec![never(1, "routes[0] (prefix /)")],
        ),
        (json!([{"prefix": "/", "methods": ["GET"], "public": true}, guarded_by("prefix", "/admin")]), vec![]),
        (json!([public("prefix", "/admin/"), guarded_by("prefix", "/admin")]), vec![torn(1)]),
        (json!([guarded_by("path", "/admin"), public("path", "/admin/")]), vec![torn(1)]),
        (json!([guarded_by("prefix", "/Admin"), public("prefix", "/admin")]), vec![torn(1)]),
        (json!([guarded_by("path", "/admin"), public("path", "/admin.json")]), vec![torn(1)]),
        (json!([guarded_by("prefix", "/admin"), public("path", "/favicon.ico"), public("prefix", "/")]), vec![]),
    ] {
        let mut configuration = guarded(pool());
        configuration["routes"] = routes;
        let (code, _, warned) = run(&folder_with(&configuration), &["check", "poolgate.json"]);
        let warnings: Vec<&str> = warned.lines().collect();
        let is_told = warnings.iter().zip(&expected).all(|(warning, expected)| warning.starts_with(expected.as_str()));
        assert!(code == Some(0) && is_told && warnings.len() == expected.len(), "{expected:?}: {warned}");
    }
    // Methods are case-sensitive tokens: RFC 9110 section 9.1.
    let mut configuration = guarded(pool());
    configuration["routes"][0]["methods"] = json!(["get"]);
    let (code, _, fault) = run(&folder_with(&configuration), &["check", "poolgate.json"]);
    assert_eq!((code, fault.trim()), (Some(1), "routes[0].methods[0]: must be in capitals, for example GET"));
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

/// The sections of docs/envoy-reference.md, and the members of the configuration that lead to the objects they describe.
const SECTIONS: [(&str, &[&str]); 14] = [
    ("Top level", &[]),
    ("`pools`", &["pools"]),
    ("`pools[].keys`", &["pools", "keys"]),
    ("`policies`", &["policies"]),
    ("Groups and scopes", &["policies", "groups"]),
    ("`routes`", &["routes"]),
    ("`tokens`", &["tokens"]),
    ("`tokens.from`", &["tokens", "from"]),
    ("`claims_to_headers`", &["claims_to_headers"]),
    ("`claims_to_filter_state`", &["claims_to_filter_state"]),
    ("`answers`", &["answers"]),
    ("`limits`", &["limits"]),
    ("`key_policy`", &["key_policy"]),
    ("`cache`", &["cache"]),
];

/// The schema of the object, or of the items of the list, at the end of these members.
fn object_at<'s>(schema: &'s Value, members: &[&str]) -> &'s Value {
    members.iter().fold(schema, |object, member| {
        let definition = &object["properties"][member];
        let reference = definition["$ref"].as_str().or(definition["items"]["$ref"].as_str());
        let name =
            reference.and_then(|it| it.strip_prefix("#/$defs/")).unwrap_or_else(|| panic!("{member}: no object"));
        &schema["$defs"][name]
    })
}

#[test]
fn the_reference_has_every_field_of_the_schema_with_its_default() {
    let schema: Value = serde_json::from_str(include_str!("../docs/envoy.schema.json")).expect("the schema is JSON");
    let page = include_str!("../docs/envoy-reference.md");
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    let objects = definitions.filter(|definition| definition["type"] == "object").count();
    assert_eq!(objects + 1, SECTIONS.len(), "docs/envoy-reference.md has a section for every object");
    for (title, members) in SECTIONS {
        let object = object_at(&schema, members);
        let section = page.split("\n## ").find(|section| section.lines().next() == Some(title)).expect(title);
        let fields = object["properties"].as_object().expect("properties");
        assert_eq!(section.lines().filter(|line| line.starts_with("| `")).count(), fields.len(), "rows of {title}");
        for (field, definition) in fields {
            let start = format!("| `{field}` | ");
            let row = section.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("docs/envoy-reference.md, {title}: no row for {field}"));
            let is_required = object["required"].as_array().is_some_and(|names| names.iter().any(|it| it == field));
            let expected = match (is_required, &definition["default"]) {
                (true, _) => "required".to_owned(),
                (false, Value::Null) => continue,
                (false, default) => format!("`{default}`"),
            };
            let default = row.split(" | ").nth(2).unwrap_or_default();
            assert_eq!(default, expected, "docs/envoy-reference.md, {title}: the default of {field}");
        }
    }
}
