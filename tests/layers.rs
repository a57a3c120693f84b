//! The layers for axum and tonic: which requests they accept, and how they respond to the others. `tests/hosts.rs` runs
//! the token corpus through them.

mod example_services;
mod layers {
    mod failures;
    mod grpc;
    mod http;
    mod readiness;
    mod scene;
    mod streaming;
}
