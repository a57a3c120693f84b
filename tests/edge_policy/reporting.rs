//! `report_only` for a route and for the whole file.

use crate::scene::{Sent, authorizer, forwarded, verdict};
use poolgate_tests::edge_scene::{access, guarded, pool};
use serde_json::{Value, json};

fn configuration() -> Value {
    let mut configuration = guarded(pool());
    configuration["policies"] = json!([{"name": "admins", "groups": {"any_of": ["admins"]}}]);
    configuration["routes"] = json!([
        {"path": "/health", "public": true},
        {"prefix": "/admin", "any_of": ["admins"]},
        {"prefix": "/either", "authenticated": true, "optional": true},
        {"prefix": "/api", "authenticated": true},
    ]);
    configuration["claims_to_headers"] = json!([{"claim": "sub", "header": "x-user"}]);
    configuration
}

#[test]
fn report_only_for_the_whole_file_is_the_same_as_on_every_route() {
    let mut whole = configuration();
    whole["report_only"] = json!(true);
    let mut each = configuration();
    for route in each["routes"].as_array_mut().expect("routes").iter_mut().skip(1) {
        route["report_only"] = json!(true);
    }
    let (mut enforced, mut whole, mut each) = (authorizer(&configuration()), authorizer(&whole), authorizer(&each));
    assert_eq!(enforced.warnings(), []);
    assert_eq!(each.warnings(), []);
    let warnings: Vec<String> = whole.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["report_only: no token and no policy is enforced: requests are only counted"]);

    let get = |target: &str, token: Option<&str>| match token {
        Some(token) => Sent::get(target).with("authorization", format!("Bearer {token}")),
        None => Sent::get(target),
    };
    let (valid, expired) = (access().compact(), access().claim("exp", 1).compact());
    for (request, when_enforced, when_reported) in [
        (get("/health", None), "anonymous", "anonymous"),
        (get("/api", Some(&valid)), "verified", "verified"),
        (get("/api", None), "no-token", "reported no-token"),
        (get("/api", Some(&expired)), "expired", "reported expired"),
        (get("/api", Some(&valid)).with_token(), "several-tokens", "reported several-tokens"),
        (get("/admin", Some(&valid)), "group-missing", "reported group-missing"),
        (get("/either", None), "anonymous", "anonymous"),
        (get("/either", Some(&expired)), "expired", "reported expired"),
        // Not about a token or a policy.
        (get("/other", Some(&valid)), "no-rule", "no-rule"),
        (get("/api/../admin", Some(&valid)), "ambiguous-path", "ambiguous-path"),
        (get("/api/%zz", Some(&valid)), "malformed-path", "malformed-path"),
        (get("/api", Some(&valid)).with("connection", "x-user"), "connection-header", "connection-header"),
    ] {
        assert_eq!(verdict(&mut enforced, &request), when_enforced, "{request:?}");
        assert_eq!(verdict(&mut whole, &request), when_reported, "{request:?}");
        assert_eq!(verdict(&mut each, &request), when_reported, "{request:?}");
    }
    // Nobody can forge a claim header.
    let forged = get("/admin", Some(&expired)).with("x-user", "root").with("x_user", "root");
    assert!(forwarded(&mut whole, &forged).iter().all(|(name, _)| name != "x_user" && name != "x-user"));
}

#[test]
fn rules_that_differ_in_report_only_alone_are_the_same_rule_for_paths_if_the_file_sets_it() {
    let mut configuration = configuration();
    configuration["routes"] = json!([
        {"prefix": "/new", "authenticated": true, "report_only": true},
        {"prefix": "/", "authenticated": true},
    ]);
    let request = Sent::get("/new/../x");
    assert_eq!(verdict(&mut authorizer(&configuration), &request), "ambiguous-path");
    configuration["report_only"] = json!(true);
    assert_eq!(verdict(&mut authorizer(&configuration), &request), "reported no-token");
}
