//! What the tests share: a mint for tokens, good and malformed; the corpus of judged tokens; the Wycheproof vectors; a
//! Cognito-compatible server; an HTTP server that misbehaves.
//!
//! Nothing here knows the component or the host, so that one test can feed the core and another the component with the
//! very same cases.

#[cfg(doctest)]
mod book;
pub mod chromium;
pub mod cognito_local;
pub mod configuration_words;
pub mod corpus;
pub mod debian_package;
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
pub mod redis;
pub mod rng;
pub mod seen;
pub mod server_process;
pub mod target_folder;
pub mod test_pool;
pub mod wash;
pub mod wasmtime_serve;
pub mod wycheproof_vectors;
