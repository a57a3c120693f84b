//! Generates the bindings of the guests that are components, from the contract.
//!
//! The macro `wit_bindgen::generate!` generates the same code. But each guest's build would first compile the macro and its WIT parser, which
//! takes half a minute of CPU time per build. The guests use the macro only if cargo builds them for another purpose than an artifact (the
//! feature `macros`, which is on by default).

use crate::artifact::{Artifact, Guest};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};
use wit_bindgen_core::{WorldGenerator, wit_parser::Resolve};
use wit_bindgen_rust::Opts;

/// The environment variable in which a guest finds the path of its bindings.
pub const VARIABLE: &str = "POOLGATE_BINDINGS";

/// Writes the artifact's bindings to a file in `folder`, if its guest has any, and returns the file's path.
pub fn write(artifact: &Artifact, workspace: &Path, folder: &Path) -> Result<Option<PathBuf>, Box<dyn Error>> {
    // The packages are parsed in this order. The last one contains the world.
    let (packages, world): (&[&str], &str) = match artifact.guest {
        Guest::Component if artifact.features.contains("gate") => (&["wit"], "request-gate"),
        Guest::Component if artifact.features.contains("accounts") => (&["wit"], "authenticator"),
        Guest::Component => (&["wit"], "token-verifier"),
        Guest::Http => (&["wit/edge"], "middleware"),
        Guest::Echo => (&["wit/edge", "guest/fixtures/echo/wit"], "application"),
        Guest::Probe | Guest::ProxyWasm => return Ok(None),
    };
    let mut resolve = Resolve::default();
    let mut roots = Vec::new();
    for package in packages {
        roots = vec![resolve.push_dir(workspace.join(package))?.0];
    }
    let world_id = resolve.select_world(&roots, Some(world))?;
    let mut files = Default::default();
    Opts { generate_all: true, ..Opts::default() }.build().generate(&mut resolve, world_id, &mut files)?;
    let (_, code) = files.iter().next().ok_or_else(|| format!("there are no bindings for the world {world}"))?;
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.rs", world.replace('-', "_")));
    // An unchanged file is not written. Its modification time stays the same, so cargo does not rebuild the guest.
    if fs::read(&path).ok().as_deref() != Some(code) {
        fs::write(&path, code)?;
    }
    Ok(Some(path))
}
