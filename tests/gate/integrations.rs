//! The same requests through every integration: filter, middleware, gateway, tower and library make the same decision.

use super::{
    decided::{decided, is_same, wanted, wanted_of_envoy, wanted_without_connection},
    exchange::{ask, ask_like_envoy, send},
    layer,
    proxied::{CADDY, NGINX, gateway},
    requests::{Request, all},
    scene::{configuration, gate_now},
};
use crate::{middleware_scene, upstream::Upstream};
use poolgate_artifacts::ENVOY_FILTER;
use poolgate_tests::{
    edge_scene::{access, now},
    envoy::{Envoy, Setup, cluster, wasm_filter},
};
use std::fs;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn one_configuration_has_the_same_decision_about_the_same_request_everywhere() {
    let configuration = configuration();
    // Wasmtime passes neither the field `Host` of HTTP/1 to a component nor an authority.
    let mut without_hosts = configuration.clone();
    without_hosts["routes"].as_array_mut().expect("a list").remove(0);
    let requests = all(access, now());
    let (gate, hostless) = (gate_now(&configuration).await, gate_now(&without_hosts).await);
    let (served, app) = (gateway(&configuration).await, layer::serve(gate.clone()).await);
    let (middleware, envoy) = (middleware_scene::served(&without_hosts).await, Filter::start(&configuration).await);
    let mut faults = Vec::new();
    for request in &requests {
        let wanted = self::wanted(&gate, request).await;
        let as_envoy_passes_it = wanted_of_envoy(&gate, request).await;
        // A proxy can only ask the gateway, so what it would have to remove is refused instead.
        let of_gateway = if is_refused_by_gateway(request) { (400, String::new()) } else { wanted.clone() };
        for (name, wanted, decided) in [
            ("tower", &wanted, decided(request, &send(&app.url, request).await)),
            (
                "middleware",
                &wanted_without_connection(&hostless, request).await,
                decided(request, &send(&middleware.url, request).await),
            ),
            ("Envoy", &as_envoy_passes_it, decided(request, &send(&envoy.url, request).await)),
            ("gateway for nginx", &of_gateway, decided(request, &ask(&served.public, request, NGINX).await)),
            ("gateway for Caddy", &of_gateway, decided(request, &ask(&served.public, request, CADDY).await)),
            ("gateway for ext_authz", &of_gateway, decided(request, &ask_like_envoy(&served.public, request).await)),
        ] {
            if !is_same(wanted, &decided) {
                faults.push(format!("{name}: {request:?}: {decided:?}, not {wanted:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), requests.len(), faults.join("\n"));
    served.stop().await;
}

/// The gateway refuses a client's headers that the proxy can't remove. Exactly those claim headers that it sets itself are replaced.
fn is_refused_by_gateway(request: &Request) -> bool {
    request.headers.iter().any(|(name, _)| ["x_user", "x-original-url", "script_name"].contains(name))
}

/// Envoy with the filter.
struct Filter {
    url: String,
    _envoy: Envoy,
    _upstream: Upstream,
    _folder: TempDir,
}

impl Filter {
    async fn start(configuration: &serde_json::Value) -> Self {
        let (upstream, folder) = (Upstream::start().await, TempDir::new().expect("a folder"));
        let module = folder.path().join("filter.wasm");
        fs::write(&module, ENVOY_FILTER).expect("a file");
        let setup = Setup {
            listeners: vec![("0".to_owned(), vec![wasm_filter(&module, configuration)])],
            clusters: vec![cluster("app", upstream.port)],
            concurrency: 1,
            is_dynamic: false,
            answers_itself: false,
        };
        let envoy = Envoy::start(&setup).await;
        Self { url: envoy.url("0").await, _envoy: envoy, _upstream: upstream, _folder: folder }
    }
}
