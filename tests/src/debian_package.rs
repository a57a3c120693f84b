//! Programs of Debian packages, unpacked into the target folder. The system is not changed.

use crate::target_folder::target_folder;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};
use tempfile::TempDir;

/// Held while unpacking, so that one test of a process unpacks a package and the others use it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Returns the folder `<target>/<name>` with these packages. They are downloaded and unpacked if `file` does not exist.
///
/// # Errors
///
/// Returns the failed command and its output.
pub fn unpacked(name: &str, packages: &[&str], file: &str) -> Result<PathBuf, String> {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = target_folder(name);
    if folder.join(file).is_file() {
        return Ok(folder);
    }
    let downloaded = TempDir::new().map_err(|error| error.to_string())?;
    let download =
        || run(Command::new("apt-get").args(["--quiet", "download"]).args(packages).current_dir(downloaded.path()));
    // The package lists may be missing or outdated. Only root can update them.
    download().or_else(|_| run(Command::new("apt-get").args(["--quiet", "update"])).and_then(|()| download()))?;
    let found = fs::read_dir(downloaded.path()).map_err(|error| error.to_string())?;
    let found: Vec<PathBuf> = found.filter_map(Result::ok).map(|entry| entry.path()).collect();
    if found.len() != packages.len() {
        return Err(format!("apt-get brought {} of {} packages", found.len(), packages.len()));
    }
    found.iter().try_for_each(|package| unpack(package, &folder))?;
    match folder.join(file).is_file() {
        true => Ok(folder),
        false => Err(format!("{packages:?} have no {file}")),
    }
}

fn unpack(package: &Path, to: &Path) -> Result<(), String> {
    run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(to))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
