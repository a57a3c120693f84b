//! Requests with valid tokens are forwarded, with claim headers that a client cannot forge or remove.

use super::Scene;
use poolgate_tests::proxies::Proxy;

/// Headers that some applications take for a claim, or for the path of the request.
const MISREAD: &[(&str, &str)] = &[
    ("X_Poolgate_Username", "root"),
    ("x-poolgate_username", "root"),
    ("x-poolgate_groups", "admins"),
    ("X.Poolgate.Groups", "admins"),
    ("SCRIPT_NAME", "/public"),
    ("SCRIPT_NAME", "/orders"),
    ("Script-Name", "/public"),
    ("PATH_INFO", "/admin"),
    ("REQUEST_URI", "/admin"),
    ("X-Original-URL", "/admin"),
    ("X_Original_URL", "/admin"),
    ("X-Original_URL", "/admin"),
    ("X.Original.URL", "/admin"),
    ("X-Original-URI", "/admin"),
    ("X_Original_URI", "/public/x"),
    ("X-Script-Name", "/public"),
    ("X-Original-Path", "/admin"),
    ("X_Rewrite_URL", "/admin"),
    ("X.Rewrite.URL", "/admin"),
    ("X-Forwarded-Uri", "/admin"),
    ("X_Forwarded_Uri", "/admin"),
];

/// The proxies differ in the status if the gateway is unavailable, and in whether they remove all headers whose names contain underscores.
async fn valid_tokens_are_forwarded_with_claims_that_a_client_cannot_forge(
    mut scene: Scene,
    without_gateway: u16,
    hides_underscores: bool,
) {
    let (bearer, id_token) =
        (|token: &str| format!("Bearer {token}"), scene.pool.sign_in("anna", super::PASSWORD).await.id_token);
    scene.reached();
    // Without a token, with an invalid token, and with an ID token, the application receives nothing and the client gets the challenge.
    let (status, response) = scene.send("GET", "/orders", &[]).await;
    assert_eq!(status, 401);
    assert!(response.contains("\r\nwww-authenticate: bearer\r\n"), "{response}");
    for token in ["a.b.c", &id_token, &format!("{}x", scene.anna)] {
        let authorization = bearer(token);
        let headers = [("Authorization", authorization.as_str()), ("X-Poolgate-Username", "root")];
        let (status, response) = scene.send("GET", "/orders", &headers).await;
        assert_eq!(status, 401);
        assert!(response.contains("www-authenticate: bearer error=\"invalid_token\""), "{response}");
    }
    assert_eq!(scene.reached(), [], "a rejected request reached the application");

    // With a valid token, the claim headers contain the claims of the token, whatever the client sent.
    let anna = bearer(&scene.anna);
    let forged = [
        ("Authorization", anna.as_str()),
        ("X-Poolgate-Username", "root"),
        ("X-Poolgate-Groups", "admins"),
        ("x-poolgate-client-id", "forged"),
        ("X-Poolgate-Expires-At", "forged"),
        // Some applications read their path from these headers.
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-URL", "/admin"),
    ];
    let (status, response) = scene.send("GET", "/orders?page=2&group=x", &forged).await;
    assert!(status == 200 && response.ends_with("the application"), "{response}\n{}", scene.proxy.output());
    let [reached] = <[_; 1]>::try_from(scene.reached()).expect("one request");
    assert_eq!(reached.target, "/orders?page=2&group=x");
    assert_eq!(reached.values("x-poolgate-username"), ["anna"]);
    assert_eq!(reached.values("x-poolgate-groups"), ["readers"]);
    assert_eq!(reached.values("x-poolgate-client-id"), [scene.pool.client_id.as_str()]);
    assert!(!reached.values("x-poolgate-expires-at").contains(&"forged"));
    for name in ["x-original-url", "x-rewrite-url"] {
        assert_eq!(reached.values(name), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(reached.values("authorization"), Vec::<&str>::new(), "the token must not reach the application");
    // A public route gets no claims.
    let (status, _) = scene.send("GET", "/public/x", &forged).await;
    let [reached] = <[_; 1]>::try_from(scene.reached()).expect("one request");
    assert_eq!((status, reached.values("x-poolgate-username").concat()), (200, String::new()), "{reached:?}");

    // The proxy removes the header, or the gateway rejects the request. This holds for public paths too.
    for (target, token) in [("/orders", Some(&anna)), ("/public/x", None)] {
        for misread in MISREAD {
            let headers: Vec<_> =
                token.map(|token| ("Authorization", token.as_str())).into_iter().chain([*misread]).collect();
            let (status, _) = scene.send("GET", target, &headers).await;
            match (status, &*scene.reached()) {
                (400, []) => assert!(!(hides_underscores && misread.0.contains('_')), "{target} {misread:?}"),
                (200, [reached]) => {
                    let values = reached.values(&misread.0.to_ascii_lowercase());
                    assert!(values.is_empty(), "{target} {misread:?}: {reached:?}");
                }
                other => panic!("{target} {misread:?}: {other:?}"),
            }
        }
    }

    // A proxy removes the headers that `Connection` lists. The request is rejected, or the claims are still present.
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

    // After an upgrade to h2c, any number of requests could follow without verification.
    for upgrades in [&["h2c"][..], &["HTTP/2.0"], &["h2c", "websocket"], &["websocket", "h2c"], &["websocket, h2c"]] {
        let mut headers = vec![("Authorization", anna.as_str()), ("Connection", "Upgrade, HTTP2-Settings, close")];
        headers.push(("HTTP2-Settings", "AAMAAABkAAQAAP__"));
        headers.extend(upgrades.iter().map(|protocol| ("Upgrade", *protocol)));
        let (status, _) = scene.send("GET", "/orders", &headers).await;
        let reached = scene.reached();
        let upgrades_to = reached.iter().flat_map(|reached| reached.values("upgrade")).collect::<Vec<_>>();
        assert!(
            matches!(*upgrades_to, [] | ["websocket"]),
            "{upgrades:?}: {status}, and the application was sent {upgrades_to:?}"
        );
    }

    // A token of 14 KB, of a user with the largest number of groups that Cognito allows.
    let groups: Vec<String> = (0..100).map(|number| format!("{:0>95}", number)).collect();
    let names: Vec<&str> = groups.iter().map(String::as_str).collect();
    scene.pool.sign_up_user_in_groups("clara", super::PASSWORD, &names).await;
    let clara = bearer(&scene.pool.sign_in("clara", super::PASSWORD).await.access_token);
    assert!((13_000..16_000).contains(&clara.len()), "{}", clara.len());
    let (status, response) = scene.send("GET", "/orders", &[("Authorization", clara.as_str())]).await;
    let [reached] = <[_; 1]>::try_from(scene.reached()).unwrap_or_else(|reached| panic!("{response}: {reached:?}"));
    let forwarded = reached.values("x-poolgate-groups").concat();
    assert_eq!((status, forwarded.split(',').count()), (200, groups.len()), "{forwarded}");

    // If the gateway is unavailable, no request is forwarded.
    scene.gateway.take().expect("it serves").stop().await;
    let (status, response) = scene.send("GET", "/orders", &[("Authorization", anna.as_str())]).await;
    assert_eq!((status, scene.reached().len()), (without_gateway, 0));
    if status == 503 {
        assert!(response.contains("\r\nretry-after: 1\r\n"), "{response}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_forwards_valid_tokens_with_claims_that_a_client_cannot_forge() {
    valid_tokens_are_forwarded_with_claims_that_a_client_cannot_forge(Scene::start(Proxy::nginx).await, 503, true)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_forwards_valid_tokens_with_claims_that_a_client_cannot_forge() {
    valid_tokens_are_forwarded_with_claims_that_a_client_cannot_forge(Scene::start(Proxy::caddy).await, 502, true)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_forwards_valid_tokens_with_claims_that_a_client_cannot_forge() {
    valid_tokens_are_forwarded_with_claims_that_a_client_cannot_forge(Scene::start(Proxy::traefik).await, 500, false)
        .await;
}
