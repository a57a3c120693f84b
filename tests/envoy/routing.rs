//! The filter in front of Envoy's router with two clusters, for each way in which Envoy can normalize a path.

use crate::{scene::Files, upstream::Upstream};
use poolgate_tests::{
    edge_scene::{access, pool},
    envoy::{Envoy, cluster, wasm_filter},
    exact_client::get,
    odd_paths::spellings_of,
};
use serde_json::{Value, json};

/// The normalizations of the path that the connection manager supports.
fn normalisations() -> [(&'static str, Value); 4] {
    [
        ("as-it-comes", json!({})),
        ("normalized", json!({"normalize_path": true})),
        ("merged", json!({"normalize_path": true, "merge_slashes": true})),
        (
            "unescaped",
            json!({"normalize_path": true, "merge_slashes": true, "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"}),
        ),
    ]
}

fn bootstrap(admin_port: u16, filter: &Value, clusters: &[Value]) -> Value {
    let route = |matching: Value, cluster: &str| json!({"match": matching, "route": {"cluster": cluster}});
    let listener = |(name, normalisation): (&str, Value)| {
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": name,
            "http_filters": [filter, {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }],
            "route_config": {"virtual_hosts": [{
                "name": "all", "domains": ["*"],
                "routes": [
                    route(json!({"prefix": "/public"}), "app"),
                    route(json!({"path_separated_prefix": "/open", "case_sensitive": false}), "app"),
                    route(json!({"prefix": "/"}), "private"),
                ],
            }]},
        });
        let settings = normalisation.as_object().into_iter().flatten();
        settings.for_each(|(name, value)| manager[name] = value.clone());
        json!({
            "name": name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
        })
    };
    json!({
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "static_resources": {"clusters": clusters, "listeners": normalisations().map(listener)},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_token_never_reaches_the_private_cluster() {
    let (app, private, files) = (Upstream::start().await, Upstream::start().await, Files::new());
    let configuration = json!({
        "pools": [pool()],
        "routes": [
            {"prefix": "/public", "public": true},
            {"prefix": "/open", "public": true},
            {"prefix": "/", "authenticated": true},
        ],
    });
    let filter = wasm_filter(&files.filter, &configuration);
    let clusters = [cluster("app", app.port), cluster("private", private.port)];
    let envoy = Envoy::start_with(|port| bootstrap(port, &filter, &clusters).to_string()).await;
    let token = access().compact();
    for (name, _) in normalisations() {
        let url = envoy.url(name).await;
        for target in
            [spellings_of("/public"), spellings_of("/open"), vec!["/%70ublic/x".into(), "/PUBLIC/x".into()]].concat()
        {
            let response = get(&url, &target, None).await;
            let seen = private.seen();
            assert!(seen.is_empty(), "{name} {target}: {response:?} {seen:?}");
        }
        assert!(!app.seen().is_empty(), "{name}: some targets are public in every reading");
        assert_eq!(get(&url, "/public/x", None).await.status, 200, "{name}");
        assert_eq!(app.seen().len(), 1, "{name}");
        assert_eq!(get(&url, "/x/caf%C3%A9.pdf", Some(&token)).await.status, 200, "{name}");
        assert_eq!(private.seen().len(), 1, "{name}");
    }
}
