//! The redirect of browsers to a login page.

use crate::request::{Request, authorizer, header, rejected, resource, token};
use poolgate_edge::RequestAuthorizer;
use serde_json::json;

/// What a browser sends if a person opens a page.
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const BEFORE: &str = "https://login.example.com/start?return_to=https%3A%2F%2Fapp.example.com";

fn protected() -> RequestAuthorizer {
    authorizer(&json!({
        "routes": [{"prefix": "/public", "public": true}, {"prefix": "/write", "any_of": ["write"]}, {"prefix": "/", "authenticated": true}],
        "tokens": {"from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "session"}, {"query": "access_token"}]},
        "answers": {"login": {
            "url": "https://login.example.com/start", "return_parameter": "return_to", "return_origin": "https://app.example.com",
        }},
        "resource": resource(),
    }))
}

fn navigation(target: &str) -> Request {
    Request::new("GET", target).header("accept", HTML)
}

/// Returns the status and `Location`.
fn answer(request: &Request) -> (u16, Option<String>) {
    let (_, response) = rejected(&mut protected(), request);
    (response.status, header(&response, "location"))
}

#[test]
fn a_navigation_without_a_valid_token_is_redirected() {
    for request in [
        navigation("/orders/1?sort=name&page=2"),
        navigation("/orders/1?sort=name&page=2").header("sec-fetch-mode", "navigate"),
        navigation("/orders/1?sort=name&page=2").header("cookie", "session=expired"),
        navigation("/orders/1?sort=name&page=2").bearer("a.b.c"),
        navigation("/orders/1?sort=name&page=2")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example"),
    ] {
        let (_, response) = rejected(&mut protected(), &request);
        let location = format!("{BEFORE}%2Forders%2F1%3Fsort%3Dname%26page%3D2");
        let expected = vec![("cache-control", "no-store".to_owned()), ("location", location)];
        assert_eq!((response.status, response.headers, response.body.as_str()), (302, expected, ""), "{request:?}");
    }
}

#[test]
fn every_other_request_gets_401() {
    let target = "/orders/1";
    for method in ["POST", "HEAD", "PUT", "OPTIONS", "get"] {
        assert_eq!(answer(&Request::new(method, target).header("accept", HTML)), (401, None), "{method}");
    }
    for request in [
        Request::new("GET", target),
        Request::new("GET", target).header("accept", HTML).header("accept", HTML),
        navigation(target).header("sec-fetch-mode", "cors"),
        navigation(target).header("sec-fetch-mode", "no-cors"),
        navigation(target).header("sec-fetch-mode", "navigate").header("sec-fetch-mode", "cors"),
        navigation(target).header("sec-fetch-mode", ""),
    ] {
        assert_eq!(answer(&request), (401, None), "{request:?}");
    }
    let grpc = Request::new("POST", target).header("accept", HTML).header("content-type", "application/grpc");
    assert_eq!(answer(&grpc), (401, None));
}

#[test]
fn html_must_be_preferred() {
    for (accept, is_redirected) in [
        ("text/html", true),
        ("TEXT/HTML", true),
        ("text/html;charset=utf-8", true),
        ("text/html; q=0.9, */*; q=0.8", true),
        ("application/xhtml+xml, text/html", true),
        ("text/html, application/json", true),
        ("application/json;q=0.5, text/html", true),
        ("text/plain;q=0.1, text/html;q=0.25, */*;q=0.05", true),
        ("text/html; level=1; q=1.000, application/json; q=0.999", true),
        ("", false),
        ("*/*", false),
        ("text/*", false),
        ("application/json", false),
        ("application/json, text/event-stream", false),
        ("application/json, text/plain, */*", false),
        ("application/json, text/html", false),
        ("application/json, text/html;q=0.9", false),
        ("text/html;q=0", false),
        ("text/html;q=0.000", false),
        ("text/html;q=0.5, application/json;q=0.51", false),
        ("text/html;Q=0.5, application/json;q=0.51", false),
        ("text/html;q=2", false),
        ("text/html;q=1.1", false),
        ("text/html;q=-1", false),
        ("text/html;q=0.1234", false),
        ("text/html;q=", false),
        ("text/htmlx", false),
        ("image/avif,image/webp,*/*;q=0.8", false),
    ] {
        let expected = if is_redirected { 302 } else { 401 };
        assert_eq!(answer(&Request::new("GET", "/").header("accept", accept)).0, expected, "{accept:?}");
    }
}

#[test]
fn a_login_that_would_not_help_is_not_offered() {
    let several = navigation("/").bearer("a.b.c").header("cookie", "session=a.b.c");
    for (request, status) in [
        // The user is known, but lacks a scope.
        (navigation("/write").bearer(&token("openid")), 403),
        (several, 400),
        (navigation("/a/../write"), 400),
        (navigation("/").header("connection", "cookie"), 400),
    ] {
        assert_eq!(answer(&request), (status, None), "{request:?}");
    }
}

#[test]
fn the_return_url_is_on_the_configured_origin_or_absent() {
    let start = Some("https://login.example.com/start".to_owned());
    for target in [
        "//evil.example",
        "//evil.example/orders",
        "/\\evil.example",
        "/x//evil.example",
        "/x/..//evil.example",
        "/orders\\x",
        "/orders?next=\\\\evil.example",
        "/orders?a=\tb",
        "/orders?a=\r\nset-cookie:b",
        "/orders?a=\u{e9}",
        "/orders?a=\u{0}",
        "/orders#a",
        "/orders?a=\"",
        "@evil.example/",
        ".evil.example/",
        "https://evil.example/",
        "*",
        "",
    ] {
        // Many of these are rejected as malformed or ambiguous before.
        let (status, location) = answer(&navigation(target));
        match status {
            400 | 403 => assert_eq!(location, None, "{target:?}"),
            302 => assert_eq!(location, start, "{target:?}"),
            status => panic!("{status} for {target:?}"),
        }
    }
    // What is kept is decoded to the same URL.
    for (target, encoded) in [
        ("/", "%2F"),
        ("/a%20b", "%2Fa%2520b"),
        ("/orders?next=//evil.example", "%2Forders%3Fnext%3D%2F%2Fevil.example"),
        ("/orders?next=https://evil.example/@a", "%2Forders%3Fnext%3Dhttps%3A%2F%2Fevil.example%2F%40a"),
        (
            "/orders?a=1+2&return_to=https%3A%2F%2Fevil.example",
            "%2Forders%3Fa%3D1%2B2%26return_to%3Dhttps%253A%252F%252Fevil.example",
        ),
        ("/orders?", "%2Forders%3F"),
    ] {
        assert_eq!(answer(&navigation(target)), (302, Some(format!("{BEFORE}{encoded}"))), "{target}");
    }
}

#[test]
fn a_token_in_the_query_is_not_sent_to_the_login_page() {
    for (target, encoded) in [
        ("/orders?access_token=a.b.c", "%2Forders"),
        ("/orders?a=1&access_token=a.b.c&b=2", "%2Forders%3Fa%3D1%26b%3D2"),
        ("/orders?a=1&access%5Ftoken=a.b.c", "%2Forders%3Fa%3D1"),
        ("/orders?a=1&access.token=a.b.c", "%2Forders%3Fa%3D1"),
    ] {
        assert_eq!(answer(&navigation(target)), (302, Some(format!("{BEFORE}{encoded}"))), "{target}");
    }
}

#[test]
fn a_very_long_url_is_not_returned_to() {
    let fits = 4_096 - BEFORE.len() - "%2F".len();
    let (status, location) = answer(&navigation(&format!("/{}", "a".repeat(fits))));
    assert_eq!((status, location.map(|it| it.len())), (302, Some(4_096)));
    for length in [fits + 1, 5_000, 100_000] {
        let (status, location) = answer(&navigation(&format!("/?{}", "b".repeat(length))));
        assert_eq!((status, location.as_deref()), (302, Some("https://login.example.com/start")), "{length}");
    }
}

#[test]
fn the_parameter_is_added_to_the_query_of_the_login_page() {
    for (login, expected) in [
        (json!({"url": "https://login.example.com"}), "https://login.example.com"),
        (json!({"url": "https://login.example.com/?a=b"}), "https://login.example.com/?a=b"),
        (
            json!({"url": "https://login.example.com/?a=b", "return_parameter": "r", "return_origin": "http://localhost:3000"}),
            "https://login.example.com/?a=b&r=http%3A%2F%2Flocalhost%3A3000%2Fx",
        ),
    ] {
        let (_, response) = rejected(&mut authorizer(&json!({"answers": {"login": login}})), &navigation("/x"));
        assert_eq!((response.status, header(&response, "location").as_deref()), (302, Some(expected)));
    }
}

#[test]
fn without_a_login_page_a_browser_gets_401() {
    let (_, response) = rejected(&mut authorizer(&json!({})), &navigation("/"));
    assert_eq!((response.status, header(&response, "location")), (401, None));
}

#[test]
fn a_login_page_that_browsers_do_not_reach_causes_a_warning() {
    let expected = "answers.login.url: no public rule is for this page: browsers do not reach it";
    for (url, routes, is_warned) in [
        ("https://app.example.com/login", json!([{"prefix": "/", "authenticated": true}]), true),
        ("https://app.example.com/login", json!([{"prefix": "/", "authenticated": true, "optional": true}]), true),
        ("https://app.example.com/login", json!([{"prefix": "/app", "authenticated": true}]), true),
        (
            "https://app.example.com/login",
            json!([{"path": "/login", "hosts": ["other.example.com"], "public": true}, {"prefix": "/", "authenticated": true}]),
            true,
        ),
        ("https://app.example.com", json!([{"prefix": "/", "authenticated": true}]), true),
        (
            "https://app.example.com/login?theme=dark",
            json!([{"path": "/login", "hosts": ["app.example.com"], "public": true}, {"prefix": "/", "authenticated": true}]),
            false,
        ),
        // On another origin.
        ("https://login.example.com/login", json!([{"prefix": "/", "authenticated": true}]), false),
    ] {
        let login = json!({"url": url, "return_parameter": "r", "return_origin": "https://app.example.com"});
        let authorizer = authorizer(&json!({"routes": routes, "answers": {"login": login}}));
        let warnings: Vec<String> = authorizer.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(warnings.iter().any(|warning| warning == expected), is_warned, "{url} {routes}: {warnings:?}");
    }
}
