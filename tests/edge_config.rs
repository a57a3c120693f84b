//! The command `poolgate-edge-config`, which checks configurations of the Envoy filter and the middleware.

#[path = "edge_config/discovery.rs"]
mod discovery;

use poolgate_tests::{
    edge_scene::{guarded, pool},
    keys::RSA_2048,
};
use serde_json::{Value, json};
use std::{fs, process::Command};
use tempfile::TempDir;

/// Runs the command, and returns its exit code, standard output and standard error.
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
fn a_valid_configuration_is_accepted_and_an_error_names_its_position() {
    let valid = folder_with(&guarded(pool()));
    assert_eq!(run(&valid, &["check", "poolgate.json"]), (Some(0), "valid\n".into(), String::new()));
    assert_eq!(run(&valid, &["check", "absent.json"]).0, Some(2));

    let mut twice = guarded(pool());
    twice["claims_to_filter_state"] = json!([{"claim": "sub", "name": "user"}, {"claim": "username", "name": "user"}]);
    let (code, _, error) = run(&folder_with(&twice), &["check", "poolgate.json"]);
    assert_eq!((code, error.trim()), (Some(1), "claims_to_filter_state[1]: \"user\" occurs twice"));

    let mut taken = guarded(pool());
    taken["claims_to_filter_state"] = json!([{"claim": "sub", "name": "poolgate_reason"}]);
    let (code, _, error) = run(&folder_with(&taken), &["check", "poolgate.json"]);
    let expected = "claims_to_filter_state[0]: name is taken: it has the reason of a rejection";
    assert_eq!((code, error.trim()), (Some(1), expected));

    let mut misspelled = guarded(pool());
    misspelled["routes"][0]["metods"] = json!(["GET"]);
    let (code, output, error) = run(&folder_with(&misspelled), &["check", "poolgate.json"]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(error.starts_with("routes[0].metods: ") && error.contains("did you mean \"methods\"?"), "{error}");
}

#[test]
fn a_configured_key_that_cannot_be_used_causes_one_warning() {
    let mut configuration = guarded(pool());
    let keys = configuration["pools"][0]["keys"]["jwks"]["keys"].as_array_mut().expect("keys");
    let mut private = RSA_2048.jwk("private");
    private["d"] = json!("c2VjcmV0IGV4cG9uZW50");
    keys.push(private);
    let number = keys.len() - 1;
    let (code, output, stderr) = run(&folder_with(&configuration), &["check", "poolgate.json"]);
    assert_eq!((code, output.as_str()), (Some(0), "valid\n"));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with(&format!("warning: pools[0].keys.jwks: keys[{number}] can't be used: ")), "{stderr}");
    assert!(!stderr.contains("c2VjcmV0"), "the warning contains the private key");
}

#[test]
fn a_rule_that_never_matches_always_rejects_or_leaves_methods_to_a_weaker_rule_causes_a_warning() {
    let never = |number: usize, before: &str| {
        format!("warning: routes[{number}]: never matches: {before} comes first and covers it")
    };
    let together = |number: usize, before: &str| {
        format!("warning: routes[{number}]: never matches: {before} come first and together cover it")
    };
    let weaker = |number: usize, method: &str, other: &str| {
        format!("warning: routes[{number}]: does not apply to {method}, for which {other} applies and requires less")
    };
    let ambiguous = |number: usize| format!("warning: routes[{number}]: requests for its path are rejected (400)");
    let public = |kind: &str, path: &str| json!({kind: path, "public": true});
    let protected = |kind: &str, path: &str| json!({kind: path, "authenticated": true});
    let by_method = |methods: &[&str], mut rule: Value| {
        rule["methods"] = json!(methods);
        rule
    };
    for (routes, expected) in [
        (json!([public("prefix", "/"), protected("prefix", "/admin")]), vec![never(1, "routes[0] (prefix /)")]),
        (
            json!([public("template", "/a/{x}"), protected("path", "/a/b")]),
            vec![never(1, "routes[0] (template /a/{})")],
        ),
        (
            json!([{"prefix": "/", "methods": ["GET"], "public": true}, {"prefix": "/admin", "methods": ["HEAD"], "authenticated": true}]),
            vec![never(1, "routes[0] (prefix /)")],
        ),
        (json!([{"prefix": "/", "methods": ["GET"], "public": true}, protected("prefix", "/admin")]), vec![]),
        // Several rules together hide one.
        (
            json!([
                by_method(&["GET"], public("path", "/a")),
                by_method(&["POST", "PUT"], public("prefix", "/")),
                by_method(&["GET", "HEAD", "POST"], protected("path", "/a")),
            ]),
            vec![together(2, "routes[0] (path /a) and routes[1] (prefix /)")],
        ),
        (
            json!([
                by_method(&["GET"], public("path", "/a")),
                by_method(&["PUT"], public("path", "/a")),
                by_method(&["GET", "POST"], protected("path", "/a")),
            ]),
            vec![],
        ),
        (json!([by_method(&["GET"], public("path", "/a")), protected("path", "/a")]), vec![]),
        // A rule for some methods leaves the others to a weaker rule.
        (
            json!([by_method(&["GET"], protected("prefix", "/admin")), public("prefix", "/")]),
            vec![weaker(0, "POST", "routes[1] (prefix /)")],
        ),
        (
            json!([by_method(&["POST", "PUT", "PATCH"], protected("prefix", "/admin")), public("prefix", "/")]),
            vec![weaker(0, "DELETE", "routes[1] (prefix /)")],
        ),
        (
            json!([
                by_method(&["GET"], protected("prefix", "/admin")),
                {"prefix": "/", "authenticated": true, "optional": true},
            ]),
            vec![weaker(0, "POST", "routes[1] (prefix /)")],
        ),
        // Reading requires less than changing; another rule names the methods; no rule matches; the other rule is as strict.
        (
            json!([
                by_method(&["POST", "PUT", "PATCH", "DELETE"], protected("prefix", "/articles")),
                public("prefix", "/"),
            ]),
            vec![],
        ),
        (
            json!([
                by_method(&["GET"], protected("path", "/form")),
                by_method(&["POST", "PUT", "PATCH", "DELETE"], public("path", "/form")),
                public("prefix", "/"),
            ]),
            vec![],
        ),
        (json!([by_method(&["GET"], protected("prefix", "/admin")), public("path", "/health")]), vec![]),
        (json!([by_method(&["GET"], protected("prefix", "/admin")), protected("prefix", "/")]), vec![]),
        (json!([public("prefix", "/admin/"), protected("prefix", "/admin")]), vec![ambiguous(1)]),
        (json!([protected("path", "/admin"), public("path", "/admin/")]), vec![ambiguous(1)]),
        (json!([protected("prefix", "/Admin"), public("prefix", "/admin")]), vec![ambiguous(1)]),
        (json!([protected("path", "/admin"), public("path", "/admin.json")]), vec![ambiguous(1)]),
        (json!([protected("prefix", "/admin"), public("path", "/favicon.ico"), public("prefix", "/")]), vec![]),
    ] {
        let mut configuration = guarded(pool());
        configuration["routes"] = routes;
        let (code, _, stderr) = run(&folder_with(&configuration), &["check", "poolgate.json"]);
        let warnings: Vec<&str> = stderr.lines().collect();
        let is_expected =
            warnings.iter().zip(&expected).all(|(warning, expected)| warning.starts_with(expected.as_str()));
        assert!(code == Some(0) && is_expected && warnings.len() == expected.len(), "{expected:?}: {stderr}");
    }
    // Methods are case-sensitive tokens: RFC 9110 section 9.1.
    let mut configuration = guarded(pool());
    configuration["routes"][0]["methods"] = json!(["get"]);
    let (code, _, error) = run(&folder_with(&configuration), &["check", "poolgate.json"]);
    assert_eq!((code, error.trim()), (Some(1), "routes[0].methods[0]: must be in capitals, for example GET"));
}

#[test]
fn a_component_is_written_only_for_a_configuration_that_the_middleware_supports() {
    let arguments = ["component", "poolgate.json", "--output", "configuration.wasm"];
    let valid = folder_with(&guarded(pool()));
    assert_eq!(run(&valid, &arguments), (Some(0), String::new(), String::new()));
    let component = fs::read(valid.path().join("configuration.wasm")).expect("the component");
    assert!(component.starts_with(b"\0asm"));

    let mut for_envoy_only = guarded(pool());
    for_envoy_only["claims_to_filter_state"] = json!([{"claim": "sub", "name": "user"}]);
    let rejected = folder_with(&for_envoy_only);
    let (code, _, error) = run(&rejected, &arguments);
    assert_eq!(code, Some(1));
    assert!(error.contains("claims_to_filter_state"), "{error}");
    assert!(!rejected.path().join("configuration.wasm").exists());
}

#[test]
fn the_schema_is_json() {
    let folder = TempDir::new().expect("a folder");
    let (code, schema, _) = run(&folder, &["schema"]);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!((code, schema["title"].as_str()), (Some(0), Some("Config")));
}

/// The sections of docs/envoy-reference.md, and the members of the configuration that lead to the objects they describe.
const SECTIONS: [(&str, &[&str]); 17] = [
    ("Top level", &[]),
    ("`pools`", &["pools"]),
    ("`pools[].claims`", &["pools", "claims"]),
    ("`pools[].keys`", &["pools", "keys"]),
    ("`policies`", &["policies"]),
    ("Groups and scopes", &["policies", "groups"]),
    ("`routes`", &["routes"]),
    ("`tokens`", &["tokens"]),
    ("`tokens.from`", &["tokens", "from"]),
    ("`claims_to_headers`", &["claims_to_headers"]),
    ("`claims_to_filter_state`", &["claims_to_filter_state"]),
    ("`answers`", &["answers"]),
    ("`answers.login`", &["answers", "login"]),
    ("`resource`", &["resource"]),
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
