//! Good tokens pass, with claims that nobody can forge or take away.

use super::Scene;
use poolgate_tests::proxies::Proxy;

/// What differs: the status when the gateway is gone, and whether claim headers are also taken away when they are spelled with
/// underscores.
async fn good_tokens_pass_with_claims_that_nobody_can_forge(
    mut scene: Scene,
    without_gateway: u16,
    hides_underscores: bool,
) {
    let (bearer, id_token) =
        (|token: &str| format!("Bearer {token}"), scene.pool.sign_in("anna", super::PASSWORD).await.id_token);
    scene.reached();
    // Without a token, with a bad one, with an ID token: the application sees nothing, and the challenge reaches the caller.
    let (status, answer) = scene.send("GET", "/orders", &[]).await;
    assert_eq!(status, 401);
    assert!(answer.contains("\r\nwww-authenticate: bearer\r\n"), "{answer}");
    for token in ["a.b.c", &id_token, &format!("{}x", scene.anna)] {
        let authorization = bearer(token);
        let headers = [("Authorization", authorization.as_str()), ("X-Poolgate-Username", "root")];
        let (status, answer) = scene.send("GET", "/orders", &headers).await;
        assert_eq!(status, 401);
        assert!(answer.contains("www-authenticate: bearer error=\"invalid_token\""), "{answer}");
    }
    assert_eq!(scene.reached(), [], "a refused request reached the application");

    // With a good one: the claims are the token's, whatever the caller has put there.
    let anna = bearer(&scene.anna);
    let forged = [
        ("Authorization", anna.as_str()),
        ("X-Poolgate-Username", "root"),
        ("X-Poolgate-Groups", "admins"),
        ("x-poolgate-client-id", "forged"),
        ("X-Poolgate-Expires-At", "forged"),
        ("X_Poolgate_Username", "root"),
        ("x-poolgate_username", "root"),
        // Some applications take their path from these.
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-URL", "/admin"),
    ];
    let (status, answer) = scene.send("GET", "/orders?page=2&group=x", &forged).await;
    assert!(status == 200 && answer.ends_with("the application"), "{answer}\n{}", scene.proxy.said());
    let [reached] = <[_; 1]>::try_from(scene.reached()).expect("one request");
    assert_eq!(reached.target, "/orders?page=2&group=x");
    assert_eq!(reached.values("x-poolgate-username"), ["anna"]);
    assert_eq!(reached.values("x-poolgate-groups"), ["readers"]);
    assert_eq!(reached.values("x-poolgate-client-id"), [scene.pool.client_id.as_str()]);
    assert!(!reached.values("x-poolgate-expires-at").contains(&"forged"));
    for name in ["x-original-url", "x-rewrite-url"] {
        assert_eq!(reached.values(name), Vec::<&str>::new(), "{name}");
    }
    // Some applications take these names for those with hyphens.
    let is_misread =
        |(name, _): &(String, String)| name.contains('_') && name.replace('_', "-").starts_with("x-poolgate-");
    assert_eq!(reached.headers.iter().any(is_misread), !hides_underscores, "{reached:?}");
    assert_eq!(
        reached.values("authorization"),
        Vec::<&str>::new(),
        "the token is for the proxy, not for the application"
    );
    // On a route that needs no token, nobody is somebody.
    let (status, _) = scene.send("GET", "/public/x", &forged).await;
    let [reached] = <[_; 1]>::try_from(scene.reached()).expect("one request");
    assert_eq!((status, reached.values("x-poolgate-username").concat()), (200, String::new()), "{reached:?}");

    // A proxy removes the headers that `Connection` names: refused, or the claims are there all the same.
    for connection in ["close, X-Poolgate-Groups", "X-Poolgate-Groups, close, X-Poolgate-Username"] {
        let headers = [("Authorization", anna.as_str()), ("Connection", connection)];
        let (status, _) = scene.send("GET", "/orders", &headers).await;
        match (status, &*scene.reached()) {
            (400, []) => {}
            (200, [reached]) => {
                assert_eq!(reached.values("x-poolgate-groups"), ["readers"], "{connection}");
                assert_eq!(reached.values("x-poolgate-username"), ["anna"], "{connection}");
            }
            other => panic!("{connection}: {other:?}"),
        }
    }

    // After an upgrade nobody asks any more: to h2c, it would be a connection for any number of requests.
    for upgrades in [&["h2c"][..], &["HTTP/2.0"], &["h2c", "websocket"], &["websocket", "h2c"], &["websocket, h2c"]] {
        let mut headers = vec![("Authorization", anna.as_str()), ("Connection", "Upgrade, HTTP2-Settings, close")];
        headers.push(("HTTP2-Settings", "AAMAAABkAAQAAP__"));
        headers.extend(upgrades.iter().map(|protocol| ("Upgrade", *protocol)));
        let (status, _) = scene.send("GET", "/orders", &headers).await;
        let reached = scene.reached();
        let upgrades_to = reached.iter().flat_map(|reached| reached.values("upgrade")).collect::<Vec<_>>();
        assert!(
            matches!(*upgrades_to, [] | ["websocket"]),
            "{upgrades:?}: {status}, and {upgrades_to:?} was asked for"
        );
    }

    // A gateway that is gone opens no door.
    scene.gateway.take().expect("it serves").stop().await;
    let (status, answer) = scene.send("GET", "/orders", &[("Authorization", anna.as_str())]).await;
    assert_eq!((status, scene.reached().len()), (without_gateway, 0));
    if status == 503 {
        assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_lets_good_tokens_pass_with_claims_that_nobody_can_forge() {
    good_tokens_pass_with_claims_that_nobody_can_forge(Scene::start(Proxy::nginx).await, 503, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_lets_good_tokens_pass_with_claims_that_nobody_can_forge() {
    good_tokens_pass_with_claims_that_nobody_can_forge(Scene::start(Proxy::caddy).await, 502, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_lets_good_tokens_pass_with_claims_that_nobody_can_forge() {
    good_tokens_pass_with_claims_that_nobody_can_forge(Scene::start(Proxy::traefik).await, 500, false).await;
}
