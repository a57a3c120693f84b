//! The fuzz targets. Each takes any bytes, and panics if one of its oracles fails.
//!
//! `fuzz/libfuzzer` links them to libFuzzer, with a nightly compiler. This crate has no such dependency, so that `tests/fuzz_corpus.rs` can
//! replay the committed corpus with a stable compiler. See `fuzz/README.md`.
#![forbid(unsafe_code)]

extern crate alloc;

pub mod claims;
pub mod compact;
mod drawing;
pub mod edge_config;
pub mod json;
pub mod jwks;
pub mod key_directory;
pub mod keys;
pub mod pem;
mod reference;
pub mod revocations;
pub mod rsa;
mod scene;
mod text;

/// A target. Its corpus has the same name.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its module, its corpus and its libFuzzer binary.
    pub name: &'static str,
    /// Runs the target on an input. Panics if it finds an error.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 10] = [
    Target { name: "compact", run: compact::run },
    Target { name: "json", run: json::run },
    Target { name: "jwks", run: jwks::run },
    Target { name: "claims", run: claims::run },
    Target { name: "rsa", run: rsa::run },
    Target { name: "keys", run: keys::run },
    Target { name: "key_directory", run: key_directory::run },
    Target { name: "pem", run: pem::run },
    Target { name: "revocations", run: revocations::run },
    Target { name: "edge_config", run: edge_config::run },
];
