//! The layers for axum and tonic: what they let pass, and what they answer. The corpus is put to them in `tests/hosts.rs`.

mod example_services;
mod layers {
    mod failures;
    mod grpc;
    mod http;
    mod readiness;
    mod scene;
    mod streaming;
}
