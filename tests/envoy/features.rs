//! What a configuration can say, each seen through HTTP.

use crate::scene::Scene;
use poolgate_tests::edge_scene::{access, pool, reason, valid_now};
use poolgate_tests::exact_client::{get, send};
use poolgate_tests::{
    keys::RSA_2048,
    minting::{CLIENT_ID, Draft, SUBJECT},
};
use serde_json::{Value, json};

/// Status and reason.
async fn ask(scene: &Scene, method: &str, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let response = send(&scene.url, method, target, headers).await;
    (response.status, reason(&response.body))
}

fn told(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_choose_by_path_and_method_and_policies_combine() {
    let scene = Scene::with(json!({
        "pools": [pool()],
        "policies": [
            {"name": "admins", "groups": {"any_of": ["admin", "root"]}},
            {"name": "readers", "scopes": {"all_of": ["read", "list"]}},
            {"name": "ids", "token_use": "id"},
            {"name": "mobile", "client_ids": ["another"]},
            {"name": "main", "pools": ["main"]},
        ],
        "routes": [
            {"path": "/health", "public": true},
            {"prefix": "/items", "methods": ["GET"], "authenticated": true},
            {"prefix": "/items", "methods": ["POST", "DELETE"], "any_of": ["admins"]},
            {"template": "/users/{id}/orders", "all_of": ["admins", "readers"]},
            {"path": "/either", "any_of": ["admins", "readers"]},
            {"path": "/ids", "any_of": ["ids"]},
            {"path": "/mobile", "all_of": ["mobile"]},
            {"path": "/main", "all_of": ["main"]},
            {"path": "/maybe", "authenticated": true, "optional": true},
            {"path": "/trial", "any_of": ["admins"], "report_only": true},
        ],
        "answers": {"include_reason": true},
    }))
    .await;
    let bearer = |draft: Draft| format!("Bearer {}", draft.compact());
    let (plain, admin) = (bearer(access()), bearer(access().claim("cognito:groups", "[\"root\"]")));
    let reader = bearer(access().claim("scope", "\"list read\""));
    let both = bearer(access().claim("cognito:groups", "[\"admin\"]").claim("scope", "\"read list x\""));
    let id = bearer(valid_now(Draft::id(&RSA_2048)));
    let bad = bearer(access().claim("exp", 1));
    let (passes, no_token) = (told(200, ""), told(401, "no-token"));
    let (no_group, no_scope) = (told(403, "group-missing"), told(403, "scope-missing"));
    for (method, target, authorization, expected) in [
        ("GET", "/health", None, &passes),
        ("GET", "/health", Some(&bad), &passes),
        ("GET", "/items", None, &no_token),
        ("GET", "/items/7", Some(&plain), &passes),
        ("GET", "/items/7", Some(&bad), &told(401, "expired")),
        ("POST", "/items", Some(&plain), &no_group),
        ("POST", "/items", Some(&admin), &passes),
        ("PUT", "/items", Some(&admin), &told(403, "no-rule")),
        // As the framework does, which answers HEAD with what it has for GET.
        ("HEAD", "/items", None, &told(401, "")),
        ("HEAD", "/items", Some(&admin), &passes),
        ("GET", "/users/7/orders", Some(&admin), &no_scope),
        ("GET", "/users/7/orders", Some(&reader), &no_group),
        ("GET", "/users/7/orders", Some(&both), &passes),
        ("GET", "/users/7", Some(&both), &told(403, "no-rule")),
        ("GET", "/either", Some(&admin), &passes),
        ("GET", "/either", Some(&reader), &passes),
        ("GET", "/either", Some(&plain), &no_scope),
        ("GET", "/ids", Some(&id), &passes),
        ("GET", "/ids", Some(&plain), &told(401, "token-use-mismatch")),
        ("GET", "/mobile", Some(&plain), &told(401, "client-mismatch")),
        ("GET", "/main", Some(&plain), &passes),
        ("GET", "/maybe", None, &passes),
        ("GET", "/maybe", Some(&plain), &passes),
        ("GET", "/maybe", Some(&bad), &told(401, "expired")),
        ("GET", "/trial", None, &passes),
        ("GET", "/trial", Some(&plain), &passes),
        ("GET", "/trial", Some(&admin), &passes),
    ] {
        let headers: Vec<(&str, &str)> = authorization.iter().map(|it| ("Authorization", it.as_str())).collect();
        assert_eq!(
            ask(&scene, method, target, &headers).await,
            *expected,
            "{method} {target} {}",
            authorization.is_some()
        );
    }
    let metric = async |name: &str| scene.envoy.metric(name).await;
    assert_eq!(metric("poolgate_requests_verdict_reported_reason_no_token").await, 1);
    assert_eq!(metric("poolgate_requests_verdict_reported_reason_group_missing").await, 1);
    assert_eq!(metric("poolgate_requests_verdict_refused_reason_expired").await, 2);
    assert_eq!(metric("poolgate_requests_verdict_anonymous_reason_none").await, 3);
    assert!(metric("poolgate_requests_verdict_verified_reason_none").await >= 8);
    assert_eq!(metric("poolgate_keys_pool_main").await, 2);
    let text = scene.envoy.admin("/stats/prometheus").await;
    assert!(text.contains("poolgate_key_age_seconds_pool_main"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_become_headers_and_a_client_can_forge_none() {
    let scene = Scene::with(json!({
        "pools": [pool()],
        "routes": [
            {"prefix": "/public", "public": true},
            {"prefix": "/maybe", "authenticated": true, "optional": true},
            {"prefix": "/trial", "authenticated": true, "report_only": true},
            {"prefix": "/", "authenticated": true},
        ],
        "tokens": {"forward": false},
        "claims_to_headers": [
            {"claim": "sub", "header": "x-user"},
            {"claim": "cognito:groups", "header": "x-groups"},
            {"claim": "address", "path": ["country", "code"], "header": "x-country"},
            {"claim": "absent", "header": "x-absent"},
            {"claim": "evil", "header": "x-evil"},
        ],
        "claims_to_filter_state": [{"claim": "sub", "name": "poolgate_subject"}],
    }))
    .await;
    let token = access()
        .claim("cognito:groups", "[\"a,b\",\"c\"]")
        .claim("address", "{\"country\":{\"code\":\"DE\"}}")
        .claim("evil", "\"x\\r\\nx-user: root\"")
        .compact();
    let bearer = format!("Bearer {token}");
    let forged = [
        ("x-user", "root"),
        ("X-User", "root2"),
        ("x-groups", "admin"),
        ("x-absent", "forged"),
        ("X-EVIL", "y"),
        ("x-country", "US"),
    ];
    let authorized: Vec<(&str, &str)> = forged.into_iter().chain([("Authorization", bearer.as_str())]).collect();
    let response = send(&scene.url, "GET", "/x", &authorized).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("x-filter-state"), Some(SUBJECT), "later filters can read it");
    let seen = scene.upstream.seen();
    let [one] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(one.header("x-user"), [SUBJECT]);
    assert_eq!(one.header("x-groups"), ["a%2Cb,c"]);
    assert_eq!(one.header("x-country"), ["DE"]);
    assert_eq!(one.header("x-evil"), ["x%0D%0Ax-user: root"]);
    assert!(one.header("x-absent").is_empty() && one.header("authorization").is_empty(), "{one:?}");
    // Where no token is looked at, or none is there, or a bad one is let through: no claims.
    let bad = format!("Bearer {}", access().claim("exp", 1).compact());
    for (target, authorization) in [("/public", bearer.as_str()), ("/maybe", ""), ("/trial", bad.as_str())] {
        let mut headers = forged.to_vec();
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        assert_eq!(send(&scene.url, "GET", target, &headers).await.status, 200, "{target}");
        let seen = scene.upstream.seen();
        let names = ["x-user", "x-groups", "x-absent", "x-evil", "x-country", "authorization"];
        assert!(names.iter().all(|name| seen[0].header(name).is_empty()), "{target}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_where_the_configuration_says_and_in_one_place_only() {
    let configuration = |forward: bool| {
        json!({
            "pools": [pool()],
            "routes": [{"prefix": "/", "authenticated": true}],
            "tokens": {
                "from": [
                    {"header": "authorization", "prefix": "Bearer "}, {"header": "x-token", "prefix": "Token="},
                    {"cookie": "session"}, {"query": "access_token"},
                ],
                "forward": forward,
            },
            "answers": {"include_reason": true},
        })
    };
    let scene = Scene::of(
        &[
            configuration(false),
            configuration(true),
            json!({
                "pools": [pool()], "routes": [{"prefix": "/", "authenticated": true}], "answers": {"include_reason": true},
            }),
        ],
        &[],
        1,
        false,
    )
    .await;
    let token = access().compact();
    let (bearer, own) = (format!("bearer   {token}"), format!("Token={token}"));
    let (cookie, query) = (format!("a=1; session={token}; b=2"), format!("/x?a=1&access_token={token}&b=2"));
    for (target, headers) in [
        ("/x", vec![("authorization", bearer.as_str())]),
        ("/x", vec![("X-Token", own.as_str())]),
        ("/x", vec![("cookie", cookie.as_str())]),
        (query.as_str(), vec![]),
        ("/x", vec![("authorization", "Basic YTpi"), ("cookie", cookie.as_str())]),
    ] {
        assert_eq!(ask(&scene, "GET", target, &headers).await, told(200, ""), "{headers:?}");
        let seen = scene.upstream.seen();
        let text = format!("{seen:?}");
        assert!(!text.contains(&token), "the application gets no token: {text}");
        if target.contains('?') {
            assert_eq!(seen[0].target, "/x?a=1&b=2");
        }
        if headers.iter().any(|(name, _)| *name == "cookie") {
            assert_eq!(seen[0].header("cookie"), ["a=1; b=2"]);
        }
        let forwarding = scene.envoy.url("1").await;
        assert_eq!(send(&forwarding, "GET", target, &headers).await.status, 200);
        assert!(format!("{:?}", scene.upstream.seen()).contains(&token), "here it does");
    }
    let several = told(400, "several-tokens");
    let twice = format!("session={token}; session={token}");
    for headers in [
        vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        vec![("authorization", bearer.as_str()), ("Authorization", "Bearer other")],
        vec![("authorization", "Basic YTpi"), ("authorization", bearer.as_str())],
        vec![("authorization", bearer.as_str()), ("x-token", own.as_str())],
        vec![("authorization", bearer.as_str()), ("cookie", cookie.as_str())],
        vec![("x-token", own.as_str()), ("x-token", own.as_str())],
        vec![("cookie", twice.as_str())],
    ] {
        let answer = ask(&scene, "GET", "/x", &headers).await;
        // A proxy that joins two headers makes a token of them that is none.
        assert!(answer == several || answer.0 == 401, "{answer:?} for {} headers", headers.len());
    }
    assert_eq!(ask(&scene, "GET", &format!("{query}&access_token={token}"), &[]).await, several);
    // By default Authorization alone.
    let default = scene.envoy.url("2").await;
    for (target, headers) in [(query.as_str(), vec![]), ("/x", vec![("cookie", cookie.as_str())])] {
        assert_eq!(send(&default, "GET", target, &headers).await.status, 401);
    }
    assert!(scene.upstream.seen().is_empty());
    let long = format!("Bearer {}", "a".repeat(64 << 10));
    assert_eq!(ask(&scene, "GET", "/x", &[("authorization", &long)]).await, told(401, "token-too-large"));
    assert_eq!(ask(&scene, "GET", "/x", &[("authorization", "Bearer")]).await, told(401, "token-empty"));
    assert!(!scene.envoy.said().contains(&token), "no log has a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_claims_header_reaches_the_application_and_nobody_can_take_one_away() {
    let scene = Scene::with(json!({
        "pools": [pool()],
        "routes": [{"prefix": "/public", "public": true}, {"prefix": "/", "authenticated": true}],
        "claims_to_headers": [{"claim": "sub", "header": "x-user"}],
        "answers": {"include_reason": true},
    }))
    .await;
    let bearer = format!("Bearer {}", access().compact());
    let forged =
        [("x_user", "root"), ("X_User", "root"), ("X.User", "root"), ("x-user", "root"), ("x-username", "stays")];
    for (target, users) in [("/x", &[SUBJECT][..]), ("/public", &[])] {
        let headers: Vec<(&str, &str)> = forged.into_iter().chain([("authorization", bearer.as_str())]).collect();
        assert_eq!(send(&scene.url, "GET", target, &headers).await.status, 200, "{target}");
        let seen = scene.upstream.seen();
        assert_eq!(seen[0].header("x-user"), users, "{target}");
        assert!(seen[0].header("x_user").is_empty() && seen[0].header("x.user").is_empty(), "{target}: {seen:?}");
        assert_eq!(seen[0].header("x-username"), ["stays"], "{target}");
        assert_eq!(seen[0].header("authorization").len(), 1, "{target}");
    }
    // Envoy takes away what `Connection` names before a filter sees it; where it does not, the filter refuses.
    for connection in ["x-user", "close, X-User", "x_user", "keep-alive, X-User, upgrade"] {
        let headers = [("Connection", connection), ("x-user", "root"), ("authorization", bearer.as_str())];
        let response = send(&scene.url, "GET", "/x", &headers).await;
        let seen = scene.upstream.seen();
        let users: Vec<&str> = seen.iter().flat_map(|seen| seen.header("x-user")).collect();
        let named: String = seen.iter().flat_map(|seen| seen.header("connection")).collect();
        assert!(
            matches!((response.status, &users[..]), (400, []) | (200, [SUBJECT])),
            "{connection}: {response:?} {users:?}"
        );
        assert!(!named.to_lowercase().contains("user"), "{connection} reaches the next hop: {named}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_token_is_looked_at_the_application_gets_none_either_and_what_is_none_stays() {
    let scene = Scene::with(json!({
        "pools": [pool()],
        "routes": [
            {"prefix": "/public", "public": true},
            {"prefix": "/trial", "authenticated": true, "report_only": true},
            {"prefix": "/maybe", "authenticated": true, "optional": true},
        ],
        "tokens": {
            "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "session"}, {"query": "t"}], "forward": false,
        },
    }))
    .await;
    let token = access().compact();
    let (session, bearer) = (format!("session={token}"), format!("bearer {token}"));
    for target in ["/public", "/trial"] {
        let parameter = format!("{target}?a=1&%74={token}");
        for (target, headers) in [
            (target, vec![("cookie", "a=1"), ("cookie", session.as_str())]),
            (target, vec![("cookie", session.as_str()), ("cookie", "a=1"), ("cookie", session.as_str())]),
            (target, vec![("cookie", "a=1"), ("authorization", bearer.as_str()), ("cookie", session.as_str())]),
            (parameter.as_str(), vec![("cookie", "a=1")]),
        ] {
            assert_eq!(send(&scene.url, "GET", target, &headers).await.status, 200, "{target}");
            let seen = scene.upstream.seen();
            assert!(!format!("{seen:?}").contains(&token), "{target}: the application gets it: {seen:?}");
            assert_eq!(seen[0].header("cookie"), ["a=1"], "{target}");
        }
    }
    for target in ["/public", "/trial", "/maybe"] {
        let headers = [("authorization", "Basic YTpi"), ("cookie", "a=1"), ("cookie", "b=2")];
        let headers = if target == "/maybe" { &headers[..2] } else { &headers };
        assert_eq!(send(&scene.url, "GET", target, headers).await.status, 200, "{target}");
        let seen = scene.upstream.seen();
        assert_eq!(seen[0].header("authorization"), ["Basic YTpi"], "{target}");
        let cookies = seen[0].header("cookie").join("; ");
        assert_eq!(cookies, if target == "/maybe" { "a=1" } else { "a=1; b=2" }, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_passes_if_it_may_and_asks_about_something_there_is() {
    let configuration = |preflight: &str| {
        json!({
            "pools": [pool()],
            "routes": [{"prefix": "/api", "methods": ["PUT"], "authenticated": true}],
            "cors_preflight": preflight,
        })
    };
    let scene = Scene::of(&[configuration("pass"), configuration("verify")], &[], 1, false).await;
    let judging = scene.envoy.url("1").await;
    let preflight = [("Origin", "https://example.com"), ("Access-Control-Request-Method", "PUT")];
    assert_eq!(send(&scene.url, "OPTIONS", "/api/x", &preflight).await.status, 200);
    assert_eq!(send(&judging, "OPTIONS", "/api/x", &preflight).await.status, 403);
    for (method, target, headers) in [
        ("OPTIONS", "/api/x", &preflight[..1]),
        ("OPTIONS", "/api/x", &preflight[1..]),
        ("OPTIONS", "/other", &preflight[..]),
        ("OPTIONS", "/api/x", &[("Origin", "https://example.com"), ("Access-Control-Request-Method", "GET")]),
        ("PUT", "/api/x", &preflight[..]),
        // As it came no rule is for it.
        ("OPTIONS", "//api/x", &preflight[..]),
        ("OPTIONS", "/%61pi/x", &preflight[..]),
        ("OPTIONS", "/API/x", &preflight[..]),
    ] {
        assert!(
            matches!(send(&scene.url, method, target, headers).await.status, 400 | 401 | 403),
            "{method} {target} {headers:?}"
        );
    }
    assert_eq!(scene.upstream.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_as_much_as_the_configuration_lets_it() {
    let routes = json!([{"path": "/scoped", "any_of": ["scoped"]}, {"prefix": "/", "authenticated": true}]);
    let policies = json!([{"name": "scoped", "scopes": {"any_of": ["x"]}}]);
    let configuration =
        |answers: Value| json!({"pools": [pool()], "policies": policies, "routes": routes, "answers": answers});
    let configurations = [
        configuration(json!({})),
        configuration(json!({"body": "empty", "realm": "app"})),
        configuration(json!({"include_reason": true})),
    ];
    let scene = Scene::of(&configurations, &[], 1, false).await;
    let (empty, telling) = (scene.envoy.url("1").await, scene.envoy.url("2").await);
    let bad = access().claim("client_id", "\"stranger\"").compact();
    let good = access().compact();
    for (url, target, token, status, challenge, body) in [
        (&scene.url, "/", None, 401, "Bearer", r#"{"status":401,"title":"Unauthorized"}"#),
        (
            &scene.url,
            "/",
            Some(&bad),
            401,
            "Bearer error=\"invalid_token\"",
            r#"{"status":401,"title":"Unauthorized"}"#,
        ),
        (
            &scene.url,
            "/scoped",
            Some(&good),
            403,
            "Bearer error=\"insufficient_scope\"",
            r#"{"status":403,"title":"Forbidden"}"#,
        ),
        (&empty, "/", None, 401, "Bearer realm=\"app\"", ""),
        (&empty, "/", Some(&bad), 401, "Bearer realm=\"app\", error=\"invalid_token\"", ""),
        (
            &telling,
            "/",
            Some(&bad),
            401,
            "Bearer error=\"invalid_token\"",
            r#"{"reason":"client-mismatch","status":401,"title":"Unauthorized"}"#,
        ),
    ] {
        let response = get(url, target, token.map(String::as_str)).await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("www-authenticate"), Some(challenge));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let (said, expected): (Value, Value) =
            (serde_json::from_str(&response.body).unwrap_or_default(), serde_json::from_str(body).unwrap_or_default());
        assert_eq!((said, response.body.is_empty()), (expected, body.is_empty()), "{body}");
        let content_type = (!body.is_empty()).then_some("application/problem+json");
        assert_eq!(response.header("content-type"), content_type);
    }
    assert!(!scene.envoy.said().contains(CLIENT_ID));
}
