//! The same requests through every integration: filter, middleware, gateway, tower and library make the same decision.

use super::{
    exchange::{ask, ask_like_envoy, send},
    layer,
    proxied::{CADDY, NGINX, gateway},
    requests::{Request, all},
    scene::{configuration, gate_now, verdict},
};
use crate::{middleware_scene, upstream::Upstream};
use poolgate::Gate;
use poolgate_artifacts::ENVOY_FILTER;
use poolgate_tests::{
    edge_scene::{access, now, reason},
    envoy::{Envoy, Setup, cluster, wasm_filter},
    exact_client::Response,
};
use std::fs;
use tempfile::TempDir;

/// What an integration has decided: the status and, if the request is rejected, the reason.
type Decided = (u16, String);

fn decided(request: &Request, response: &Response) -> Decided {
    match response.status {
        200 => (200, String::new()),
        // A response to HEAD has no body.
        status if request.method == "HEAD" => (status, String::new()),
        status => (status, reason(&response.body)),
    }
}

fn expected(request: &Request, verdict: &str) -> Decided {
    match verdict.split_once(' ') {
        Some(("reported", _)) | None => (200, String::new()),
        Some((status, reason)) => {
            let reason = if request.method == "HEAD" { "" } else { reason };
            (status.parse().expect("a status"), reason.to_owned())
        }
    }
}

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
            let is_same = *wanted == decided || (wanted.1.is_empty() && wanted.0 == decided.0);
            if !is_same {
                faults.push(format!("{name}: {request:?}: {decided:?}, not {wanted:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), requests.len(), faults.join("\n"));
    served.stop().await;
}

async fn wanted(gate: &Gate, request: &Request) -> Decided {
    expected(request, &verdict(&gate.decide(&request.head()).await))
}

/// Envoy and Wasmtime remove `Connection` before the filter or the middleware.
async fn wanted_without_connection(gate: &Gate, request: &Request) -> Decided {
    let mut passed = request.clone();
    passed.headers.retain(|(name, _)| *name != "connection");
    wanted(gate, &passed).await
}

/// Envoy also makes one field of two fields `Authorization`.
async fn wanted_of_envoy(gate: &Gate, request: &Request) -> Decided {
    let mut passed = request.clone();
    let tokens = passed.headers.iter().filter(|(name, _)| *name == "authorization").map(|(_, value)| value.as_str());
    let joined = tokens.collect::<Vec<_>>().join(",");
    passed.headers.retain(|(name, _)| *name != "authorization");
    if !joined.is_empty() {
        passed.headers.push(("authorization", joined));
    }
    wanted_without_connection(gate, &passed).await
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
