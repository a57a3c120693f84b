//! A path that matches different rules in different readings is rejected, and so is a path that no rule matches.

use crate::scene::Scene;
use poolgate_tests::edge_scene::{access, pool, reason};
use poolgate_tests::exact_client::{get, send};
use serde_json::json;

fn configuration() -> serde_json::Value {
    json!({
        "pools": [pool()],
        "policies": [{"name": "admins", "groups": {"any_of": ["admin"]}}],
        "routes": [
            {"prefix": "/admin", "any_of": ["admins"]},
            {"prefix": "/public", "public": true},
        ],
        "answers": {"include_reason": true},
    })
}

fn add_route(configuration: &mut serde_json::Value, route: serde_json::Value) {
    configuration["routes"].as_array_mut().expect("routes").push(route);
}

/// The application ignores case, and every other path requires a token.
fn ignoring_case() -> serde_json::Value {
    let mut configuration = configuration();
    configuration["case_insensitive_paths"] = json!(true);
    add_route(&mut configuration, json!({"prefix": "/", "authenticated": true}));
    configuration
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ambiguous_spelling_of_a_protected_path_reaches_the_application() {
    let scene = Scene::of(&[configuration(), ignoring_case()], &[], 1, false).await;
    let without_group = access().compact();
    let ambiguous = [
        "//admin",
        "/public/../admin",
        "/public/./../admin",
        "/./admin",
        "/public/..%2fadmin",
        "/public/%2e%2e/admin",
        "/public/.%2e/admin",
        "/public%2f..%2fadmin",
        "/public/..;/admin",
        "/admin;x=1",
        "/public;/../admin",
        "/public/%2e%2e;/admin",
        "/public\\..\\admin",
        "/public/..%5cadmin",
        "/%2561dmin",
        "/admin%00",
        "/admin%2f",
        "/admin#x",
        "/public/..",
        "/%61dmin",
        "/%61%64min/x",
        "/Admin",
        "/ADMIN/x",
        "/Public",
        "/admin.json",
        "/x/../public",
        "/public/%zz",
        "/public/%ff",
        "/public/%00",
    ];
    for target in ambiguous {
        for token in [None, Some(without_group.as_str())] {
            let response = get(&scene.url, target, token).await;
            // Envoy itself rejects some of them.
            assert_eq!(response.status, 400, "{target}: {response:?}");
        }
    }
    for (target, token, status, why) in [
        ("/admin", None, 401, "no-token"),
        ("/admin/x?y", None, 401, "no-token"),
        ("/admin", Some(without_group.as_str()), 403, "group-missing"),
        ("/admin/%2561", Some(without_group.as_str()), 403, "group-missing"),
        ("/admin/users/../%e2%82%ac;x//", Some(without_group.as_str()), 403, "group-missing"),
        ("/administrator", None, 403, "no-rule"),
        ("/", None, 403, "no-rule"),
        ("/other", Some(without_group.as_str()), 403, "no-rule"),
        ("//other", None, 403, "no-rule"),
    ] {
        let response = get(&scene.url, target, token).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (status, why), "{target}");
    }
    // Each reading has a rule, and both must be satisfied.
    let ignores_case = scene.envoy.url("1").await;
    for (target, token, status, why) in [
        ("/Admin", None, 401, "no-token"),
        ("/aDmIn/x", Some(without_group.as_str()), 403, "group-missing"),
        ("/PUBLIC", None, 401, "no-token"),
        ("/Public/x", Some("x"), 401, "token-not-three-parts"),
    ] {
        let response = get(&ignores_case, target, token).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (status, why), "{target}");
    }
    let connect = send(&scene.url, "CONNECT", "app:443", &[]).await;
    assert!(connect.status >= 400, "{connect:?}");
    let everything = send(&scene.url, "OPTIONS", "*", &[]).await;
    assert!(everything.status >= 400, "{everything:?}");
    assert!(scene.upstream.seen().is_empty(), "none of these requests may reach the application");
    // Valid requests are forwarded with their path unchanged. No server reads the first one as a path below /admin.
    assert_eq!(get(&scene.url, "/public//admin", None).await.status, 200);
    assert_eq!(get(&scene.url, "/public/a%20b?x=/../admin", None).await.status, 200);
    let boss = access().claim("cognito:groups", "[\"admin\"]").compact();
    assert_eq!(get(&scene.url, "/admin/x", Some(&boss)).await.status, 200);
    for target in ["/Admin", "/PUBLIC/x"] {
        assert_eq!(get(&ignores_case, target, Some(&boss)).await.status, 200, "{target}");
    }
    let targets: Vec<String> = scene.upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/public//admin", "/public/a%20b?x=/../admin", "/admin/x", "/Admin", "/PUBLIC/x"]);
    // The log names the two rules of an ambiguous path once, and never the path itself.
    let said = scene.envoy.output();
    let line = "ambiguous path: no rule matches it as sent, and routes[0] (prefix /admin) as other servers read it";
    assert_eq!(said.matches(line).count(), 1, "{said}");
    assert!(!said.contains("%2561dmin"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusual_spelling_is_forwarded_if_all_readings_match_the_same_rule() {
    let mut everything = configuration();
    everything["routes"] = json!([{"prefix": "/", "public": true}]);
    let mut some = configuration();
    add_route(&mut some, json!({"prefix": "/", "public": true}));
    add_route(&mut some, json!({"prefix": "/late", "authenticated": true}));
    let scene = Scene::of(&[everything, some], &[], 1, false).await;
    let beside_admins = scene.envoy.url("1").await;
    let targets = [
        "/files/caf%C3%A9.pdf",
        "/projects/group%2Fproject",
        "/npm/@scope%2fname",
        "//health",
        "/wiki/C%2B%2B%3f",
        "/cart;jsessionid=7/items",
        "/a/../b/./c//d",
        "/Public/100%25",
    ];
    for target in targets {
        for url in [&scene.url, &beside_admins] {
            assert_eq!(get(url, target, None).await.status, 200, "{target}");
        }
    }
    let seen: Vec<String> = scene.upstream.seen().into_iter().map(|seen| seen.target).collect();
    let twice: Vec<&str> = targets.iter().flat_map(|target| [*target, *target]).collect();
    assert_eq!(seen, twice, "the paths must not be changed");
    let warning = "routes[3]: never matches: routes[2] (prefix /) comes first and covers it";
    assert!(scene.envoy.output().contains(warning), "{}", scene.envoy.output());
}
