//! Envoy in front of an application, with the filter `envoy.filters.http.ext_authz`.

use super::client::Service;
use crate::{requests::Request, upstream::Upstream};
use poolgate_tests::{
    envoy::{Envoy, Setup, cluster},
    exact_client::{Exchange, Response},
};
use serde_json::{Value, json};

/// The listener whose filter asks over gRPC.
pub const GRPC: &str = "grpc";
/// The same, and then the filter `rbac`, which requires the group `writers` in the metadata.
pub const RBAC: &str = "rbac";
/// The listener whose filter asks over HTTP.
pub const HTTP: &str = "http";

pub struct Proxied {
    pub service: Service,
    pub upstream: Upstream,
    pub envoy: Envoy,
}

impl Proxied {
    pub async fn start(configuration: &Value) -> Self {
        let (service, upstream) = (Service::start(configuration).await, Upstream::start().await);
        let port = service.served.public.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let listeners = [
            (GRPC, vec![shown_in_response(), asks_over_grpc(), shown_to_application()]),
            (RBAC, vec![asks_over_grpc(), requires_writers()]),
            (HTTP, vec![asks_over_http()]),
        ];
        let setup = Setup {
            listeners: listeners.map(|(name, filters)| (name.to_owned(), filters)).into(),
            clusters: vec![
                cluster("app", upstream.port),
                over_http_2("gateway-grpc", port),
                cluster_of_http_1("gateway", port),
            ],
            concurrency: 1,
            is_dynamic: false,
            answers_itself: false,
        };
        let envoy = Envoy::start(&setup).await;
        Self { service, upstream, envoy }
    }

    /// Sends the request as it is to a listener.
    pub async fn send(&self, listener: &str, request: &Request) -> Response {
        let mut headers: Vec<(&str, &str)> = vec![("host", request.host)];
        headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
        let url = self.envoy.url(listener).await;
        Exchange::begin(&url, request.method, &request.target, &headers).await.answer_to(request.method).await
    }
}

fn over_http_2(name: &str, port: u16) -> Value {
    let mut cluster = cluster(name, port);
    cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    cluster
}

fn cluster_of_http_1(name: &str, port: u16) -> Value {
    let mut cluster = cluster(name, port);
    cluster.as_object_mut().expect("an object").remove("typed_extension_protocol_options");
    cluster
}

fn filter(name: &str, kind: &str, mut configuration: Value) -> Value {
    configuration["@type"] = json!(format!("type.googleapis.com/envoy.extensions.filters.http.{kind}"));
    json!({"name": name, "typed_config": configuration})
}

/// As in docs/ext-authz-grpc.md.
fn asks_over_grpc() -> Value {
    let configuration = json!({
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": "gateway-grpc"}, "timeout": "10s"},
        "encode_raw_headers": true,
    });
    filter("envoy.filters.http.ext_authz", "ext_authz.v3.ExtAuthz", configuration)
}

/// As in docs/ext-authz-grpc.md.
fn asks_over_http() -> Value {
    let claims = json!({"patterns": [{"exact": "x-user"}, {"exact": "x-groups"}]});
    let configuration = json!({
        "transport_api_version": "V3",
        "http_service": {
            "server_uri": {"uri": "http://gateway", "cluster": "gateway", "timeout": "10s"},
            "path_prefix": "/v1/ext-authz",
            "authorization_response": {"allowed_upstream_headers": claims},
        },
        "allowed_headers": {"patterns": [{"safe_regex": {"regex": ".*"}}]},
    });
    filter("envoy.filters.http.ext_authz", "ext_authz.v3.ExtAuthz", configuration)
}

/// Adds headers with the metadata to the response, also if Envoy responds itself.
fn shown_in_response() -> Value {
    let mutations =
        json!({"response_mutations": [shown("x-seen-decision", "decision"), shown("x-seen-reason", "reason")]});
    filter("shown-in-response", "header_mutation.v3.HeaderMutation", json!({"mutations": mutations}))
}

/// Adds headers with the metadata to the request for the application.
fn shown_to_application() -> Value {
    let mutations =
        json!({"request_mutations": [shown("x-seen-subject", "subject"), shown("x-seen-groups", "groups")]});
    filter("shown-to-application", "header_mutation.v3.HeaderMutation", json!({"mutations": mutations}))
}

fn shown(header: &str, key: &str) -> Value {
    let value = format!("%DYNAMIC_METADATA(envoy.filters.http.ext_authz:{key})%");
    json!({"append": {"header": {"key": header, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}})
}

/// As in docs/ext-authz-grpc.md.
fn requires_writers() -> Value {
    let groups = json!({
        "filter": "envoy.filters.http.ext_authz",
        "path": [{"key": "groups"}],
        "value": {"list_match": {"one_of": {"string_match": {"exact": "writers"}}}},
    });
    let writers =
        json!({"permissions": [{"any": true}], "principals": [{"sourced_metadata": {"metadata_matcher": groups}}]});
    filter(
        "envoy.filters.http.rbac",
        "rbac.v3.RBAC",
        json!({"rules": {"action": "ALLOW", "policies": {"writers": writers}}}),
    )
}
