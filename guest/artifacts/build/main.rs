//! Writes the artifacts to `OUT_DIR`. In poolgate's repository, this script builds them. In the published package, it copies the files that
//! were built for the release.

mod annotations;
mod artifact;
mod bindings;
mod callbacks;
mod contract;
mod guest_build;

use artifact::{ARTIFACTS, Artifact, Guest};
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    thread,
};
use wit_component::ComponentEncoder;

/// The file with the JSON Schema of the configuration.
const SCHEMA: &str = "policy.schema.json";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.join("../..");
    let wants_test_guests = env::var_os("CARGO_FEATURE_TEST_GUESTS").is_some();
    let prebuilt = package.join("prebuilt");
    if !prebuilt.is_dir() {
        if !workspace.join("guest/component").is_dir() {
            return Err(
                "there is neither a folder `prebuilt` in this package nor poolgate's repository around it".into()
            );
        }
        build(&workspace, &out)
    } else if wants_test_guests {
        Err("the feature test-guests is for poolgate's own repository: the published package has no guests for tests"
            .into())
    } else {
        copy(&prebuilt, &out)
    }
}

fn copy(prebuilt: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", prebuilt.display());
    let files = artifact::published().map(|artifact| format!("{}.wasm", artifact.name));
    for file in files.chain([contract::WASM, contract::TEXT, SCHEMA].map(str::to_owned)) {
        let from = prebuilt.join(&file);
        fs::copy(&from, out.join(file)).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    Ok(())
}

fn build(workspace: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    for watched in [
        "guest/path",
        "guest/rsa",
        "guest/core",
        "guest/component",
        "guest/edge",
        "guest/fixtures/echo",
        "guest/http",
        "guest/fixtures/probe",
        "guest/proxy-wasm",
        "wit",
        "docs/envoy.schema.json",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        // Relative to the package, so that a copied or moved checkout watches its own files.
        println!("cargo:rerun-if-changed=../../{watched}");
    }
    println!("cargo:rerun-if-changed=build");
    guest_build::have_target()?;
    contract::write(&workspace.join("wit"), out)?;
    fs::copy(workspace.join("docs/envoy.schema.json"), out.join(SCHEMA))?;
    let target_dir = guest_build::target_dir(out)?;
    let wanted: Vec<&Artifact> = ARTIFACTS.iter().filter(|artifact| artifact.is_wanted()).collect();
    let mut bindings = Vec::new();
    for artifact in &wanted {
        bindings.push(bindings::write(artifact, workspace, &target_dir.join("bindings"))?);
    }
    // Artifacts with the same flags and profile are built one after the other, all others in parallel. Cargo's job server limits the number
    // of compiler processes.
    thread::scope(|scope| {
        let mut builds: Vec<(&Artifact, Vec<_>)> = Vec::new();
        for (artifact, bindings) in wanted.iter().zip(&bindings) {
            let alike =
                builds.iter_mut().find(|(one, _)| (one.flags, one.profile) == (artifact.flags, artifact.profile));
            match alike {
                Some((_, group)) => group.push((artifact, bindings)),
                None => builds.push((artifact, vec![(artifact, bindings)])),
            }
        }
        let builds = builds.into_iter().map(|(_, group)| {
            scope.spawn(|| {
                group.into_iter().try_for_each(|(artifact, bindings)| {
                    make(artifact, bindings.as_deref(), workspace, &target_dir, out).map_err(|error| error.to_string())
                })
            })
        });
        let builds: Vec<_> = builds.collect();
        builds.into_iter().try_for_each(|build| build.join().map_err(|_| "a build panicked".to_owned())?)
    })
    .map_err(Into::into)
}

fn make(
    artifact: &Artifact,
    bindings: Option<&Path>,
    workspace: &Path,
    target_dir: &Path,
    out: &Path,
) -> Result<(), Box<dyn Error>> {
    let module = guest_build::module(artifact, bindings, workspace, target_dir)?;
    Ok(fs::write(out.join(format!("{}.wasm", artifact.name)), finished(artifact, module)?)?)
}

/// Converts a core module to the published file: a component, or a module for a proxy, with metadata.
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
