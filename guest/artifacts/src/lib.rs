//! poolgate's guests as bytes, built by this package's build script for `wasm32-unknown-unknown`.
#![forbid(unsafe_code)]

/// The component of the world `token-verifier` with every algorithm, for runtimes with the wide-arithmetic feature
/// (`i64.mul_wide_u` and its kin). What the native host runs.
pub const TOKEN_VERIFIER_WIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_wide.wasm"));

/// The same for every other runtime: WebAssembly 2.0 and nothing beyond.
pub const TOKEN_VERIFIER_PORTABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_portable.wasm"));

/// The component of the world `authenticator`: the verifier with every algorithm and the account flows, for every runtime.
pub const AUTHENTICATOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/authenticator.wasm"));

/// The portable build with RSA alone, all that Cognito signs with: for where size counts.
pub const TOKEN_VERIFIER_COGNITO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token_verifier_cognito.wasm"));
