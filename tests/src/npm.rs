//! npm packages, installed once with the versions of a lock file.

use std::{fs, path::Path, process::Command};

/// Installs the packages of the lock file into `folder`, unless they are installed there already. Only one process installs at a time.
///
/// Scripts of packages are not run.
///
/// # Panics
///
/// Panics if npm fails, with its output.
pub fn install(folder: &Path, package: &str, package_lock: &str) {
    fs::create_dir_all(folder).expect("a folder in the target folder");
    let lock = fs::File::create(folder.with_extension("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let installed = folder.join("installed-lock.json");
    if fs::read_to_string(&installed).is_ok_and(|text| text == package_lock) {
        return;
    }
    fs::write(folder.join("package.json"), package).expect("a file");
    fs::write(folder.join("package-lock.json"), package_lock).expect("a file");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    let output = npm.output().unwrap_or_else(|error| panic!("npm does not run ({error}): install Node.js 20 or newer"));
    assert!(output.status.success(), "npm ci failed:\n{}", String::from_utf8_lossy(&output.stderr));
    fs::write(installed, package_lock).expect("a file");
}
