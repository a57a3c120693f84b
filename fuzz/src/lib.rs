//! What the fuzzer runs: seven targets. Each takes any bytes and panics when one of its oracles is hurt.
//!
//! libFuzzer is linked in `fuzz/libfuzzer`, with a nightly compiler; here is plain code, so that `tests/fuzz_corpus.rs` replays the
//! committed corpus on stable. How to run: `fuzz/README.md`.
#![forbid(unsafe_code)]

extern crate alloc;

pub mod claims;
pub mod compact;
mod drawing;
pub mod edge_config;
pub mod json;
pub mod jwks;
pub mod keys;
mod reference;
pub mod rsa;
mod scene;
mod text;

/// A target by its name, which is also that of its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its module, its corpus and its libFuzzer binary.
    pub name: &'static str,
    /// Runs it on an input; panics at a finding.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 7] = [
    Target { name: "compact", run: compact::run },
    Target { name: "json", run: json::run },
    Target { name: "jwks", run: jwks::run },
    Target { name: "claims", run: claims::run },
    Target { name: "rsa", run: rsa::run },
    Target { name: "keys", run: keys::run },
    Target { name: "edge_config", run: edge_config::run },
];
