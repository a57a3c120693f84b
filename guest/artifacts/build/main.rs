//! Builds the guests for wasm32 and turns each core module into a component.
//!
//! Every artifact is one nested `cargo build` of this workspace, with the same lock file, into a target folder of its own
//! (a nested build must not wait for the lock of the outer one, and flags differ from artifact to artifact).

mod callbacks;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// A build of a guest crate.
struct Artifact {
    /// The constant's name in `lib.rs`, and the file's.
    name: &'static str,
    guest: Guest,
    flags: &'static str,
    features: &'static str,
    profile: &'static str,
}

#[derive(Clone, Copy)]
enum Guest {
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
    fn name(self) -> &'static str {
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
const WIDE: &str = "-Ctarget-feature=+wide-arithmetic --cfg=curve25519_dalek_bits=\"64\"";
/// The profiles of the workspace's Cargo.toml.
const FAST: &str = "guest";
const SMALL: &str = "guest-small";
const SIMD: &str = "-Ctarget-feature=+simd128";
/// What Envoy's V8 has besides.
const RELAXED: &str = "-Ctarget-feature=+simd128,+relaxed-simd";

#[rustfmt::skip]
const ARTIFACTS: [Artifact; 15] = [
    Artifact { name: "token_verifier_wide", guest: Guest::Component, flags: WIDE, features: "every-algorithm", profile: FAST },
    Artifact { name: "token_verifier_simd", guest: Guest::Component, flags: SIMD, features: "every-algorithm", profile: FAST },
    Artifact { name: "token_verifier_portable", guest: Guest::Component, flags: "", features: "every-algorithm", profile: FAST },
    Artifact { name: "token_verifier_cognito", guest: Guest::Component, flags: "", features: "", profile: SMALL },
    Artifact { name: "authenticator", guest: Guest::Component, flags: "", features: "every-algorithm,accounts", profile: SMALL },
    Artifact { name: "envoy_filter", guest: Guest::ProxyWasm, flags: RELAXED, features: "every-algorithm", profile: SMALL },
    Artifact { name: "envoy_filter_plain", guest: Guest::ProxyWasm, flags: "", features: "every-algorithm", profile: SMALL },
    Artifact { name: "envoy_filter_cognito", guest: Guest::ProxyWasm, flags: RELAXED, features: "", profile: SMALL },
    Artifact { name: "envoy_filter_test", guest: Guest::ProxyWasm, flags: RELAXED, features: "every-algorithm,test-doors", profile: SMALL },
    Artifact { name: "middleware", guest: Guest::Http, flags: "", features: "every-algorithm", profile: SMALL },
    Artifact { name: "echo", guest: Guest::Echo, flags: "", features: "", profile: SMALL },
    Artifact { name: "probe_wide", guest: Guest::Probe, flags: WIDE, features: "", profile: FAST },
    Artifact { name: "probe_simd", guest: Guest::Probe, flags: SIMD, features: "", profile: FAST },
    Artifact { name: "probe_relaxed", guest: Guest::Probe, flags: RELAXED, features: "", profile: FAST },
    Artifact { name: "probe_plain", guest: Guest::Probe, flags: "", features: "peer", profile: FAST },
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    for watched in [
        "guest/rsa",
        "guest/core",
        "guest/component",
        "guest/edge",
        "guest/echo",
        "guest/http",
        "guest/probe",
        "guest/proxy-wasm",
        "wit",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        println!("cargo:rerun-if-changed={}", workspace.join(watched).display());
    }
    have_target()?;
    let target_dir = guest_target_dir(&out)?;
    for artifact in &ARTIFACTS {
        let module = build_module(artifact, &workspace, &target_dir)?;
        let wasm = match artifact.guest {
            Guest::Probe => module,
            Guest::ProxyWasm => callbacks::keep(&module)?,
            Guest::Component | Guest::Http | Guest::Echo => ComponentEncoder::default()
                .module(&module)
                .and_then(|encoder| encoder.validate(true).encode())
                .map_err(|error| format!("{}: the module does not become a component: {error:#}", artifact.name))?,
        };
        fs::write(out.join(format!("{}.wasm", artifact.name)), wasm)?;
    }
    Ok(())
}

/// The guests' own target folder, shared by all profiles of the outer build: beside `debug` and `release`.
fn guest_target_dir(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    // <target>/<profile>/build/<package>/out
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not where cargo puts it")?;
    Ok(target.join("guest"))
}

fn build_module(artifact: &Artifact, workspace: &Path, target_dir: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    // Dependencies that are built with the same flags are built once.
    let target_dir = target_dir.join(match artifact.flags {
        WIDE => "wide",
        SIMD => "simd",
        RELAXED => "relaxed",
        _ => "plain",
    });
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--locked"])
        .arg(format!("--profile={}", artifact.profile))
        .arg(format!("--package=poolgate-{}", artifact.guest.name()))
        .arg(format!("--target={TARGET}"))
        .arg("--target-dir")
        .arg(&target_dir)
        // What the outer build sets for itself must not reach the guest.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env("RUSTFLAGS", artifact.flags);
    cargo.arg("--no-default-features").arg(format!("--features={}", artifact.features));
    let output = cargo.output()?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: the guest does not build:\n{log}", artifact.name).into());
    }
    let file = format!("poolgate_{}.wasm", artifact.guest.name().replace('-', "_"));
    let module = target_dir.join(TARGET).join(artifact.profile).join(file);
    fs::read(&module).map_err(|error| format!("{}: {error}", module.display()).into())
}

/// Adds the wasm32 target where it is missing, and says so.
fn have_target() -> Result<(), Box<dyn Error>> {
    let rustc = env::var("RUSTC")?;
    let output = Command::new(rustc).args(["--print=target-libdir", "--target", TARGET]).output()?;
    let library = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    if library.is_dir() {
        return Ok(());
    }
    println!("cargo:warning=the Rust target {TARGET} is missing: running `rustup target add {TARGET}`");
    let added = Command::new("rustup").args(["target", "add", TARGET]).output();
    match added {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "the Rust target {TARGET} is missing and could not be added. Run `rustup target add {TARGET}`.\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
        Err(error) => Err(format!(
            "the Rust target {TARGET} is missing and rustup could not be run ({error}). Install the standard library \
             for {TARGET} of this compiler, for example with `rustup target add {TARGET}`."
        )
        .into()),
    }
}
