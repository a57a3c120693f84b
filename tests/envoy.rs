//! Tests of the filter in Envoy.

#[path = "envoy/bodies.rs"]
mod bodies;
#[path = "envoy/configuration.rs"]
mod configuration;
#[path = "envoy/corpus.rs"]
mod corpus;
#[path = "envoy/examples.rs"]
mod examples;
#[path = "envoy/faults.rs"]
mod faults;
#[path = "envoy/features.rs"]
mod features;
#[path = "envoy/frameworks.rs"]
mod frameworks;
#[path = "envoy/hosts.rs"]
mod hosts;
#[path = "envoy/keys.rs"]
mod keys;
#[path = "envoy/module.rs"]
mod module;
#[path = "envoy/paths.rs"]
mod paths;
#[path = "envoy/protocols.rs"]
mod protocols;
#[path = "envoy/routing.rs"]
mod routing;
#[path = "envoy/scene.rs"]
mod scene;
#[path = "envoy/upstream.rs"]
mod upstream;
#[path = "envoy/verdicts.rs"]
mod verdicts;
