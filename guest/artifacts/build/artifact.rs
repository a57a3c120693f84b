//! The list of artifacts, and how each is built.

/// A build of a guest crate.
pub struct Artifact {
    /// The file's name.
    pub name: &'static str,
    pub guest: Guest,
    pub flags: &'static str,
    pub features: &'static str,
    pub profile: &'static str,
    /// The features of this crate that include the artifact; any one of them is enough. If the list is empty, it is always built.
    pub wanted_by: &'static [&'static str],
    /// The description that a registry shows. If it is `None`, the artifact is not published.
    pub summary: Option<&'static str>,
}

impl Artifact {
    /// Returns whether an enabled feature of this crate includes the artifact.
    pub fn is_wanted(&self) -> bool {
        let is_on = |feature: &&str| std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
        self.wanted_by.is_empty() || self.wanted_by.iter().any(is_on)
    }
}

#[derive(Clone, Copy)]
pub enum Guest {
    /// `poolgate-component`: the module becomes a component.
    Component,
    /// `poolgate-probe`: the module is not changed.
    Probe,
    /// `poolgate-http`: the module becomes a component.
    Http,
    /// `poolgate-echo`: the module becomes a component.
    Echo,
    /// `poolgate-proxy-wasm`: the callbacks that do nothing are removed from the module.
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

/// Without the `cfg`, curve25519-dalek would use 32-bit words, because pointers have 32 bits on wasm32.
pub const WIDE: &str = "-Ctarget-feature=+wide-arithmetic --cfg=curve25519_dalek_bits=\"64\"";
pub const SIMD: &str = "-Ctarget-feature=+simd128";
/// Envoy's V8 supports relaxed SIMD in addition.
pub const RELAXED: &str = "-Ctarget-feature=+simd128,+relaxed-simd";
// The names of profiles in the workspace's Cargo.toml.
const FAST: &str = "guest";
const SMALL: &str = "guest-small";
const FILTER: &str = "guest-filter";
const FILTER_PLAIN: &str = "guest-filter-plain";

#[rustfmt::skip]
pub const ARTIFACTS: [Artifact; 18] = [
    Artifact { name: "token-verifier-wide", guest: Guest::Component, flags: WIDE, features: "every-algorithm", profile: FAST, wanted_by: &[],
        summary: Some("poolgate's token verifier, for runtimes with wide-arithmetic") },
    Artifact { name: "token-verifier-simd", guest: Guest::Component, flags: SIMD, features: "every-algorithm", profile: FAST, wanted_by: &["ALL", "BENCH"],
        summary: Some("poolgate's token verifier, for runtimes with 128-bit SIMD") },
    Artifact { name: "token-verifier-portable", guest: Guest::Component, flags: "", features: "every-algorithm", profile: FAST, wanted_by: &["ALL", "BENCH"],
        summary: Some("poolgate's token verifier, for every runtime") },
    Artifact { name: "token-verifier-cognito", guest: Guest::Component, flags: "", features: "", profile: SMALL, wanted_by: &["ALL", "BENCH"],
        summary: Some("poolgate's token verifier with RSA alone, for every runtime") },
    Artifact { name: "authenticator", guest: Guest::Component, flags: "", features: "every-algorithm,accounts", profile: SMALL, wanted_by: &["ALL"],
        summary: Some("poolgate's token verifier and account flows, for every runtime") },
    // This build has the flags and the profile of `token-verifier-wide`, so cargo builds their dependencies only once.
    Artifact { name: "authenticator-wide", guest: Guest::Component, flags: WIDE, features: "every-algorithm,accounts", profile: FAST, wanted_by: &["ALL", "ACCOUNTS"],
        summary: Some("poolgate's token verifier and account flows, for runtimes with wide-arithmetic") },
    // This build too has the flags and the profile of `token-verifier-wide`.
    Artifact { name: "request-gate-wide", guest: Guest::Component, flags: WIDE, features: "every-algorithm,gate", profile: FAST, wanted_by: &["ALL", "GATE"],
        summary: Some("poolgate's gate, which decides about requests, for runtimes with wide-arithmetic") },
    // This build has the flags and the profile of `token-verifier-simd`.
    Artifact { name: "request-gate-simd", guest: Guest::Component, flags: SIMD, features: "every-algorithm,gate", profile: FAST, wanted_by: &["ALL"],
        summary: Some("poolgate's gate, which decides about requests, for runtimes with 128-bit SIMD") },
    Artifact { name: "envoy-filter", guest: Guest::ProxyWasm, flags: RELAXED, features: "every-algorithm", profile: FILTER, wanted_by: &["ALL"],
        summary: Some("poolgate as a proxy-wasm filter, for Envoy") },
    Artifact { name: "envoy-filter-plain", guest: Guest::ProxyWasm, flags: "", features: "every-algorithm", profile: FILTER_PLAIN, wanted_by: &["ALL"],
        summary: Some("poolgate as a proxy-wasm filter, for proxies without SIMD") },
    Artifact { name: "envoy-filter-cognito", guest: Guest::ProxyWasm, flags: RELAXED, features: "", profile: SMALL, wanted_by: &["ALL"],
        summary: Some("poolgate as a proxy-wasm filter with RSA alone, for Envoy") },
    Artifact { name: "middleware", guest: Guest::Http, flags: "", features: "every-algorithm", profile: SMALL, wanted_by: &["ALL"],
        summary: Some("poolgate as wasi:http middleware (WASI 0.3), for every runtime") },
    Artifact { name: "probe-wide", guest: Guest::Probe, flags: WIDE, features: "", profile: FAST, wanted_by: &["ALL", "BENCH"],
        summary: Some("poolgate's RSA kernel alone, for runtimes with wide-arithmetic") },
    Artifact { name: "probe-plain", guest: Guest::Probe, flags: "", features: "peer", profile: FAST, wanted_by: &["ALL", "BENCH"],
        summary: Some("poolgate's RSA kernel and the rsa crate alone, for every runtime") },
    Artifact { name: "envoy-filter-test", guest: Guest::ProxyWasm, flags: RELAXED, features: "every-algorithm,test-hooks", profile: FILTER, wanted_by: &["TEST_GUESTS"], summary: None },
    Artifact { name: "echo", guest: Guest::Echo, flags: "", features: "", profile: SMALL, wanted_by: &["TEST_GUESTS"], summary: None },
    Artifact { name: "probe-simd", guest: Guest::Probe, flags: SIMD, features: "", profile: FAST, wanted_by: &["TEST_GUESTS"], summary: None },
    Artifact { name: "probe-relaxed", guest: Guest::Probe, flags: RELAXED, features: "", profile: FAST, wanted_by: &["TEST_GUESTS"], summary: None },
];

/// Returns the artifacts that the published package contains.
pub fn published() -> impl Iterator<Item = &'static Artifact> {
    ARTIFACTS.iter().filter(|artifact| artifact.summary.is_some())
}
