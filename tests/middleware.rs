//! Tests of the `wasi:http` middleware in front of a small application, in a server built from the same crates as `wasmtime serve`.

#[path = "middleware/claims.rs"]
mod claims;
#[path = "middleware/component.rs"]
mod component;
#[path = "middleware/composing.rs"]
mod composing;
#[path = "middleware/corpus.rs"]
mod corpus;
#[path = "middleware/discovery.rs"]
mod discovery;
#[path = "middleware/keys.rs"]
mod keys;
#[path = "discovery/oidc_provider/mod.rs"]
mod oidc_provider;
#[path = "middleware/published.rs"]
mod published;
#[path = "middleware/real_issuer.rs"]
mod real_issuer;
#[path = "middleware/rejections.rs"]
mod rejections;
#[path = "middleware/runtimes.rs"]
mod runtimes;
#[path = "middleware/scene.rs"]
mod scene;
#[path = "middleware/serving.rs"]
mod serving;
#[path = "middleware/verdicts.rs"]
mod verdicts;
