//! A path that can be read in two ways reaches nothing; nor does one that no rule matches.

use crate::scene::Scene;
use poolgate_tests::edge_scene::{access, pool, reason};
use poolgate_tests::exact_client::{get, send};
use serde_json::json;

fn configuration(ignores_case: bool) -> serde_json::Value {
    json!({
        "pools": [pool()],
        "policies": [{"name": "admins", "groups": {"any_of": ["admin"]}}],
        "routes": [
            {"prefix": "/admin", "any_of": ["admins"]},
            {"prefix": "/public", "public": true},
        ],
        "case_insensitive_paths": ignores_case,
        "answers": {"tell_reason": true},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_odd_spelling_of_a_guarded_path_reaches_the_application() {
    let scene = Scene::of(&[configuration(false), configuration(true)], &[], 1, false).await;
    let stranger = access().compact();
    let ambiguous = [
        "//admin",
        "/public//admin",
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
        "/public/%c3%a9",
        "/public/..",
    ];
    for target in ambiguous {
        for token in [None, Some(stranger.as_str())] {
            let response = get(&scene.url, target, token).await;
            // Envoy itself refuses some, which is as good.
            assert_eq!(response.status, 400, "{target}: {response:?}");
        }
    }
    for (target, token, status, why) in [
        ("/admin", None, 401, "no-token"),
        ("/admin/x?y", None, 401, "no-token"),
        ("/%61dmin", None, 401, "no-token"),
        ("/admin", Some(stranger.as_str()), 403, "group-missing"),
        ("/%61%64min/x", Some(stranger.as_str()), 403, "group-missing"),
        ("/Admin", None, 403, "no-rule"),
        ("/ADMIN/x", Some(stranger.as_str()), 403, "no-rule"),
        ("/administrator", None, 403, "no-rule"),
        ("/", None, 403, "no-rule"),
        ("/other", Some(stranger.as_str()), 403, "no-rule"),
        ("/Public", None, 403, "no-rule"),
    ] {
        let response = get(&scene.url, target, token).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (status, why), "{target}");
    }
    let ignores_case = scene.envoy.url("1").await;
    for target in ["/Admin", "/ADMIN/x", "/aDmIn"] {
        let response = get(&ignores_case, target, None).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (401, "no-token"), "{target}");
    }
    let connect = send(&scene.url, "CONNECT", "app:443", &[]).await;
    assert!(connect.status >= 400, "{connect:?}");
    let everything = send(&scene.url, "OPTIONS", "*", &[]).await;
    assert!(everything.status >= 400, "{everything:?}");
    assert!(scene.upstream.seen().is_empty(), "nothing of this may reach it");
    // What is meant to pass does, as it was spelled.
    assert_eq!(get(&scene.url, "/public/a%20b?x=/../admin", None).await.status, 200);
    let boss = access().claim("cognito:groups", "[\"admin\"]").compact();
    assert_eq!(get(&scene.url, "/admin/x", Some(&boss)).await.status, 200);
    let targets: Vec<String> = scene.upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/public/a%20b?x=/../admin", "/admin/x"]);
}
