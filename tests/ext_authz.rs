//! Envoy's `ext_authz`: a gate decides about the request that Envoy describes, over gRPC and over HTTP.

#[path = "gate/decided.rs"]
mod decided;
mod gateway_setup;
#[path = "gate/requests.rs"]
mod requests;
#[path = "gate/scene.rs"]
#[expect(dead_code, reason = "--test gate uses the rest")]
mod scene;
#[path = "envoy/upstream.rs"]
#[expect(dead_code, reason = "--test envoy uses the rest")]
mod upstream;
mod ext_authz {
    mod client;
    mod envoy;
    mod faults;
    mod health;
    mod proxied;
    mod service;
}
