//! The WebAssembly files of poolgate as byte slices, for programs that embed them.
//!
//! In poolgate's repository, the build script builds them for `wasm32-unknown-unknown`. The published package contains those of the release and
//! needs no WebAssembly toolchain. `poolgate-artifact all FOLDER` writes them to files.
#![forbid(unsafe_code)]

/// A published file.
#[derive(Debug, Clone, Copy)]
pub struct Artifact {
    /// The file's name without its extension, such as `token-verifier-wide`.
    pub name: &'static str,
    /// The file's extension: `wasm`, `wit` for the contract as text, or `json`.
    pub extension: &'static str,
    /// What the file is for, in one line.
    pub summary: &'static str,
    /// The contents of the file.
    pub bytes: &'static [u8],
}

/// All published files, in the order of the README.
#[cfg(feature = "all")]
pub const PUBLISHED: &[Artifact] = &[
    wasm(
        "token-verifier-wide",
        "component: token verifier, for runtimes with wide-arithmetic (Wasmtime)",
        TOKEN_VERIFIER_WIDE,
    ),
    wasm(
        "token-verifier-simd",
        "component: token verifier, for runtimes with 128-bit SIMD (Node.js, browsers)",
        TOKEN_VERIFIER_SIMD,
    ),
    wasm("token-verifier-portable", "component: token verifier, for every runtime", TOKEN_VERIFIER_PORTABLE),
    wasm(
        "token-verifier-cognito",
        "component: token verifier with RSA only, for every runtime; smaller",
        TOKEN_VERIFIER_COGNITO,
    ),
    wasm("authenticator", "component: token verifier and account flows, for every runtime", AUTHENTICATOR),
    wasm(
        "authenticator-wide",
        "component: token verifier and account flows, for runtimes with wide-arithmetic (Wasmtime)",
        AUTHENTICATOR_WIDE,
    ),
    wasm(
        "request-gate-wide",
        "component: gate for requests and token verifier, for runtimes with wide-arithmetic (Wasmtime)",
        REQUEST_GATE_WIDE,
    ),
    wasm(
        "request-gate-simd",
        "component: gate for requests and token verifier, for runtimes with 128-bit SIMD (Node.js)",
        REQUEST_GATE_SIMD,
    ),
    wasm("envoy-filter", "proxy-wasm module for Envoy", ENVOY_FILTER),
    wasm("envoy-filter-plain", "proxy-wasm module for proxies without SIMD", ENVOY_FILTER_PLAIN),
    wasm("envoy-filter-cognito", "proxy-wasm module for Envoy with RSA only", ENVOY_FILTER_COGNITO),
    wasm("middleware", "component: wasi:http middleware (WASI 0.3)", MIDDLEWARE),
    wasm("probe-wide", "core module: the RSA kernel, for `poolgate bench`", PROBE_WIDE),
    wasm("probe-plain", "core module: the RSA kernel and the rsa crate, for every runtime", PROBE_PLAIN),
    wasm("contract", "the WIT package poolgate:auth, in the format of registries", CONTRACT),
    Artifact {
        name: "contract",
        extension: "wit",
        summary: "the WIT package poolgate:auth, as text",
        bytes: CONTRACT_TEXT.as_bytes(),
    },
    Artifact {
        name: "policy.schema",
        extension: "json",
        summary: "the JSON Schema of the configuration of gate, filter and middleware",
        bytes: POLICY_SCHEMA.as_bytes(),
    },
];

#[cfg(feature = "all")]
const fn wasm(name: &'static str, summary: &'static str, bytes: &'static [u8]) -> Artifact {
    Artifact { name, extension: "wasm", summary, bytes }
}

/// The component of the world `token-verifier` with every algorithm, for runtimes with the wide-arithmetic feature
/// (`i64.mul_wide_u` and related instructions). The `poolgate` crate runs it.
pub const TOKEN_VERIFIER_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token-verifier-wide.wasm"));

/// The same component for runtimes with 128-bit SIMD, such as Node.js and browsers.
#[cfg(feature = "bench")]
pub const TOKEN_VERIFIER_SIMD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token-verifier-simd.wasm"));

/// The same component for all other runtimes. It needs no feature beyond WebAssembly 2.0.
#[cfg(feature = "bench")]
pub const TOKEN_VERIFIER_PORTABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token-verifier-portable.wasm"));

/// The component of the world `authenticator`: the verifier with every algorithm and the account flows, for every runtime.
#[cfg(feature = "all")]
pub const AUTHENTICATOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/authenticator.wasm"));

/// The same component for runtimes with the wide-arithmetic feature. The `poolgate` crate runs the account flows in it.
#[cfg(feature = "accounts")]
pub const AUTHENTICATOR_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/authenticator-wide.wasm"));

/// The component of the world `request-gate` with every algorithm, for runtimes with the wide-arithmetic feature. The `poolgate` crate runs it.
#[cfg(feature = "gate")]
pub const REQUEST_GATE_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/request-gate-wide.wasm"));

/// The same component for runtimes with 128-bit SIMD, such as Node.js.
#[cfg(feature = "all")]
pub const REQUEST_GATE_SIMD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/request-gate-simd.wasm"));

/// The portable build with RSA only, which Cognito uses. It is smaller.
#[cfg(feature = "bench")]
pub const TOKEN_VERIFIER_COGNITO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token-verifier-cognito.wasm"));

/// The wasi:http middleware (WASI 0.3) with every algorithm, for every runtime. It needs a configuration component plugged into it.
#[cfg(feature = "all")]
pub const MIDDLEWARE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/middleware.wasm"));

/// The proxy-wasm filter with every algorithm, for Envoy and other proxies whose WebAssembly has 128-bit SIMD and relaxed SIMD (WebAssembly 3.0).
#[cfg(feature = "all")]
pub const ENVOY_FILTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy-filter.wasm"));

/// The same filter without SIMD.
#[cfg(feature = "all")]
pub const ENVOY_FILTER_PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy-filter-plain.wasm"));

/// The filter with SIMD and only the algorithms of Cognito: RS256, RS384 and RS512 with the exponent 65,537.
#[cfg(feature = "all")]
pub const ENVOY_FILTER_COGNITO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy-filter-cognito.wasm"));

/// The RSA kernel as a core module with wide-arithmetic. `poolgate bench` measures it.
#[cfg(feature = "bench")]
pub const PROBE_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe-wide.wasm"));

/// The same module without wide-arithmetic, and with the `rsa` crate for comparison.
#[cfg(feature = "bench")]
pub const PROBE_PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe-plain.wasm"));

/// The WIT package `poolgate:auth` with its dependencies, encoded as WebAssembly.
pub const CONTRACT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.wasm"));

/// The JSON Schema of the gate's configuration, which is also that of the filter and the middleware.
pub const POLICY_SCHEMA: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.schema.json"));

/// The WIT package `poolgate:auth` as text.
pub const CONTRACT_TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/contract.wit"));

/// Guests for poolgate's own tests and benchmarks.
#[cfg(feature = "test-guests")]
mod test_guests {
    /// A small `wasi:http` application that responds with the request that it received.
    pub const ECHO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/echo.wasm"));

    /// [`ENVOY_FILTER`](super::ENVOY_FILTER) with test hooks: request headers make it fail or set its clock. It must never be deployed.
    pub const ENVOY_FILTER_TEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy-filter-test.wasm"));

    /// The kernel of [`PROBE_PLAIN`](super::PROBE_PLAIN) with SIMD.
    pub const PROBE_SIMD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe-simd.wasm"));
    /// The kernel with relaxed SIMD.
    pub const PROBE_RELAXED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe-relaxed.wasm"));
}
#[cfg(feature = "test-guests")]
pub use test_guests::*;
