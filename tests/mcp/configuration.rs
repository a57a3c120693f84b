//! Errors of the configuration of `resource` and `answers.login`.

use crate::request::{resource, try_authorizer};
use poolgate_tests::edge_scene::pool;
use serde_json::{Value, json};

fn error(changes: &Value) -> String {
    try_authorizer(changes).err().unwrap_or_else(|| panic!("{changes} is valid"))
}

#[test]
fn a_resource_is_an_https_url_with_one_spelling() {
    for identifier in [
        "",
        "mcp.example.com/mcp",
        "/mcp",
        "http://mcp.example.com/mcp",
        "https://mcp.example.com/mcp#tools",
        "https://mcp.example.com/mcp?a=b",
        "https://MCP.example.com/mcp",
        "https://user@mcp.example.com/mcp",
        "https://mcp.example.com:99999/mcp",
        "https://mcp.example.com//mcp",
        "https://mcp.example.com/a/../mcp",
        "https://mcp.example.com/mc%70",
        "https://mcp.example.com/mcp;v=1",
        "https://mcp.example.com/m cp",
        "https://mcp.example.com/mcp\", scope=\"x",
        "https://mcp.example.com/mcp\r\nx: y",
    ] {
        let error = error(&json!({"resource": {"resource": identifier}}));
        assert!(error.starts_with("resource.resource: must be a URL such as"), "{identifier}: {error}");
    }
}

#[test]
fn every_other_member_of_a_resource_is_checked() {
    for (member, value, expected) in [
        (
            "authorization_servers",
            json!([]),
            "resource.authorization_servers: add the issuer that clients get tokens from: no pool is one",
        ),
        (
            "authorization_servers",
            json!(null),
            "resource.authorization_servers: invalid type: null, expected a sequence",
        ),
        (
            "authorization_servers",
            json!(["http://login.example.com"]),
            "resource.authorization_servers: has an issuer that is not an https URL without query and fragment",
        ),
        (
            "authorization_servers",
            json!(["https://login.example.com?a"]),
            "resource.authorization_servers: has an issuer that is not an https URL without query and fragment",
        ),
        (
            "authorization_servers",
            json!(["https://login.example.com", "login"]),
            "resource.authorization_servers: has an issuer that is not an https URL without query and fragment",
        ),
        (
            "scopes_supported",
            json!([]),
            "resource.scopes_supported: is empty, or has something that is not a scope (RFC 6749 section 3.3)",
        ),
        (
            "scopes_supported",
            json!(["a b"]),
            "resource.scopes_supported: is empty, or has something that is not a scope (RFC 6749 section 3.3)",
        ),
        (
            "scopes_supported",
            json!([""]),
            "resource.scopes_supported: is empty, or has something that is not a scope (RFC 6749 section 3.3)",
        ),
        ("resource_name", json!(""), "resource.resource_name: is empty"),
        ("resource_documentation", json!("docs"), "resource.resource_documentation: must be an https URL"),
        (
            "scope_supported",
            json!(["a"]),
            "resource.scope_supported: unknown field \"scope_supported\": did you mean \"scopes_supported\"?",
        ),
    ] {
        let mut resource = resource();
        resource[member] = value;
        assert_eq!(error(&json!({"resource": resource})), expected);
    }
    assert_eq!(error(&json!({"resource": null})), "resource: invalid type: null, expected struct Resource");
    assert_eq!(error(&json!({"resource": {}})), "resource: missing field `resource`");
}

#[test]
fn a_pool_without_one_issuer_is_no_authorization_server() {
    let keys = json!({"cluster": "keys", "url": "https://keys.example.com/jwks.json"});
    let common = json!({"name": "main", "any_client": true, "token_use": "unchecked", "keys": keys});
    for (member, value) in [
        ("issuer_template", json!("https://login.example.com/{tid}/v2.0")),
        ("issuers", json!(["login.example.com"])),
        ("any_issuer", json!(true)),
    ] {
        let mut pool = common.clone();
        pool[member] = value;
        if member == "issuer_template" {
            pool["any_tenant"] = json!(true);
        }
        let changes = json!({"pools": [pool], "resource": resource()});
        assert_eq!(
            error(&changes),
            "resource.authorization_servers: add the issuer that clients get tokens from: no pool is one"
        );
        let mut named = resource();
        named["authorization_servers"] = json!(["https://login.example.com"]);
        assert!(try_authorizer(&json!({"pools": changes["pools"], "resource": named})).is_ok(), "{member}");
    }
    let mut spelled = common.clone();
    spelled["issuers"] = json!(["login.example.com", "https://login.example.com"]);
    assert!(try_authorizer(&json!({"pools": [spelled, pool_named("other")], "resource": resource()})).is_ok());
}

fn pool_named(name: &str) -> Value {
    let mut pool = pool();
    pool["name"] = json!(name);
    pool
}

#[test]
fn a_login_page_is_checked() {
    let page = |member: &str, value: Value| {
        let mut login = json!({
            "url": "https://login.example.com/start", "return_parameter": "return_to", "return_origin": "https://app.example.com",
        });
        login[member] = value;
        json!({"answers": {"login": login}})
    };
    let url = "answers.login.url: must be an https URL (or http for a loopback address) without a fragment";
    let parameter = "answers.login.return_parameter: must be letters, digits and - . _ ~";
    let origin = "answers.login.return_origin: must be an origin such as https://app.example.com, without a path";
    for (member, value, expected) in [
        ("url", json!("http://login.example.com/start"), url),
        ("url", json!("/start"), url),
        ("url", json!("//login.example.com/start"), url),
        ("url", json!("https://login.example.com/start#a"), url),
        ("url", json!("https://login.example.com/start\r\nset-cookie: a=b"), url),
        ("return_parameter", json!(""), parameter),
        ("return_parameter", json!("a=b&c"), parameter),
        ("return_parameter", json!("r\u{e9}turn"), parameter),
        ("return_parameter", json!(null), "answers.login.return_parameter: invalid type: null, expected a string"),
        ("return_origin", json!("https://app.example.com/"), origin),
        ("return_origin", json!("https://app.example.com/app"), origin),
        ("return_origin", json!("https://app.example.com?"), origin),
        ("return_origin", json!("http://app.example.com"), origin),
        ("return_origin", json!("app.example.com"), origin),
        (
            "return_url",
            json!("x"),
            "answers.login.return_url: unknown field \"return_url\": expected one of url, return_parameter, return_origin",
        ),
    ] {
        assert_eq!(error(&page(member, value.clone())), expected, "{member}: {value}");
    }
    for alone in ["return_parameter", "return_origin"] {
        let value = if alone == "return_origin" { "https://app.example.com" } else { "r" };
        let changes = json!({"answers": {"login": {"url": "https://login.example.com", alone: value}}});
        assert_eq!(error(&changes), "answers.login.return_origin: set it together with return_parameter");
    }
    assert_eq!(error(&json!({"answers": {"login": {}}})), "answers.login: missing field `url`");
    assert!(try_authorizer(&json!({"answers": {"login": {"url": "http://localhost:3000/login?theme=dark"}}})).is_ok());
}
