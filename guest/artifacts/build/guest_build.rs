//! Builds the core module of an artifact with a nested `cargo` command, in this workspace and with its lock file.
//!
//! The nested build uses a separate target folder for two reasons: it must not wait for the lock of the outer build, and artifacts are built
//! with different flags. The module depends only on the sources, the lock file and the compiler. It does not contain paths of this machine.

use crate::{
    artifact::{Artifact, RELAXED, SIMD, WIDE},
    bindings,
};
use std::{
    env,
    error::Error,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// Returns the target folder for guests: `guest`, next to `debug` and `release`. All profiles of the outer build share it.
pub fn target_dir(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    // <target>/<profile>/build/<package>/out
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not where cargo puts it")?;
    Ok(target.join("guest"))
}

/// Builds the artifact's core module and returns it.
pub fn module(
    artifact: &Artifact,
    bindings: Option<&Path>,
    workspace: &Path,
    target_dir: &Path,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let bindings_dir = target_dir.join("bindings");
    // Dependencies that are built with the same flags are built once.
    let target_dir = target_dir.join(match artifact.flags {
        WIDE => "wide",
        SIMD => "simd",
        RELAXED => "relaxed",
        _ => "plain",
    });
    let output = Command::new(env::var("CARGO")?)
        .current_dir(workspace)
        // The guests' manifests do not set the crate type `cdylib`. Otherwise `cargo build` of the workspace would fail on the native target,
        // where a shared library can't export a name such as `cabi_post_poolgate:auth/verifier#verify`.
        .args(["rustc", "--locked", "--lib", "--crate-type=cdylib"])
        .arg(format!("--profile={}", artifact.profile))
        .arg(format!("--package=poolgate-{}", artifact.guest.name()))
        .arg(format!("--target={TARGET}"))
        .arg("--target-dir")
        .arg(&target_dir)
        .arg("--no-default-features")
        .arg(format!("--features={}", artifact.features))
        // The settings of the outer build must not affect the guest.
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env("CARGO_ENCODED_RUSTFLAGS", flags(artifact, &target_dir, &bindings_dir)?)
        .envs(bindings.map(|path| (bindings::VARIABLE, path)))
        .output()?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: the guest does not build:\n{log}", artifact.name).into());
    }
    let file = format!("poolgate_{}.wasm", artifact.guest.name().replace('-', "_"));
    let module = target_dir.join(TARGET).join(artifact.profile).join(file);
    fs::read(&module).map_err(|error| format!("{}: {error}", module.display()).into())
}

/// Returns the artifact's flags. They also replace folder names of this machine, because panic messages contain the paths of source files.
fn flags(artifact: &Artifact, target_dir: &Path, bindings_dir: &Path) -> Result<OsString, Box<dyn Error>> {
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().ok_or("there is neither CARGO_HOME nor a home folder")?.join(".cargo"),
    };
    let sysroot = PathBuf::from(rustc_output(&["--print=sysroot"])?.trim());
    let version = rustc_output(&["-vV"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let mut flags: Vec<OsString> = artifact.flags.split_whitespace().map(OsString::from).collect();
    for (folder, name) in [
        (cargo_home, "/cargo".to_owned()),
        // The path of the standard library's sources: if `rust-src` is installed, rustc uses its local path, otherwise this name.
        (sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")),
        (target_dir.to_owned(), "/target".to_owned()),
        (bindings_dir.to_owned(), "/bindings".to_owned()),
    ] {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(folder);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    Ok(flags.join("\u{1f}".as_ref()))
}

/// Installs the wasm32 target if it is missing, with a warning.
pub fn have_target() -> Result<(), Box<dyn Error>> {
    let library = PathBuf::from(rustc_output(&["--print=target-libdir", "--target", TARGET])?.trim());
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

fn rustc_output(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(env::var("RUSTC")?).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?)
}
