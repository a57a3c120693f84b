//! Web frameworks behind the filter: no spelling of a path reaches a view whose rule requires a token.

use crate::scene::Files;
use poolgate_tests::{
    edge_scene::{access, pool},
    envoy::{Envoy, Setup, cluster, wasm_filter},
    exact_client::{get, send},
    frameworks::{Application, Framework},
    odd_paths::spellings_of,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_reaches_a_protected_view() {
    let protected_beside_public = json!({
        "pools": [pool()],
        "routes": [{"prefix": "/public", "public": true}, {"prefix": "/", "authenticated": true}],
    });
    let public_beside_protected = json!({
        "pools": [pool()],
        "routes": [
            {"prefix": "/admin", "authenticated": true},
            {"template": "/users/{id}/orders", "authenticated": true},
            {"prefix": "/", "public": true},
        ],
    });
    let files = Files::new();
    let token = access().compact();
    for framework in Framework::ALL {
        let application = Application::start(framework).await;
        let listener = |name: &str, configuration| (name.to_owned(), vec![wasm_filter(&files.filter, configuration)]);
        let setup = Setup {
            listeners: vec![listener("all", &protected_beside_public), listener("some", &public_beside_protected)],
            clusters: vec![cluster("app", application.port)],
            concurrency: 1,
            is_dynamic: false,
            answers_itself: false,
        };
        let envoy = Envoy::start(&setup).await;
        let (all, some) = (envoy.url("all").await, envoy.url("some").await);
        let own = format!("http://127.0.0.1:{}", application.port);
        let view = async |url: &str, target: &str, token: Option<&str>| {
            let response = get(url, target, token).await;
            response.header("x-view").map(ToOwned::to_owned)
        };
        for (url, target, token, expected) in [
            (&all, "/public/x", None, Some("public")),
            (&all, "/admin/x", None, None),
            (&all, "/admin/x", Some(token.as_str()), Some("admin")),
            (&all, "/other", Some(&token), Some("other")),
            (&some, "/other", None, Some("other")),
            (&some, "/files/caf%C3%A9.pdf", None, Some("other")),
            (&some, "/npm/@scope%2fname", None, Some("other")),
            (&some, "/users/7/orders", Some(&token), Some("orders")),
        ] {
            let response = get(url, target, token).await;
            assert_eq!(response.header("x-view"), expected, "{framework:?} {target}: {response:?}");
        }
        let mut reached = 0;
        let orders = [
            "/users/7/orders/",
            "/Users/7/orders",
            "/users/a%2fb/orders",
            "/users/7%2forders",
            "/users//7/orders",
            "/users/./7/orders",
        ];
        let spellings =
            [spellings_of("/public"), spellings_of("/admin"), orders.map(ToOwned::to_owned).into()].concat();
        for target in &spellings {
            let through_all = view(&all, target, None).await;
            assert!(matches!(through_all.as_deref(), None | Some("public")), "{framework:?} {target}: {through_all:?}");
            let through_some = view(&some, target, None).await;
            let is_open = matches!(through_some.as_deref(), None | Some("public" | "other"));
            assert!(is_open, "{framework:?} {target}: {through_some:?}");
            // Without the filter, some spellings reach a protected view. Otherwise the test would prove nothing.
            let bare = view(&own, target, None).await;
            reached += usize::from(matches!(bare.as_deref(), Some("admin" | "orders")));
        }
        assert!(
            reached > 5,
            "{framework:?}: without the filter, {reached} of {} spellings reach a protected view",
            spellings.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_change_the_path_that_gunicorn_serves() {
    let configuration = json!({
        "pools": [pool()],
        "routes": [{"prefix": "/public", "public": true}, {"prefix": "/", "authenticated": true}],
    });
    let (files, application) = (Files::new(), Application::start(Framework::Gunicorn).await);
    let setup = Setup {
        listeners: vec![("all".to_owned(), vec![wasm_filter(&files.filter, &configuration)])],
        clusters: vec![cluster("app", application.port)],
        concurrency: 1,
        is_dynamic: false,
        answers_itself: false,
    };
    let envoy = Envoy::start(&setup).await;
    let (own, protected) = (format!("http://127.0.0.1:{}", application.port), envoy.url("all").await);
    // Without the filter, the header changes the path. Otherwise the test would prove nothing.
    for (url, view) in [(&own, "admin"), (&protected, "public")] {
        let response = send(url, "GET", "/public/admin/x", &[("SCRIPT_NAME", "/public")]).await;
        assert_eq!((response.status, response.header("x-view")), (200, Some(view)), "{url}");
    }
}
