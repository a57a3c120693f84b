//! The gate: one configuration decides about whole requests, and every integration makes the same decision about the same request.

#[path = "middleware/composing.rs"]
mod composing;
#[path = "hosts/example.rs"]
#[expect(dead_code, reason = "--test hosts uses the rest")]
mod example;
mod gateway_setup;
#[path = "middleware/scene.rs"]
#[expect(dead_code, reason = "--test middleware uses the rest")]
mod middleware_scene;
#[path = "middleware/serving.rs"]
#[expect(dead_code, reason = "--test middleware uses the rest")]
mod serving;
#[path = "envoy/upstream.rs"]
#[expect(dead_code, reason = "--test envoy uses the rest")]
mod upstream;
mod gate {
    mod building;
    mod cookbook;
    mod decided;
    mod exchange;
    mod integrations;
    mod keys;
    mod layer;
    mod library;
    mod node;
    mod programs;
    mod proxied;
    mod python;
    mod reload;
    mod requests;
    mod revocation;
    mod scene;
}
