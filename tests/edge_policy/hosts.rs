//! Routes for some hosts.

use crate::scene::{Sent, authorizer, error, forwarded, verdict};
use poolgate_edge::{Conflict, Decision, Rejection};
use poolgate_tests::edge_scene::{guarded, now, pool};
use serde_json::{Value, json};

/// Rules for two hosts, between rules for all hosts.
fn configuration() -> Value {
    let mut configuration = guarded(pool());
    configuration["policies"] = json!([{"name": "admins", "groups": {"any_of": ["admins"]}}]);
    configuration["routes"] = json!([
        {"path": "/health", "public": true},
        {"hosts": ["admin.example.com"], "prefix": "/", "any_of": ["admins"]},
        {"hosts": ["www.example.com", "*.shop.example.com", "[2001:db8::1]"], "prefix": "/", "public": true},
        {"prefix": "/", "authenticated": true},
    ]);
    configuration
}

#[test]
fn a_rule_with_hosts_applies_to_these_hosts_only() {
    let mut authorizer = authorizer(&configuration());
    assert_eq!(authorizer.warnings(), []);
    for (authority, target, expected) in [
        ("www.example.com", "/", "anonymous"),
        ("WWW.Example.com:8443", "/", "anonymous"),
        ("eu.shop.example.com", "/", "anonymous"),
        ("a.eu.shop.example.com", "/", "anonymous"),
        ("shop.example.com", "/", "no-token"),
        ("xshop.example.com", "/", "no-token"),
        ("[2001:DB8::1]:80", "/", "anonymous"),
        ("example.com", "/", "no-token"),
        ("127.0.0.1:8080", "/", "no-token"),
        ("admin.example.com", "/health", "anonymous"),
    ] {
        let request = Sent::get(target).with(":authority", authority);
        assert_eq!(verdict(&mut authorizer, &request), expected, "{authority}");
        let http_1 = Sent::get(target).with("host", authority);
        assert_eq!(verdict(&mut authorizer, &http_1), expected, "{authority}");
        let both = http_1.with(":authority", authority.to_ascii_uppercase());
        assert_eq!(verdict(&mut authorizer, &both), expected, "{authority}");
    }
    let with_token = |host: &str| Sent::get("/").with("host", host).with_token();
    assert_eq!(verdict(&mut authorizer, &with_token("admin.example.com")), "group-missing");
    assert_eq!(verdict(&mut authorizer, &with_token("example.com")), "verified");
}

#[test]
fn a_host_that_servers_read_differently_is_refused_only_if_it_chooses_different_rules() {
    let mut authorizer = authorizer(&configuration());
    let several = || Sent::get("/").with("host", "www.example.com").with("host", "admin.example.com");
    let target = |target: &str, request: Sent| Sent { target: target.to_owned(), ..request };
    for request in [
        Sent::get("/"),
        several(),
        Sent::get("/").with("host", "www.example.com").with("host", "www.example.com"),
        Sent::get("/").with(":authority", "www.example.com").with("host", "admin.example.com"),
        Sent::get("/").with("host", ""),
        Sent::get("/").with("host", "user@www.example.com"),
        Sent::get("/").with("host", "www.example.com,admin.example.com"),
        Sent::get("/").with("host", "www.example.com admin.example.com"),
        Sent::get("/").with("host", "www.ex%61mple.com"),
        Sent::get("/").with("host", "\u{ff57}ww.example.com"),
        Sent::get("/").with("host", "www.example.com."),
        Sent::get("/").with("host", "www.example.com.:443"),
        Sent::get("/").with("host", "www.example.com.."),
        Sent::get("/").with("host", "[2001:db8:0::1]"),
    ] {
        for request in [request.clone(), request.clone().with_token()] {
            let Decision::Reject(rejection) = authorizer.authorize(now(), &request) else { panic!("{request:?}") };
            assert_eq!((rejection.name(), rejection.status()), ("ambiguous-host", 400), "{request:?}");
        }
        assert_eq!(verdict(&mut authorizer, &target("/health", request)), "anonymous");
    }
    let with_a_dot = Sent::get("/").with("host", "example.com.").with_token();
    assert_eq!(verdict(&mut authorizer, &with_a_dot), "verified");
    let odd_path = Sent::get("/x/../health").with("host", "example.com");
    assert_eq!(verdict(&mut authorizer, &odd_path), "ambiguous-path");

    // The log names the two rules once.
    let rejection = Rejection::AmbiguousHost(Conflict { first: Some(3), second: Some(1) });
    let Decision::Reject(actual) = authorizer.authorize(now(), &several()) else { panic!("forwarded") };
    assert_eq!(actual, rejection);
    let line = authorizer.explain(rejection).expect("a line");
    assert!(line.contains("host") && line.contains("routes[3] (prefix /)") && line.contains("routes[1]"), "{line}");
    assert_eq!(authorizer.explain(rejection), None);
    let of_paths = authorizer.explain(Rejection::AmbiguousPath(Conflict { first: Some(3), second: Some(1) }));
    assert!(of_paths.is_some_and(|line| line.contains("an ambiguous path")));
}

#[test]
fn without_hosts_in_the_policy_the_host_does_not_matter() {
    let mut authorizer = authorizer(&guarded(pool()));
    for request in [
        Sent::get("/"),
        Sent::get("/").with("host", "a@b").with("host", "c"),
        Sent::get("/").with(":authority", "\u{fffd}"),
    ] {
        assert_eq!(verdict(&mut authorizer, &request.with_token()), "verified");
    }
}

#[test]
fn the_application_receives_no_other_host_than_the_one_that_chose_the_rule() {
    let sent = Sent::get("/")
        .with("host", "www.example.com")
        .with("x-forwarded-host", "admin.example.com")
        .with("x_forwarded_host", "www.example.com, admin.example.com")
        .with("x-original-host", "WWW.example.com")
        .with("forwarded", "for=192.0.2.1;host=admin.example.com")
        .with("x-forwarded-for", "192.0.2.1");
    let names = |configuration: &Value| {
        let headers = forwarded(&mut authorizer(configuration), &sent.clone().with_token());
        headers.into_iter().map(|(name, _)| name).filter(|name| *name != "authorization" && *name != ":path").collect()
    };
    let kept: Vec<String> = names(&configuration());
    assert_eq!(kept, ["host", "x-original-host", "x-forwarded-for"]);
    // Without hosts in the policy, these headers do not matter.
    let all: Vec<String> = names(&guarded(pool()));
    assert_eq!(all.len(), sent.headers.len());
    let with_port =
        Sent::get("/").with("host", "www.example.com:8443").with("x-forwarded-host", "www.example.com:8443");
    assert_eq!(forwarded(&mut authorizer(&configuration()), &with_port).len(), 3);
}

#[test]
fn a_preflight_is_for_the_rule_of_its_host() {
    let mut configuration = configuration();
    configuration["cors_preflight"] = json!("pass");
    configuration["routes"] = json!([{"hosts": ["api.example.com"], "prefix": "/", "authenticated": true}]);
    let mut authorizer = authorizer(&configuration);
    let preflight = |host: &str| Sent {
        method: "OPTIONS",
        ..Sent::get("/")
            .with("host", host)
            .with("origin", "https://app.example.com")
            .with("access-control-request-method", "PUT")
    };
    assert_eq!(verdict(&mut authorizer, &preflight("api.example.com")), "anonymous");
    assert_eq!(verdict(&mut authorizer, &preflight("other.example.com")), "no-rule");
    assert_eq!(verdict(&mut authorizer, &preflight("a@api.example.com")), "ambiguous-host");
}

#[test]
fn an_error_in_hosts_names_its_position() {
    let message = "must be a host without a port, such as example.com, *.example.com, 192.0.2.1 or [2001:db8::1]";
    for (hosts, expected) in [
        (json!([]), "routes[0].hosts: is an empty list: add an entry, or remove the list".to_owned()),
        (json!(["a.example", ""]), "routes[0].hosts: contains an empty name".to_owned()),
        (json!(["a.example", "a.example:80"]), format!("routes[0].hosts[1]: {message}")),
        (json!(["*"]), format!("routes[0].hosts[0]: {message}")),
        (json!(["https://a.example"]), format!("routes[0].hosts[0]: {message}")),
        (json!(["b\u{fc}cher.example"]), format!("routes[0].hosts[0]: {message}")),
        (json!(null), "routes[0].hosts: invalid type: null, expected a sequence".to_owned()),
        (json!("a.example"), "routes[0].hosts: invalid type: string \"a.example\", expected a sequence".to_owned()),
    ] {
        let mut configuration = guarded(pool());
        configuration["routes"][0]["hosts"] = hosts;
        assert_eq!(error(&configuration), expected);
    }
}

#[test]
fn a_rule_that_an_earlier_one_for_its_hosts_hides_causes_a_warning() {
    let all = |mut rule: Value| {
        rule["prefix"] = json!("/");
        rule
    };
    let public = |hosts: &[&str]| all(json!({"hosts": hosts, "public": true}));
    let protected = |hosts: &[&str]| all(json!({"hosts": hosts, "authenticated": true}));
    let (public_everywhere, protected_everywhere) = (all(json!({"public": true})), all(json!({"authenticated": true})));
    for (routes, expected) in [
        (json!([public_everywhere, protected(&["a.example"])]), &["routes[1]: never matches: routes[0]"][..]),
        (json!([public(&["*.example"]), protected(&["a.example"])]), &["routes[1]: never matches: routes[0]"]),
        (json!([public(&["*.example"]), protected(&["*.a.example"])]), &["routes[1]: never matches: routes[0]"]),
        (json!([public(&["*.example"]), protected(&["example"])]), &[]),
        (json!([public(&["a.example"]), protected(&["*.example"])]), &[]),
        (json!([public(&["a.example"]), protected_everywhere]), &[]),
        (
            json!([public(&["a.example"]), public(&["b.example"]), protected(&["b.example", "a.example"])]),
            &["routes[2]: never matches: routes[1] (prefix /) and routes[0] (prefix /) come first"],
        ),
        (json!([public(&["a.example"]), protected(&["b.example", "a.example"])]), &[]),
        // For POST, a rule for another host does not apply, and one for all hosts does.
        (
            json!([
                {"hosts": ["a.example"], "prefix": "/", "methods": ["GET"], "authenticated": true},
                public(&["b.example"]),
                public_everywhere,
            ]),
            &["routes[0]: does not apply to POST, for which routes[2] (prefix /) applies and requires less"],
        ),
        (
            json!([
                {"hosts": ["a.example"], "prefix": "/", "methods": ["GET"], "authenticated": true},
                public(&["b.example"]),
            ]),
            &[],
        ),
        (
            json!([
                {"hosts": ["a.example"], "prefix": "/Admin", "authenticated": true},
                {"hosts": ["a.example"], "prefix": "/admin", "public": true},
            ]),
            &["routes[1]: requests for its path are rejected (400)"],
        ),
        (
            json!([
                {"hosts": ["a.example"], "prefix": "/Admin", "authenticated": true},
                {"hosts": ["b.example"], "prefix": "/admin", "public": true},
            ]),
            &[],
        ),
        (
            json!([
                {"hosts": ["a.example"], "prefix": "/Admin", "authenticated": true},
                {"hosts": ["b.example", "a.example"], "prefix": "/admin", "public": true},
            ]),
            &["routes[1]: requests for its path are rejected (400)"],
        ),
        // Some servers ignore the dot, so both spellings are needed.
        (
            json!([public(&["a.example."]), protected_everywhere]),
            &["routes[0]: requests for its host with a dot at the end are rejected (400)"],
        ),
        (json!([public(&["a.example.", "a.example"]), protected_everywhere]), &[]),
    ] {
        let mut configuration = guarded(pool());
        configuration["routes"] = routes;
        let warnings = authorizer(&configuration).warnings().to_vec();
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let is_expected = warnings.iter().zip(expected).all(|(warning, expected)| warning.starts_with(expected));
        assert!(is_expected && warnings.len() == expected.len(), "{expected:?}: {warnings:?}");
    }
}
