//! The options of the configuration, tested over HTTP.

use crate::scene::{Files, Scene};
use poolgate_tests::edge_scene::{access, pool, reason, valid_now};
use poolgate_tests::envoy::wasm_filter;
use poolgate_tests::exact_client::{get, send};
use poolgate_tests::{
    keys::RSA_2048,
    minting::{CLIENT_ID, Draft, SUBJECT},
};
use serde_json::{Value, json};

/// Sends a request, and returns the status and the reason code.
async fn status_and_reason(scene: &Scene, method: &str, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let response = send(&scene.url, method, target, headers).await;
    (response.status, reason(&response.body))
}

fn response(status: u16, reason: &str) -> (u16, String) {
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
    let invalid = bearer(access().claim("exp", 1));
    let (passes, no_token) = (response(200, ""), response(401, "no-token"));
    let (no_group, no_scope) = (response(403, "group-missing"), response(403, "scope-missing"));
    for (method, target, authorization, expected) in [
        ("GET", "/health", None, &passes),
        ("GET", "/health", Some(&invalid), &passes),
        ("GET", "/items", None, &no_token),
        ("GET", "/items/7", Some(&plain), &passes),
        ("GET", "/items/7", Some(&invalid), &response(401, "expired")),
        ("POST", "/items", Some(&plain), &no_group),
        ("POST", "/items", Some(&admin), &passes),
        ("PUT", "/items", Some(&admin), &response(403, "no-rule")),
        // A rule for GET includes HEAD, as in web frameworks.
        ("HEAD", "/items", None, &response(401, "")),
        ("HEAD", "/items", Some(&admin), &passes),
        ("GET", "/users/7/orders", Some(&admin), &no_scope),
        ("GET", "/users/7/orders", Some(&reader), &no_group),
        ("GET", "/users/7/orders", Some(&both), &passes),
        ("GET", "/users/7", Some(&both), &response(403, "no-rule")),
        ("GET", "/either", Some(&admin), &passes),
        ("GET", "/either", Some(&reader), &passes),
        ("GET", "/either", Some(&plain), &no_scope),
        ("GET", "/ids", Some(&id), &passes),
        ("GET", "/ids", Some(&plain), &response(401, "token-use-mismatch")),
        ("GET", "/mobile", Some(&plain), &response(401, "client-mismatch")),
        ("GET", "/main", Some(&plain), &passes),
        ("GET", "/maybe", None, &passes),
        ("GET", "/maybe", Some(&plain), &passes),
        ("GET", "/maybe", Some(&invalid), &response(401, "expired")),
        ("GET", "/trial", None, &passes),
        ("GET", "/trial", Some(&plain), &passes),
        ("GET", "/trial", Some(&admin), &passes),
    ] {
        let headers: Vec<(&str, &str)> = authorization.iter().map(|it| ("Authorization", it.as_str())).collect();
        assert_eq!(
            status_and_reason(&scene, method, target, &headers).await,
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
async fn claims_are_forwarded_as_headers_that_a_client_cannot_forge() {
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
    // No claims are forwarded if the token is ignored, absent, or invalid under a report_only rule.
    let invalid = format!("Bearer {}", access().claim("exp", 1).compact());
    for (target, authorization) in [("/public", bearer.as_str()), ("/maybe", ""), ("/trial", invalid.as_str())] {
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
async fn the_reason_of_a_rejection_is_in_the_filter_state_and_not_in_the_response() {
    let configuration = json!({
        "pools": [pool()],
        "routes": [
            {"prefix": "/public", "public": true},
            {"prefix": "/trial", "authenticated": true, "report_only": true},
            {"prefix": "/", "authenticated": true},
        ],
    });
    // It comes first, so that it also changes the responses of the filter after it.
    let shown = json!({
        "name": "shown-in-response",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"response_mutations": [{"append": {
                "header": {"key": "x-seen-reason", "value": "%FILTER_STATE(wasm.poolgate_reason:PLAIN)%"},
            }}]},
        },
    });
    let chains = |files: &Files| vec![vec![shown, wasm_filter(&files.filter, &configuration)]];
    let scene = Scene::of_chains(chains, &[], 1).await;
    let valid = format!("Bearer {}", access().compact());
    let expired = format!("Bearer {}", access().claim("exp", 1).compact());
    for (target, authorization, status, reason) in [
        ("/x", "", 401, Some("no-token")),
        ("/x", expired.as_str(), 401, Some("expired")),
        ("/trial", expired.as_str(), 200, Some("expired")),
        ("/x", valid.as_str(), 200, None),
        ("/public", "", 200, None),
    ] {
        let headers: Vec<(&str, &str)> = Some(("authorization", authorization)).into_iter().collect();
        let headers = if authorization.is_empty() { &[] } else { &headers[..] };
        let response = send(&scene.url, "GET", target, headers).await;
        // Envoy writes a hyphen for what is absent, or omits the header.
        let seen = response.header("x-seen-reason").filter(|seen| *seen != "-");
        assert_eq!((response.status, seen), (status, reason), "{target} {response:?}");
        assert!(!response.body.contains("expired"), "{response:?}");
    }
    let seen = scene.upstream.seen();
    assert!(!format!("{seen:?}").contains("expired"), "the application does not get it: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_in_the_configured_locations_and_only_one_is_allowed() {
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
    let (quoted, session) = (format!("a=1; session=\"{token}\"; b=2"), format!("session={token}"));
    let aliases = format!("s%65ssion=x; a=1; session={token}; \u{2003}session=x; b=2");
    for (target, headers) in [
        ("/x", vec![("authorization", bearer.as_str())]),
        ("/x", vec![("X-Token", own.as_str())]),
        ("/x", vec![("cookie", cookie.as_str())]),
        (query.as_str(), vec![]),
        ("/x", vec![("authorization", "Basic YTpi"), ("cookie", cookie.as_str())]),
        ("/x", vec![("cookie", quoted.as_str())]),
        ("/x", vec![("cookie", "a=1"), ("cookie", session.as_str()), ("cookie", "b=2")]),
        // An application may read these as further cookies `session`.
        ("/x", vec![("cookie", aliases.as_str())]),
    ] {
        assert_eq!(status_and_reason(&scene, "GET", target, &headers).await, response(200, ""), "{headers:?}");
        let seen = scene.upstream.seen();
        let text = format!("{seen:?}");
        assert!(!text.contains(&token), "the application must not receive the token: {text}");
        if target.contains('?') {
            assert_eq!(seen[0].target, "/x?a=1&b=2");
        }
        if headers.iter().any(|(name, _)| *name == "cookie") {
            assert_eq!(seen[0].header("cookie"), ["a=1; b=2"]);
        }
        let forwarding = scene.envoy.url("1").await;
        assert_eq!(send(&forwarding, "GET", target, &headers).await.status, 200);
        let seen = format!("{:?}", scene.upstream.seen());
        assert!(seen.contains(&token), "the token must be forwarded");
        assert!(!seen.contains("s%65ssion") && !seen.contains("session=x"), "{seen}");
    }
    let several = response(400, "several-tokens");
    let twice = format!("session={token}; session={token}");
    for headers in [
        vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        vec![("authorization", bearer.as_str()), ("Authorization", "Bearer other")],
        vec![("authorization", "Basic YTpi"), ("authorization", bearer.as_str())],
        vec![("authorization", bearer.as_str()), ("x-token", own.as_str())],
        vec![("authorization", bearer.as_str()), ("cookie", cookie.as_str())],
        vec![("x-token", own.as_str()), ("x-token", own.as_str())],
        vec![("cookie", twice.as_str())],
        vec![("cookie", session.as_str()), ("cookie", session.as_str())],
    ] {
        let actual = status_and_reason(&scene, "GET", "/x", &headers).await;
        // A proxy may join two headers into one value, which is not a valid token.
        assert!(actual == several || actual.0 == 401, "{actual:?} for {} headers", headers.len());
    }
    assert_eq!(status_and_reason(&scene, "GET", &format!("{query}&access_token={token}"), &[]).await, several);
    // A cookie with another name is not the token's.
    for name in ["s%65ssion", "\u{2003}session", "session\u{a0}"] {
        let alias = format!("{name}={token}");
        assert_eq!(
            status_and_reason(&scene, "GET", "/x", &[("cookie", &alias)]).await,
            response(401, "no-token"),
            "{name}"
        );
    }
    // The default is Authorization only.
    let default = scene.envoy.url("2").await;
    for (target, headers) in [(query.as_str(), vec![]), ("/x", vec![("cookie", cookie.as_str())])] {
        assert_eq!(send(&default, "GET", target, &headers).await.status, 401);
    }
    assert!(scene.upstream.seen().is_empty());
    let long = format!("Bearer {}", "a".repeat(64 << 10));
    assert_eq!(
        status_and_reason(&scene, "GET", "/x", &[("authorization", &long)]).await,
        response(401, "token-too-large")
    );
    assert_eq!(
        status_and_reason(&scene, "GET", "/x", &[("authorization", "Bearer")]).await,
        response(401, "token-empty")
    );
    assert!(!scene.envoy.output().contains(&token), "the log contains a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_forge_or_remove_a_claim_header_by_any_spelling() {
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
    // An application may read another path from these headers.
    let paths = ["SCRIPT_NAME", "PATH_INFO", "X-Original-URL", "X_Rewrite_URL", "X.Original.URI", "X-Forwarded-Uri"];
    let paths = paths.map(|name| (name, "/public"));
    for (target, users) in [("/x", &[SUBJECT][..]), ("/public", &[])] {
        let forged = forged.into_iter().chain(paths);
        let headers: Vec<(&str, &str)> = forged.chain([("authorization", bearer.as_str())]).collect();
        assert_eq!(send(&scene.url, "GET", target, &headers).await.status, 200, "{target}");
        let seen = scene.upstream.seen();
        assert_eq!(seen[0].header("x-user"), users, "{target}");
        for (name, _) in paths {
            assert!(seen[0].header(&name.to_ascii_lowercase()).is_empty(), "{target} {name}: {seen:?}");
        }
        assert!(seen[0].header("x_user").is_empty() && seen[0].header("x.user").is_empty(), "{target}: {seen:?}");
        assert_eq!(seen[0].header("x-username"), ["stays"], "{target}");
        assert_eq!(seen[0].header("authorization").len(), 1, "{target}");
    }
    // Envoy removes the headers that `Connection` lists before the filter runs. Where it does not, the filter rejects the request.
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
async fn tokens_are_removed_also_where_they_are_ignored_and_nothing_else_is_removed() {
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
            assert!(!format!("{seen:?}").contains(&token), "{target}: the application receives the token: {seen:?}");
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
async fn a_preflight_is_forwarded_if_configured_and_a_rule_matches_the_requested_method() {
    let configuration = |preflight: &str| {
        json!({
            "pools": [pool()],
            "routes": [{"prefix": "/api", "methods": ["PUT"], "authenticated": true}],
            "cors_preflight": preflight,
        })
    };
    let scene = Scene::of(&[configuration("pass"), configuration("verify")], &[], 1, false).await;
    let verifying = scene.envoy.url("1").await;
    let preflight = [("Origin", "https://example.com"), ("Access-Control-Request-Method", "PUT")];
    assert_eq!(send(&scene.url, "OPTIONS", "/api/x", &preflight).await.status, 200);
    assert_eq!(send(&verifying, "OPTIONS", "/api/x", &preflight).await.status, 403);
    for (method, target, headers) in [
        ("OPTIONS", "/api/x", &preflight[..1]),
        ("OPTIONS", "/api/x", &preflight[1..]),
        ("OPTIONS", "/other", &preflight[..]),
        ("OPTIONS", "/api/x", &[("Origin", "https://example.com"), ("Access-Control-Request-Method", "GET")]),
        ("PUT", "/api/x", &preflight[..]),
        // A preflight has no credentials, no body and no upgrade, and no empty header.
        ("OPTIONS", "/api/x", &[preflight[0], preflight[1], ("Authorization", "Bearer a.b.c")]),
        ("OPTIONS", "/api/x", &[preflight[0], preflight[1], ("Upgrade", "websocket"), ("Connection", "Upgrade")]),
        ("OPTIONS", "/api/x", &[preflight[0], preflight[1], ("Content-Length", "1")]),
        ("OPTIONS", "/api/x", &[("Origin", ""), preflight[1]]),
        ("OPTIONS", "/api/x", &[preflight[0], ("Access-Control-Request-Method", "")]),
        // No rule matches the path as it was sent.
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
async fn the_response_to_a_rejected_request_follows_the_configuration() {
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
    let (empty, with_reason) = (scene.envoy.url("1").await, scene.envoy.url("2").await);
    let invalid = access().claim("client_id", "\"stranger\"").compact();
    let valid = access().compact();
    for (url, target, token, status, challenge, body) in [
        (&scene.url, "/", None, 401, "Bearer", r#"{"status":401,"title":"Unauthorized"}"#),
        (
            &scene.url,
            "/",
            Some(&invalid),
            401,
            "Bearer error=\"invalid_token\"",
            r#"{"status":401,"title":"Unauthorized"}"#,
        ),
        (
            &scene.url,
            "/scoped",
            Some(&valid),
            403,
            "Bearer error=\"insufficient_scope\"",
            r#"{"status":403,"title":"Forbidden"}"#,
        ),
        (&empty, "/", None, 401, "Bearer realm=\"app\"", ""),
        (&empty, "/", Some(&invalid), 401, "Bearer realm=\"app\", error=\"invalid_token\"", ""),
        (
            &with_reason,
            "/",
            Some(&invalid),
            401,
            "Bearer error=\"invalid_token\"",
            r#"{"reason":"client-mismatch","status":401,"title":"Unauthorized"}"#,
        ),
    ] {
        let response = get(url, target, token.map(String::as_str)).await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("www-authenticate"), Some(challenge));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let (actual, expected): (Value, Value) =
            (serde_json::from_str(&response.body).unwrap_or_default(), serde_json::from_str(body).unwrap_or_default());
        assert_eq!((actual, response.body.is_empty()), (expected, body.is_empty()), "{body}");
        let content_type = (!body.is_empty()).then_some("application/problem+json");
        assert_eq!(response.header("content-type"), content_type);
    }
    assert!(!scene.envoy.output().contains(CLIENT_ID));
}
