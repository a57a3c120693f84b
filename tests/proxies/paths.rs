//! A rule must be satisfied in every reading of a path, and not only in that of the proxy.

use super::Scene;
use poolgate_tests::proxies::Proxy;

/// Some servers read each of these as a path of `/admin`: after decoding, without dot segments, without matrix parameters, in another case, with
/// merged slashes, from an absolute URL, without a suffix.
const READ_AS_ADMIN: &[&str] = &[
    "/admin",
    "/admin/",
    "/admin/users",
    "/admin?group=readers",
    "//admin/x",
    "/.//admin",
    "/./admin/x",
    "/%61dmin/x",
    "/%2561dmin",
    "/x/../admin/x",
    "/x/%2e%2e/admin/x",
    "/x/%2E%2E%2Fadmin",
    "/x/..%2fadmin/users",
    "/x/..%252fadmin/users",
    "/x/..%5cadmin",
    "/x\\..\\admin",
    "/x%5c..%5cadmin",
    "/admin%2Fusers",
    "/admin%2fusers",
    "/admin%5cusers",
    "/ADMIN/users",
    "/Admin",
    "/aDmIn/x",
    "/admin;/x",
    "/admin;a=b/users",
    "/admin%3b/users",
    "/;/admin",
    "/x/..;/admin/users",
    "/x/..;a=b/admin",
    "/x/..%3b/admin",
    "/admin%3fx",
    "/admin%23x",
    "/admin.json",
    "/public/../admin",
    "/public/%2e%2e/admin",
    "/public%2f..%2fadmin/x",
    "/public/..;/admin",
    "/public/.%2e/ADMIN",
    "http://app/admin/x",
    "http://app/x/../admin/x",
];

/// Some servers read each of these as a path of `/admin`, others as another path.
const READ_AS_ADMIN_OR_NOT: &[&str] = &[
    "/admin/..",
    "/admin/../x",
    "/admin/users/../../x",
    "/admin/users/%2e%2e/%2e%2e/x",
    "/admin%2f..%2fx",
    "/admin/..;/x",
    "/admin/..%2fpublic/x",
    "/admin/../public/x",
    "/ADMIN/../public",
];

/// Some servers read each of these as a path of `/public`, others as another path.
const READ_AS_PUBLIC_OR_NOT: &[&str] = &[
    "/%70ublic/x",
    "/PUBLIC/x",
    "//public",
    "/public;/x",
    "/x/../public",
    "/x/..;/public",
    "/public/../orders",
    "/public/%2e%2e/orders",
    "/public%2Fx",
    "/public%2f..%2forders",
    "/orders/..%2fpublic",
];

/// All servers read each of these as a path that requires a valid token and no more.
const HARMLESS: &[&str] = &[
    "/",
    "/orders",
    "/files/caf%C3%A9.pdf",
    "/files/a%20b.txt",
    "/x;v=1/y",
    "/orders//7",
    "/Orders",
    "/administration",
    "/orders?next=/admin/../x%2f..%2fadmin;",
    "/.well-known/x",
];

/// Like `HARMLESS`. The example's Traefik rejects encoded slashes.
const HARMLESS_WITH_ENCODED_SLASHES: &[&str] = &["/projects/group%2Fproject", "/npm/@scope%2fname"];

/// Returns whether all servers read the path in the same way, and not as one below these prefixes.
fn is_plain_and_not_below(target: &str, prefixes: &[&str]) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/';
    path.bytes().all(is_plain)
        && !path.contains("//")
        && !prefixes.iter().any(|prefix| path.to_ascii_lowercase().starts_with(prefix))
}

async fn every_reading_of_a_path_must_satisfy_its_rule(scene: &Scene, takes_encoded_slashes: bool) {
    for target in READ_AS_ADMIN.iter().chain(READ_AS_ADMIN_OR_NOT) {
        let status = scene.get(target, &scene.anna).await;
        // A proxy may normalize the path for both the gateway and the application.
        match (status, &*scene.reached()) {
            (400 | 403, []) => {}
            (200, [reached]) if is_plain_and_not_below(&reached.target, &["/admin"]) => {}
            (status, reached) => panic!("{target}: {status}, and the application received {reached:?}"),
        }
    }
    for target in READ_AS_PUBLIC_OR_NOT {
        let status = scene.get(target, "").await;
        match (status, &*scene.reached()) {
            (400 | 401, []) => {}
            (200, [reached])
                if reached.target.starts_with("/public") && is_plain_and_not_below(&reached.target, &[]) => {}
            (status, reached) => panic!("{target}: {status}, and the application received {reached:?}"),
        }
    }
    assert_eq!(scene.get("/public/logo.png", "").await, 200);
    assert_eq!(scene.get("/admin/users", &scene.berta).await, 200);
    assert_eq!(scene.get("/orders", "").await, 401);
    assert_eq!(scene.get("/administration", "").await, 401);
    scene.reached();
    for target in HARMLESS.iter().chain(HARMLESS_WITH_ENCODED_SLASHES) {
        let status = scene.get(target, &scene.anna).await;
        let expected = if HARMLESS.contains(target) || takes_encoded_slashes { 200 } else { 400 };
        assert_eq!((status, scene.reached().len()), (expected, usize::from(expected == 200)), "{target}");
    }
}

async fn headers_with_which_a_client_names_its_target_are_ignored(scene: &Scene) {
    let names = "X-Original-URI, X-Original-Method, X-Forwarded-Uri, X-Forwarded-Method";
    let bearer = format!("Bearer {}", scene.anna);
    for connection in ["close".to_owned(), format!("close, {names}")] {
        for (forged, expected) in [("/public/x", 403), ("/orders", 403)] {
            let mut headers = vec![("Connection", connection.as_str()), ("Authorization", bearer.as_str())];
            headers.extend([("X-Original-URI", forged), ("X-Forwarded-Uri", forged)]);
            headers.extend([("X-Original-Method", "OPTIONS"), ("X-Forwarded-Method", "OPTIONS")]);
            headers.extend([("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "GET")]);
            let (status, _) = scene.send("GET", "/admin/x", &headers).await;
            assert_eq!((status, scene.reached().len()), (expected, 0), "{forged} {connection}");
            headers.retain(|(name, _)| *name != "Authorization");
            let (status, _) = scene.send("GET", "/admin/x", &headers).await;
            assert_eq!((status, scene.reached().len()), (401, 0), "{forged} {connection}");
        }
    }
}

async fn only_administrators_reach_admin(scene: Scene, takes_encoded_slashes: bool) {
    every_reading_of_a_path_must_satisfy_its_rule(&scene, takes_encoded_slashes).await;
    headers_with_which_a_client_names_its_target_are_ignored(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_only_administrators_reach_admin() {
    only_administrators_reach_admin(Scene::start(Proxy::nginx).await, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_caddy_only_administrators_reach_admin() {
    only_administrators_reach_admin(Scene::start(Proxy::caddy).await, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_traefik_only_administrators_reach_admin() {
    only_administrators_reach_admin(Scene::start(Proxy::traefik).await, false).await;
}
