//! Rules for some hosts, and a token in one element of a list.

use crate::scene::Scene;
use poolgate_tests::{
    edge_scene::{access, guarded, pool, reason},
    exact_client::send,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_chosen_by_the_host_and_the_application_reads_no_other() {
    let mut configuration = guarded(pool());
    configuration["policies"] = json!([{"name": "admins", "groups": {"any_of": ["admin"]}}]);
    configuration["routes"] = json!([
        {"path": "/health", "public": true},
        {"hosts": ["admin.example.com"], "prefix": "/", "any_of": ["admins"]},
        {"hosts": ["www.example.com", "*.shop.example.com"], "prefix": "/", "public": true},
        {"prefix": "/", "authenticated": true},
    ]);
    let scene = Scene::with(configuration).await;
    let bearer = format!("Bearer {}", access().compact());
    for (host, target, with_token, status, name) in [
        ("www.example.com", "/", false, 200, ""),
        ("WWW.EXAMPLE.com:8443", "/", false, 200, ""),
        ("a.b.shop.example.com", "/", false, 200, ""),
        ("shop.example.com", "/", false, 401, "no-token"),
        ("other.example.com", "/", true, 200, ""),
        ("admin.example.com", "/", true, 403, "group-missing"),
        ("admin.example.com", "/health", false, 200, ""),
        ("www.example.com.", "/", true, 400, "ambiguous-host"),
        ("www.example.com.", "/health", true, 200, ""),
        // The URL in the request line takes precedence over `Host` (RFC 9112 section 3.2.2).
        ("www.example.com", "http://admin.example.com/x", true, 403, "group-missing"),
    ] {
        let token: &[(&str, &str)] = if with_token { &[("Authorization", &bearer)] } else { &[] };
        let response = send(&scene.url, "GET", target, &[&[("Host", host)], token].concat()).await;
        let actual = (response.status, reason(&response.body));
        assert_eq!(actual, (status, name.to_owned()), "{host} {target}: {response:?}");
        assert_eq!(scene.upstream.seen().len(), usize::from(status == 200), "{host} {target}");
    }
    // Envoy rejects some of these itself.
    for hosts in [
        &[("Host", "user@www.example.com")][..],
        &[("Host", "www.example.com, admin.example.com")],
        &[("Host", "www.ex%61mple.com")],
        &[("Host", "www.example.com"), ("Host", "admin.example.com")],
        &[("Host", "")],
    ] {
        let response = send(&scene.url, "GET", "/", &[hosts, &[("Authorization", &bearer)]].concat()).await;
        assert_eq!(response.status, 400, "{hosts:?}: {response:?}");
        assert_eq!(scene.upstream.seen().len(), 0, "{hosts:?}");
    }
    let forwarded = [
        ("Host", "www.example.com"),
        ("X-Forwarded-Host", "admin.example.com"),
        ("x_forwarded_host", "admin.example.com"),
        ("X-Original-Host", "www.example.com"),
        ("Forwarded", "host=admin.example.com"),
    ];
    assert_eq!(send(&scene.url, "GET", "/", &forwarded).await.status, 200);
    let seen = scene.upstream.seen();
    assert!(!format!("{seen:?}").contains("admin.example.com"), "{seen:?}");
    assert_eq!(seen[0].header("x-original-host"), ["www.example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_element_of_a_list_is_the_token_and_it_alone_is_removed() {
    let mut configuration = guarded(pool());
    configuration["tokens"] = json!({
        "from": [{"header": "sec-websocket-protocol", "element_prefix": "bearer."}, {"cookie_pattern": "Provider.*.accessToken"}],
        "forward": false,
    });
    let scene = Scene::with(configuration).await;
    let token = access().compact();
    let (element, cookie) = (format!("bearer.{token}"), format!("a=1; Provider.ada.accessToken={token}"));
    let name = "Sec-WebSocket-Protocol";
    let first = format!("graphql-ws, {element}");
    for (headers, status, left) in [
        (vec![(name, first.as_str())], 200, vec!["graphql-ws"]),
        (vec![(name, element.as_str()), (name, "graphql-ws")], 200, vec!["graphql-ws"]),
        (vec![(name, element.as_str())], 200, vec![]),
        (vec![(name, element.as_str()), (name, element.as_str())], 400, vec![]),
        (vec![(name, "graphql-ws")], 401, vec![]),
        (vec![(name, "graphql-ws"), ("Cookie", cookie.as_str())], 200, vec!["graphql-ws"]),
        (vec![(name, element.as_str()), ("Cookie", cookie.as_str())], 400, vec![]),
    ] {
        let response = send(&scene.url, "GET", "/", &headers).await;
        assert_eq!(response.status, status, "{response:?}");
        let seen = scene.upstream.seen();
        assert_eq!(seen.len(), usize::from(status == 200));
        for request in seen {
            assert_eq!(request.header("sec-websocket-protocol"), left);
            assert!(!format!("{request:?}").contains(&token), "{request:?}");
        }
    }
}
