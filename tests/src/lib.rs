//! Shared by the tests: creation of valid and malformed tokens, the token corpus, the Wycheproof vectors, Cognito
//! emulators, and an HTTP server with configurable failures.
//!
//! Nothing here depends on the component or the host, so that tests can use the same cases for the core and for the component.

pub mod chromium;
pub mod cognito_local;
pub mod configuration_words;
pub mod corpus;
pub mod debian_package;
pub mod discovery_documents;
pub mod discovery_server;
pub mod edge_corpus;
pub mod edge_scene;
pub mod envoy;
pub mod exact_client;
pub mod faulty_server;
pub mod frameworks;
pub mod handmade_rsa;
pub mod keys;
pub mod microburst;
pub mod ministack;
pub mod minting;
mod nginx;
pub mod npm;
pub mod odd_paths;
pub mod proxies;
pub mod python_environment;
pub mod recipes;
pub mod redis;
pub mod rng;
pub mod seen;
pub mod server_process;
pub mod target_folder;
pub mod test_pool;
pub mod wash;
pub mod wasmtime_serve;
pub mod wycheproof_vectors;
