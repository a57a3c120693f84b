//! One nested `cargo build` an artifact, of this workspace and with its lock file.
//!
//! It has a target folder of its own, since it must not wait for the lock of the outer build, and since flags differ from artifact to
//! artifact. What comes out depends on the sources, the lock file and the compiler alone, and on no folder of this machine.

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

/// The guests' own target folder, shared by all profiles of the outer build: beside `debug` and `release`.
pub fn target_dir(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    // <target>/<profile>/build/<package>/out
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not where cargo puts it")?;
    Ok(target.join("guest"))
}

/// The artifact's core module.
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
        // The guests' own crate type is the library's usual one, so that `cargo build` of the workspace links for the native target, where
        // a name such as `cabi_post_poolgate:auth/verifier#verify` can't be exported from a shared library.
        .args(["rustc", "--locked", "--lib", "--crate-type=cdylib"])
        .arg(format!("--profile={}", artifact.profile))
        .arg(format!("--package=poolgate-{}", artifact.guest.name()))
        .arg(format!("--target={TARGET}"))
        .arg("--target-dir")
        .arg(&target_dir)
        .arg("--no-default-features")
        .arg(format!("--features={}", artifact.features))
        // What the outer build sets for itself must not reach the guest.
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

/// The artifact's flags, and names for this machine's folders: panics carry the names of source files.
fn flags(artifact: &Artifact, target_dir: &Path, bindings_dir: &Path) -> Result<OsString, Box<dyn Error>> {
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().ok_or("there is neither CARGO_HOME nor a home folder")?.join(".cargo"),
    };
    let sysroot = PathBuf::from(said_by_rustc(&["--print=sysroot"])?.trim());
    let version = said_by_rustc(&["-vV"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let mut flags: Vec<OsString> = artifact.flags.split_whitespace().map(OsString::from).collect();
    for (folder, name) in [
        (cargo_home, "/cargo".to_owned()),
        // Where the compiler's own sources are installed, it names them by their place; elsewhere by this.
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

/// Adds the wasm32 target where it is missing, and says so.
pub fn have_target() -> Result<(), Box<dyn Error>> {
    let library = PathBuf::from(said_by_rustc(&["--print=target-libdir", "--target", TARGET])?.trim());
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

fn said_by_rustc(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(env::var("RUSTC")?).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?)
}
