//! The metadata of the protected resource (RFC 9728 sections 2 and 3).

use crate::request::{Request, answered, authorizer, header, rejected, resource, try_authorizer};
use poolgate_edge::Decision;
use poolgate_tests::minting::{ISSUER, NOW};
use serde_json::{Value, json};

const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

fn document(changes: &Value, path: &str) -> Value {
    let response = answered(&mut authorizer(changes), &Request::new("GET", path));
    assert_eq!(response.status, 200);
    serde_json::from_str(&response.body).expect("JSON")
}

#[test]
fn the_document_has_the_configured_members_and_the_issuers_of_the_pools() {
    let expected = json!({
        "resource": "https://mcp.example.com/mcp",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
    });
    assert_eq!(document(&json!({"resource": resource()}), PATH), expected);
    let all = json!({
        "resource": "https://mcp.example.com/mcp",
        "authorization_servers": ["https://login.example.com", "https://other.example.com/pool"],
        "scopes_supported": ["mcp/read", "mcp/write"],
        "resource_name": "The \"tools\" of Zo\u{eb}",
        "resource_documentation": "https://docs.example.com/tools?lang=en#start",
    });
    let mut expected = all.clone();
    expected["bearer_methods_supported"] = json!(["header"]);
    assert_eq!(document(&json!({"resource": all}), PATH), expected);
}

#[test]
fn only_a_bearer_token_in_authorization_is_published_as_a_method() {
    for (from, expected) in [
        (json!([{"cookie": "session"}]), None),
        (json!([{"query": "access_token"}]), None),
        (json!([{"header": "x-token", "prefix": "Bearer "}]), None),
        (json!([{"header": "authorization", "prefix": "DPoP "}]), None),
        (json!([{"cookie": "session"}, {"header": "authorization", "prefix": "bearer "}]), Some(json!(["header"]))),
    ] {
        let document = document(&json!({"resource": resource(), "tokens": {"from": from}}), PATH);
        assert_eq!(document.get("bearer_methods_supported"), expected.as_ref(), "{from}");
    }
}

#[test]
fn the_document_is_at_the_path_of_the_resource_and_names_the_resource_exactly() {
    for (resource, path) in [
        ("https://mcp.example.com", "/.well-known/oauth-protected-resource"),
        ("https://mcp.example.com/", "/.well-known/oauth-protected-resource"),
        ("https://mcp.example.com:8443/mcp", "/.well-known/oauth-protected-resource/mcp"),
        ("https://mcp.example.com/a/mcp/", "/.well-known/oauth-protected-resource/a/mcp/"),
        ("https://mcp.example.com/Team~1/mcp_v2", "/.well-known/oauth-protected-resource/Team~1/mcp_v2"),
        ("http://127.0.0.1:3000/mcp", "/.well-known/oauth-protected-resource/mcp"),
    ] {
        let changes = json!({"resource": {"resource": resource}});
        assert_eq!(document(&changes, path)["resource"], resource);
        // The challenge names the same URL.
        let mut authorizer = authorizer(&changes);
        let (_, response) = rejected(&mut authorizer, &Request::new("POST", "/"));
        let origin = resource.split('/').take(3).collect::<Vec<_>>().join("/");
        assert!(format!("{response:?}").contains(&format!("{origin}{path}\\\"")), "{response:?}");
    }
}

#[test]
fn get_and_head_need_no_token_and_are_cacheable_by_anyone() {
    let mut authorizer = authorizer(&json!({"resource": resource()}));
    for request in [
        Request::new("GET", PATH),
        Request::new("HEAD", PATH),
        Request::new("GET", &format!("{PATH}?")),
        Request::new("GET", &format!("{PATH}?a=b&access_token=c")),
        Request::new("GET", PATH).bearer("a.b.c"),
        Request::new("GET", PATH).bearer("a").bearer("b").header("connection", "authorization"),
    ] {
        let response = answered(&mut authorizer, &request);
        assert_eq!(response.status, 200, "{request:?}");
        let expected = [
            ("content-type", "application/json"),
            ("cache-control", "public, max-age=300"),
            ("access-control-allow-origin", "*"),
        ];
        assert_eq!(response.headers, expected, "{request:?}");
        assert!(serde_json::from_str::<Value>(&response.body).is_ok(), "{request:?}");
    }
}

#[test]
fn a_preflight_for_the_document_is_answered() {
    let mut authorizer = authorizer(&json!({"resource": resource()}));
    let preflight = Request::new("OPTIONS", PATH)
        .header("origin", "https://inspector.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version");
    let response = answered(&mut authorizer, &preflight);
    let expected = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD"),
        ("access-control-allow-headers", "*"),
        ("access-control-max-age", "3600"),
    ];
    assert_eq!((response.status, response.headers, &*response.body), (200, expected.as_slice(), ""));
    for incomplete in [
        Request::new("OPTIONS", PATH),
        Request::new("OPTIONS", PATH).header("origin", "https://inspector.example"),
        Request::new("OPTIONS", PATH).header("access-control-request-method", "GET"),
    ] {
        assert_eq!(rejected(&mut authorizer, &incomplete).1.status, 401, "{incomplete:?}");
    }
}

#[test]
fn every_other_spelling_path_and_method_is_left_to_the_rules() {
    let mut authorizer = authorizer(&json!({"resource": resource()}));
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/mcp/x",
        "/.well-known/oauth-protected-resource/MCP",
        "/.Well-Known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/%6dcp",
        "/.well-known//oauth-protected-resource/mcp",
        "//.well-known/oauth-protected-resource/mcp",
        "/x/../.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp;a=b",
        "/.well-known/oauth-protected-resource/mcp#",
        "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
        "/mcp/.well-known/oauth-protected-resource",
        "",
    ] {
        for method in ["GET", "HEAD"] {
            let (_, response) = rejected(&mut authorizer, &Request::new(method, path));
            assert!(matches!(response.status, 400 | 401 | 403), "{path}: {response:?}");
        }
    }
    for method in ["POST", "PUT", "DELETE", "TRACE", "CONNECT", "get", ""] {
        assert_eq!(rejected(&mut authorizer, &Request::new(method, PATH)).1.status, 401, "{method}");
    }
}

#[test]
fn the_document_wins_over_a_rule_for_its_path() {
    for rule in [json!({"path": PATH, "authenticated": true}), json!({"path": PATH, "public": true})] {
        let mut authorizer = authorizer(&json!({"routes": [rule], "resource": resource()}));
        answered(&mut authorizer, &Request::new("GET", PATH));
        // Its other methods stay with the rule.
        let is_public = rule.get("public").is_some();
        let decision = authorizer.authorize(NOW, &Request::new("POST", PATH));
        assert_eq!(matches!(decision, Decision::Admit(_)), is_public, "{decision:?}");
    }
}

#[test]
fn nothing_is_served_unless_a_resource_is_configured() {
    let mut authorizer = authorizer(&json!({}));
    assert_eq!(rejected(&mut authorizer, &Request::new("GET", PATH)).1.status, 401);
}

/// Two MCP servers on hosts of their own, and a site that is none.
fn several() -> Value {
    let rule = |host: &str, policy: &str, resource: &str| json!({"hosts": [host], "path": "/mcp", "any_of": [policy], "resource": {"resource": resource, "resource_name": host}});
    json!({"routes": [
        rule("a.example.com", "read", "https://a.example.com/mcp"),
        rule("b.example.com", "write", "https://b.example.com/mcp"),
        rule("c.example.com", "write", "https://b.example.com:8443/other"),
        {"hosts": ["www.example.com"], "prefix": "/", "any_of": ["read"]},
    ]})
}

#[test]
fn each_rule_may_belong_to_a_resource_of_its_own() {
    let mut changes = several();
    let mut authorizer = authorizer(&changes);
    for host in ["a.example.com", "b.example.com", "B.EXAMPLE.COM"] {
        let response = answered(&mut authorizer, &Request::new("GET", PATH).header("host", host));
        let document: Value = serde_json::from_str(&response.body).expect("JSON");
        assert_eq!(document["resource"], format!("https://{}/mcp", host.to_lowercase()));
    }
    // Only one resource has this path, so the host does not matter: a proxy may have changed it.
    let other = "/.well-known/oauth-protected-resource/other";
    for host in ["b.example.com:8443", "internal"] {
        answered(&mut authorizer, &Request::new("GET", other).header("host", host));
    }
    // It is not known which document is meant.
    for request in [
        Request::new("GET", PATH),
        Request::new("GET", PATH).header("host", "www.example.com"),
        Request::new("GET", PATH).header("host", "a.example.com:444"),
        Request::new("GET", PATH).header("host", "a.example.com").header("host", "b.example.com"),
        Request::new("GET", PATH).header("host", "a.example.com").header(":authority", "b.example.com"),
    ] {
        let (_, response) = rejected(&mut authorizer, &request);
        assert!(matches!(response.status, 400 | 401 | 403), "{request:?}: {response:?}");
    }
    for (host, path, expected) in [
        (
            "a.example.com",
            "/mcp",
            "Bearer scope=\"mcp/read\", resource_metadata=\"https://a.example.com/.well-known/oauth-protected-resource/mcp\"",
        ),
        (
            "b.example.com",
            "/mcp",
            "Bearer scope=\"mcp/read mcp/write\", resource_metadata=\"https://b.example.com/.well-known/oauth-protected-resource/mcp\"",
        ),
        ("www.example.com", "/mcp", "Bearer"),
        ("www.example.com", "/", "Bearer"),
    ] {
        let (_, response) = rejected(&mut authorizer, &Request::new("POST", path).header("host", host));
        assert_eq!(header(&response, "www-authenticate").as_deref(), Some(expected), "{host}{path}");
    }
    // With a default, every rule belongs to a resource.
    changes["resource"] = json!({"resource": "https://www.example.com"});
    let (_, response) = rejected(
        &mut crate::request::authorizer(&changes),
        &Request::new("GET", "/").header("host", "www.example.com"),
    );
    let expected =
        "Bearer scope=\"mcp/read\", resource_metadata=\"https://www.example.com/.well-known/oauth-protected-resource\"";
    assert_eq!(header(&response, "www-authenticate").as_deref(), Some(expected));
}

#[test]
fn one_resource_is_described_once_or_always_in_the_same_way() {
    let rule = |path: &str, resource: Value| json!({"path": path, "authenticated": true, "resource": resource});
    let same = json!({"routes": [rule("/mcp", resource()), rule("/mcp/x", resource())], "resource": resource()});
    assert!(try_authorizer(&same).is_ok());
    let mut other = resource();
    other["resource_name"] = json!("Other");
    let mut changes = json!({"routes": [rule("/mcp", resource()), rule("/mcp/x", other.clone())]});
    let expected = "routes[1].resource: is not what was configured before for the same resource";
    assert_eq!(try_authorizer(&changes).err().as_deref(), Some(expected));
    // `/` and no path have the same document, which can only name one of them.
    changes["routes"] = json!([
        rule("/a", json!({"resource": "https://a.example.com"})),
        rule("/b", json!({"resource": "https://a.example.com/"})),
    ]);
    assert_eq!(try_authorizer(&changes).err().as_deref(), Some(expected));
    changes["routes"] = json!([rule("/mcp", json!({"resource": "http://a.example.com"}))]);
    let error = try_authorizer(&changes).err().unwrap_or_default();
    assert!(error.starts_with("routes[0].resource.resource: must be a URL such as"), "{error}");
}
