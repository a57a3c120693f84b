//! CORS preflight requests of browsers.

use super::Scene;
use poolgate_tests::proxies::Proxy;

const ORIGIN: (&str, &str) = ("Origin", "https://app.example.com");
const ASKED_METHOD: (&str, &str) = ("Access-Control-Request-Method", "PUT");
const ASKED_HEADERS: (&str, &str) = ("Access-Control-Request-Headers", "authorization");

async fn only_the_preflights_that_a_rule_allows_are_forwarded(scene: Scene) {
    for target in ["/orders/7", "/admin/users"] {
        let (status, _) = scene.send("OPTIONS", target, &[ORIGIN, ASKED_METHOD, ASKED_HEADERS]).await;
        let [reached] = <[_; 1]>::try_from(scene.reached()).unwrap_or_else(|reached| panic!("{status}: {reached:?}"));
        assert_eq!((status, reached.method.as_str(), reached.target.as_str()), (200, "OPTIONS", target));
        assert_eq!(reached.values("x-poolgate-username").concat(), "", "{reached:?}");
        assert_eq!(reached.values("origin"), [ORIGIN.1]);
    }
    // A preflight opens no tunnel. The proxy removes `Upgrade`, or the gateway rejects the request.
    let upgrade = [ORIGIN, ASKED_METHOD, ("Upgrade", "websocket"), ("Connection", "Upgrade, close")];
    let (status, answer) = scene.send("OPTIONS", "/orders/7", &upgrade).await;
    match (status, &*scene.reached()) {
        (200, [reached]) => assert_eq!(reached.values("upgrade"), Vec::<&str>::new()),
        (401, []) => {}
        other => panic!("{other:?}: {answer}"),
    }
    for (method, target, headers, expected) in [
        // Not a preflight request.
        ("OPTIONS", "/orders/7", &[][..], 401),
        ("OPTIONS", "/orders/7", &[ORIGIN], 401),
        ("OPTIONS", "/orders/7", &[ASKED_METHOD], 401),
        ("OPTIONS", "/orders/7", &[ORIGIN, ASKED_METHOD, ("Authorization", "Bearer a.b.c")], 401),
        ("GET", "/orders/7", &[ORIGIN, ASKED_METHOD], 401),
        ("POST", "/orders/7", &[ORIGIN, ASKED_METHOD, ("X-HTTP-Method-Override", "OPTIONS")], 401),
        ("options", "/orders/7", &[ORIGIN, ASKED_METHOD], 401),
        // No rule allows them.
        ("OPTIONS", "/basket", &[ORIGIN, ASKED_METHOD], 401),
    ] {
        let (status, answer) = scene.send(method, target, headers).await;
        // nginx rejects methods in lower case.
        assert!(
            status == expected || (method == "options" && (400..500).contains(&status)),
            "{method} {target}: {answer}"
        );
        assert_eq!(scene.reached(), [], "{method} {target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_forwards_only_the_preflights_that_a_rule_allows() {
    only_the_preflights_that_a_rule_allows_are_forwarded(Scene::start(Proxy::nginx).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_forwards_only_the_preflights_that_a_rule_allows() {
    only_the_preflights_that_a_rule_allows_are_forwarded(Scene::start(Proxy::caddy).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_forwards_only_the_preflights_that_a_rule_allows() {
    only_the_preflights_that_a_rule_allows_are_forwarded(Scene::start(Proxy::traefik).await).await;
}
