//! poolgate's guests as bytes, built by this package's build script for `wasm32-unknown-unknown`.
#![forbid(unsafe_code)]

/// The component of the world `token-verifier` with every algorithm, for runtimes with the wide-arithmetic feature
/// (`i64.mul_wide_u` and its kin). What the native host runs.
pub const TOKEN_VERIFIER_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_wide.wasm"));

/// The same for runtimes with 128-bit SIMD, as Envoy, browsers and Node have it.
pub const TOKEN_VERIFIER_SIMD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_simd.wasm"));

/// The same for every other runtime: WebAssembly 2.0 and nothing beyond.
pub const TOKEN_VERIFIER_PORTABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_portable.wasm"));

/// The component of the world `authenticator`: the verifier with every algorithm and the account flows, for every runtime.
pub const AUTHENTICATOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/authenticator.wasm"));

/// The portable build with RSA alone, all that Cognito signs with: for where size counts.
pub const TOKEN_VERIFIER_COGNITO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_cognito.wasm"));

/// The wasi:http middleware (WASI 0.3) with every algorithm, for every runtime. It is whole with a configuration plugged in.
pub const MIDDLEWARE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/middleware.wasm"));

/// A small wasi:http application that answers with the request that it got, for tests.
pub const ECHO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/echo.wasm"));

/// The kernels behind plain exports, for tests and benchmarks: a core module with wide-arithmetic, with SIMD, with relaxed SIMD,
/// and with none of them; the last has the `rsa` crate too.
pub const PROBE_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe_wide.wasm"));
/// See [`PROBE_WIDE`].
pub const PROBE_SIMD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe_simd.wasm"));
/// See [`PROBE_WIDE`].
pub const PROBE_RELAXED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe_relaxed.wasm"));
/// See [`PROBE_WIDE`].
pub const PROBE_PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe_plain.wasm"));

/// The proxy-wasm filter with every algorithm, for Envoy and other proxies whose WebAssembly has 128-bit SIMD and relaxed SIMD (WebAssembly 3.0).
pub const ENVOY_FILTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy_filter.wasm"));

/// The same without SIMD.
pub const ENVOY_FILTER_PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy_filter_plain.wasm"));

/// With SIMD and only what Cognito signs with: RS256 (and its longer hashes) with the exponent 65,537.
pub const ENVOY_FILTER_COGNITO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy_filter_cognito.wasm"));

/// [`ENVOY_FILTER`] with doors for tests: request headers make it fail, or set its clock. Never to be deployed.
pub const ENVOY_FILTER_TEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/envoy_filter_test.wasm"));
