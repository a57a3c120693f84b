//! What is built.

/// A build of a guest crate.
pub struct Artifact {
    /// The file's name.
    pub name: &'static str,
    pub guest: Guest,
    pub flags: &'static str,
    pub features: &'static str,
    pub profile: &'static str,
    /// What the world is told about it. None: it is for tests.
    pub summary: Option<&'static str>,
}

#[derive(Clone, Copy)]
pub enum Guest {
    /// `poolgate-component`: the module becomes a component.
    Component,
    /// `poolgate-probe`: the module stays as it is.
    Probe,
    /// `poolgate-http`: the module becomes a component.
    Http,
    /// `poolgate-echo`: so does this.
    Echo,
    /// `poolgate-proxy-wasm`: the module keeps the callbacks that do something.
    ProxyWasm,
}

impl Guest {
    pub fn name(self) -> &'static str {
        match self {
            Guest::Component => "component",
            Guest::Probe => "probe",
            Guest::Http => "http",
            Guest::Echo => "echo",
            Guest::ProxyWasm => "proxy-wasm",
        }
    }
}

/// curve25519-dalek would take the pointer's width for the word's.
pub const WIDE: &str = "-Ctarget-feature=+wide-arithmetic --cfg=curve25519_dalek_bits=\"64\"";
pub const SIMD: &str = "-Ctarget-feature=+simd128";
/// What Envoy's V8 has besides.
pub const RELAXED: &str = "-Ctarget-feature=+simd128,+relaxed-simd";
/// The profiles of the workspace's Cargo.toml.
const FAST: &str = "guest";
const SMALL: &str = "guest-small";
const FILTER: &str = "guest-filter";
const FILTER_PLAIN: &str = "guest-filter-plain";

#[rustfmt::skip]
pub const ARTIFACTS: [Artifact; 15] = [
    Artifact { name: "token-verifier-wide", guest: Guest::Component, flags: WIDE, features: "every-algorithm", profile: FAST,
        summary: Some("poolgate's token verifier, for runtimes with wide-arithmetic") },
    Artifact { name: "token-verifier-simd", guest: Guest::Component, flags: SIMD, features: "every-algorithm", profile: FAST,
        summary: Some("poolgate's token verifier, for runtimes with 128-bit SIMD") },
    Artifact { name: "token-verifier-portable", guest: Guest::Component, flags: "", features: "every-algorithm", profile: FAST,
        summary: Some("poolgate's token verifier, for every runtime") },
    Artifact { name: "token-verifier-cognito", guest: Guest::Component, flags: "", features: "", profile: SMALL,
        summary: Some("poolgate's token verifier with RSA alone, for every runtime") },
    Artifact { name: "authenticator", guest: Guest::Component, flags: "", features: "every-algorithm,accounts", profile: SMALL,
        summary: Some("poolgate's token verifier and account flows, for every runtime") },
    Artifact { name: "envoy-filter", guest: Guest::ProxyWasm, flags: RELAXED, features: "every-algorithm", profile: FILTER,
        summary: Some("poolgate as a proxy-wasm filter, for Envoy") },
    Artifact { name: "envoy-filter-plain", guest: Guest::ProxyWasm, flags: "", features: "every-algorithm", profile: FILTER_PLAIN,
        summary: Some("poolgate as a proxy-wasm filter, for proxies without SIMD") },
    Artifact { name: "envoy-filter-cognito", guest: Guest::ProxyWasm, flags: RELAXED, features: "", profile: SMALL,
        summary: Some("poolgate as a proxy-wasm filter with RSA alone, for Envoy") },
    Artifact { name: "middleware", guest: Guest::Http, flags: "", features: "every-algorithm", profile: SMALL,
        summary: Some("poolgate as wasi:http middleware (WASI 0.3), for every runtime") },
    Artifact { name: "probe-wide", guest: Guest::Probe, flags: WIDE, features: "", profile: FAST,
        summary: Some("poolgate's RSA kernel alone, for runtimes with wide-arithmetic") },
    Artifact { name: "probe-plain", guest: Guest::Probe, flags: "", features: "peer", profile: FAST,
        summary: Some("poolgate's RSA kernel and the rsa crate alone, for every runtime") },
    Artifact { name: "envoy-filter-test", guest: Guest::ProxyWasm, flags: RELAXED, features: "every-algorithm,test-hooks", profile: FILTER, summary: None },
    Artifact { name: "echo", guest: Guest::Echo, flags: "", features: "", profile: SMALL, summary: None },
    Artifact { name: "probe-simd", guest: Guest::Probe, flags: SIMD, features: "", profile: FAST, summary: None },
    Artifact { name: "probe-relaxed", guest: Guest::Probe, flags: RELAXED, features: "", profile: FAST, summary: None },
];

/// What the published package carries.
pub fn published() -> impl Iterator<Item = &'static Artifact> {
    ARTIFACTS.iter().filter(|artifact| artifact.summary.is_some())
}
