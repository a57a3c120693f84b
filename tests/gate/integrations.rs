//! The same requests through every integration: filter, middleware, gateway, tower and library make the same decision.

use super::{
    exchange::{ask, ask_like_envoy, send},
    layer,
    proxied::{CADDY, NGINX, gateway},
    requests::{Request, all},
    scene::{configuration, gate_now, verdict},
};
use crate::{middleware_scene::served, upstream::Upstream};
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
    let requests = all(access, now());
    let gate = gate_now(&configuration).await;
    let mut wanted = Vec::new();
    for request in &requests {
        wanted.push(expected(request, &verdict(&gate.decide(&request.head()).await)));
    }
    let (served, app) = (gateway(&configuration).await, layer::serve(gate).await);
    let middleware = served_by_middleware(&configuration).await;
    let envoy = Filter::start(&configuration).await;
    let mut faults = Vec::new();
    for (request, wanted) in requests.iter().zip(&wanted) {
        // A proxy can only ask the gateway, so what it would have to remove is refused instead.
        let refused = (400, String::new());
        let of_gateway = if is_refused_by_gateway(request) { &refused } else { wanted };
        // For the gateway, the check of a HEAD request is a GET request with a body.
        let without_body = |response: &Response| decided(request, response);
        for (name, wanted, decided) in [
            ("tower", wanted, decided(request, &send(&app.url, request).await)),
            ("middleware", wanted, decided(request, &send(&middleware.url, request).await)),
            ("Envoy", wanted, decided(request, &send(&envoy.url, request).await)),
            ("gateway for nginx", of_gateway, without_body(&ask(&served.public, request, NGINX).await)),
            ("gateway for Caddy", of_gateway, without_body(&ask(&served.public, request, CADDY).await)),
            ("gateway for ext_authz", of_gateway, decided(request, &ask_like_envoy(&served.public, request).await)),
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

/// The gateway refuses a client's headers that the proxy can't remove. Exactly those claim headers that it sets itself are replaced.
fn is_refused_by_gateway(request: &Request) -> bool {
    request.headers.iter().any(|(name, _)| ["x_user", "x-original-url", "script_name"].contains(name))
}

async fn served_by_middleware(configuration: &serde_json::Value) -> crate::serving::Serving {
    served(configuration).await
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
