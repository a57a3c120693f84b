//! Brings the guests' bytes into `OUT_DIR`: in poolgate's repository it builds them, in the published package it copies those that
//! the release built.

mod annotations;
mod artifact;
mod callbacks;
mod contract;
mod guest_build;

use artifact::{ARTIFACTS, Artifact, Guest};
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};
use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.join("../..");
    let wants_test_guests = env::var_os("CARGO_FEATURE_TEST_GUESTS").is_some();
    if workspace.join("guest/component/Cargo.toml").is_file() {
        build(&workspace, &out, wants_test_guests)
    } else if wants_test_guests {
        Err("the feature test-guests is for poolgate's own repository: the published package has no guests for tests"
            .into())
    } else {
        copy(&package.join("prebuilt"), &out)
    }
}

fn copy(prebuilt: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", prebuilt.display());
    let files = artifact::published().map(|artifact| format!("{}.wasm", artifact.name));
    for file in files.chain([contract::WASM.to_owned(), contract::TEXT.to_owned()]) {
        let from = prebuilt.join(&file);
        fs::copy(&from, out.join(file)).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    Ok(())
}

fn build(workspace: &Path, out: &Path, wants_test_guests: bool) -> Result<(), Box<dyn Error>> {
    for watched in [
        "guest/path",
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
        // Relative to the package, so that a copied or moved checkout watches its own files.
        println!("cargo:rerun-if-changed=../../{watched}");
    }
    println!("cargo:rerun-if-changed=build");
    guest_build::have_target()?;
    contract::write(&workspace.join("wit"), out)?;
    let target_dir = guest_build::target_dir(out)?;
    for artifact in ARTIFACTS.iter().filter(|artifact| wants_test_guests || artifact.summary.is_some()) {
        let module = guest_build::module(artifact, workspace, &target_dir)?;
        fs::write(out.join(format!("{}.wasm", artifact.name)), finished(artifact, module)?)?;
    }
    Ok(())
}

/// What the proxy or the runtime is given.
fn finished(artifact: &Artifact, module: Vec<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
    let wasm = match artifact.guest {
        Guest::Probe => module,
        Guest::ProxyWasm => callbacks::keep(&module)?,
        Guest::Component | Guest::Http | Guest::Echo => ComponentEncoder::default()
            .module(&module)
            .and_then(|encoder| encoder.validate(true).encode())
            .map_err(|error| format!("{}: the module does not become a component: {error:#}", artifact.name))?,
    };
    Ok(match artifact.summary {
        Some(summary) => annotations::add(wasm, summary),
        None => wasm,
    })
}
