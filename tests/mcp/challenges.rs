//! `WWW-Authenticate` (RFC 6750 section 3, RFC 9728 section 5.1).

use crate::request::{Request, authorizer, configuration, header, rejected, resource, token, try_authorizer};
use poolgate_core::{LogicalTime, Response};
use poolgate_edge::{Decision, RejectionFormat, config};
use poolgate_tests::{edge_scene::pool, minting::NOW};
use serde_json::{Value, json};

const METADATA: &str = "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";

/// Returns the status and the challenge for a request to this rule.
fn challenge(rule: &Value, changes: &Value, request: Request) -> (u16, Option<String>) {
    let mut configuration = json!({"routes": [rule], "resource": resource()});
    for (name, value) in changes.as_object().expect("an object") {
        configuration[name] = value.clone();
    }
    let (_, response) = rejected(&mut authorizer(&configuration), &request);
    (response.status, header(&response, "www-authenticate"))
}

#[test]
fn a_challenge_names_the_metadata_and_the_scopes_of_the_rule() {
    let post = || Request::new("POST", "/mcp");
    let bearer = |scope: &str| post().bearer(&token(scope));
    for (requirement, request, status, expected) in [
        (json!({"authenticated": true}), post(), 401, "".to_owned()),
        (json!({"any_of": ["read"]}), post(), 401, "scope=\"mcp/read\", ".into()),
        (json!({"any_of": ["write"]}), post(), 401, "scope=\"mcp/read mcp/write\", ".into()),
        // The first alternative with scopes.
        (json!({"any_of": ["read", "write"]}), post(), 401, "scope=\"mcp/read\", ".into()),
        (json!({"any_of": ["admins", "write"]}), post(), 401, "scope=\"mcp/read mcp/write\", ".into()),
        (json!({"any_of": ["admins"]}), post(), 401, "".into()),
        // All policies, each scope once.
        (json!({"all_of": ["read", "write", "admins"]}), post(), 401, "scope=\"mcp/read mcp/write\", ".into()),
        (json!({"all_of": ["write", "read"]}), post(), 401, "scope=\"mcp/read mcp/write\", ".into()),
        (
            json!({"any_of": ["read"], "optional": true}),
            post().bearer("a.b.c"),
            401,
            "error=\"invalid_token\", scope=\"mcp/read\", ".into(),
        ),
        (
            json!({"any_of": ["write"]}),
            post().bearer("a.b.c"),
            401,
            "error=\"invalid_token\", scope=\"mcp/read mcp/write\", ".into(),
        ),
        // All that is needed, not only what is missing.
        (
            json!({"any_of": ["write"]}),
            bearer("mcp/read"),
            403,
            "error=\"insufficient_scope\", scope=\"mcp/read mcp/write\", ".into(),
        ),
        (
            json!({"all_of": ["read", "write"]}),
            bearer("openid"),
            403,
            "error=\"insufficient_scope\", scope=\"mcp/read mcp/write\", ".into(),
        ),
        // No scope helps a user who is not in the group.
        (
            json!({"all_of": ["write", "admins"]}),
            bearer("mcp/read mcp/write"),
            403,
            "error=\"insufficient_scope\", ".into(),
        ),
    ] {
        let mut rule = requirement.clone();
        rule["prefix"] = json!("/mcp");
        let expected = format!("Bearer {expected}{METADATA}");
        assert_eq!(challenge(&rule, &json!({}), request), (status, Some(expected)), "{requirement}");
    }
}

#[test]
fn the_realm_comes_first() {
    let changes = json!({"answers": {"realm": "tools"}});
    let rule = json!({"prefix": "/", "any_of": ["read"]});
    let expected = format!("Bearer realm=\"tools\", scope=\"mcp/read\", {METADATA}");
    assert_eq!(challenge(&rule, &changes, Request::new("GET", "/mcp")), (401, Some(expected)));
}

#[test]
fn only_a_response_that_asks_for_another_token_names_the_metadata() {
    let mut authorizer =
        authorizer(&json!({"routes": [{"prefix": "/mcp", "any_of": ["read"]}], "resource": resource()}));
    for (request, status, expected) in [
        (Request::new("GET", "/other"), 403, None),
        (Request::new("GET", "/mcp/../other"), 400, None),
        (Request::new("GET", "/mcp").bearer("a.b.c").bearer("a.b.c"), 400, Some("Bearer error=\"invalid_request\"")),
        (Request::new("GET", "/mcp").header("connection", "authorization"), 400, None),
    ] {
        let (_, response) = rejected(&mut authorizer, &request);
        let challenge = header(&response, "www-authenticate");
        assert_eq!((response.status, challenge.as_deref()), (status, expected), "{request:?}");
    }
}

#[test]
fn a_request_that_must_satisfy_two_rules_is_told_the_scopes_of_both() {
    let changes = json!({
        "routes": [{"path": "/admin", "any_of": ["read"]}, {"path": "/Admin", "any_of": ["write"]}],
        "case_insensitive_paths": true,
        "resource": resource(),
    });
    let (_, response) = rejected(&mut authorizer(&changes), &Request::new("GET", "/Admin"));
    let expected = format!("Bearer scope=\"mcp/read mcp/write\", {METADATA}");
    assert_eq!(header(&response, "www-authenticate"), Some(expected));
}

#[test]
fn nothing_of_the_request_is_in_a_challenge() {
    let mut authorizer =
        authorizer(&json!({"routes": [{"template": "/mcp/{id}", "any_of": ["read"]}], "resource": resource()}));
    let request =
        Request::new("GET", "/mcp/\"canary\"?scope=\"canary\"").header("host", "canary.example").bearer("canary");
    let (_, response) = rejected(&mut authorizer, &request);
    assert!(!format!("{response:?}").contains("canary"), "{response:?}");
}

#[test]
fn without_a_resource_every_response_is_what_it_was() {
    let mut authorizer = authorizer(&json!({"routes": [{"prefix": "/mcp", "any_of": ["write"]}]}));
    for (request, status, challenge) in [
        (Request::new("GET", "/mcp"), 401, Some("Bearer")),
        (Request::new("GET", "/mcp").bearer("a.b.c"), 401, Some("Bearer error=\"invalid_token\"")),
        (Request::new("GET", "/mcp").bearer(&token("openid")), 403, Some("Bearer error=\"insufficient_scope\"")),
        (Request::new("GET", "/mcp").bearer("a").bearer("b"), 400, Some("Bearer error=\"invalid_request\"")),
        (Request::new("GET", "/"), 403, None),
    ] {
        let (rejection, response) = rejected(&mut authorizer, &request);
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            _ => "Forbidden",
        };
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        headers.extend(challenge.map(|challenge| ("www-authenticate", challenge.to_owned())));
        headers.push(("content-type", "application/problem+json".to_owned()));
        assert_eq!((response.status, &response.headers), (status, &headers), "{request:?}");
        let body: Value = serde_json::from_str(&response.body).expect("JSON");
        assert_eq!(body, json!({"title": title, "status": status}));
        assert_eq!(response, RejectionFormat::default().response(rejection), "{request:?}");
    }
}

#[test]
fn a_challenge_is_exposed_to_scripts_only_if_configured() {
    for (exposes, expected) in [(false, None), (true, Some(("*", "www-authenticate")))] {
        let changes =
            json!({"routes": [{"prefix": "/mcp", "any_of": ["write"]}], "answers": {"expose_challenge": exposes}});
        let mut authorizer = authorizer(&changes);
        for request in [Request::new("POST", "/mcp"), Request::new("POST", "/mcp").bearer(&token("openid"))] {
            let (_, response) = rejected(&mut authorizer, &request);
            let origin = header(&response, "access-control-allow-origin");
            let exposed = header(&response, "access-control-expose-headers");
            assert_eq!(origin.as_deref().zip(exposed.as_deref()), expected, "{request:?}");
        }
        let (_, response) = rejected(&mut authorizer, &Request::new("POST", "/other"));
        assert_eq!(header(&response, "access-control-allow-origin"), None, "without a challenge");
    }
}

#[test]
fn a_request_that_waited_for_keys_gets_the_same_challenge() {
    let mut pool = pool();
    let keys = pool["keys"]["jwks"].to_string();
    pool["keys"] = json!({"cluster": "keys"});
    let rule = json!({"prefix": "/mcp", "any_of": ["write"]});
    let mut authorizer = authorizer(&json!({"pools": [pool], "routes": [rule], "resource": resource()}));
    let request = Request::new("POST", "/mcp").bearer(&token("mcp/read"));
    let Decision::Pause(paused) = authorizer.authorize(NOW, &request) else { panic!("there are no keys") };
    let Decision::Reject(rejection) = authorizer.time_out(&request, &paused) else { panic!("there are no keys") };
    let response = authorizer.response(&request, rejection);
    assert_eq!((response.status, header(&response, "www-authenticate")), (503, None));
    let fetched = Response { body: Some(keys.as_bytes()), max_age: None, etag: None };
    authorizer.fetched(NOW, &paused.url, None, LogicalTime(2), NOW, Ok(fetched)).expect("a key set");
    let decision = authorizer.authorize_paused(NOW, &request, &paused, LogicalTime(1));
    let Decision::Reject(rejection) = decision else { panic!("the token lacks a scope: {decision:?}") };
    let expected = format!("Bearer error=\"insufficient_scope\", scope=\"mcp/read mcp/write\", {METADATA}");
    assert_eq!(header(&authorizer.response(&request, rejection), "www-authenticate"), Some(expected));
}

#[test]
fn a_scope_that_cannot_be_quoted_is_an_error_of_the_configuration() {
    for scope in ["a\"b", "a\\b", "a\u{e9}", "a\r\nx:y", "a\u{7f}"] {
        let changes =
            json!({"policies": [{"name": "p", "scopes": {"any_of": ["mcp/read", scope]}}], "resource": resource()});
        let error = try_authorizer(&changes).err().unwrap_or_default();
        assert_eq!(error, "policies[0].scopes: has something that is not a scope (RFC 6749 section 3.3)", "{scope:?}");
        // Such a scope is accepted where it is not written into a header.
        let changes = json!({"policies": [{"name": "p", "scopes": {"any_of": ["mcp/read", scope]}}]});
        assert!(config::read(configuration(&changes).to_string().as_bytes()).is_ok(), "{scope:?}");
    }
}
