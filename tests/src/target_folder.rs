//! Folders in the target folder, for programs that are installed once for all test runs.

use std::{env, path::PathBuf};

/// Returns `<target>/<name>`, next to the folders of the profiles. It may not exist yet.
///
/// # Panics
///
/// Panics if the executable is not in a folder of cargo.
pub fn target_folder(name: &str) -> PathBuf {
    let executable = env::current_exe().expect("a running executable has a path");
    // <target>/<profile>/deps/<test>, or <target>/<profile>/<command>
    let is_deeper = executable.parent().is_some_and(|folder| folder.ends_with("deps"));
    let target = executable.ancestors().nth(if is_deeper { 3 } else { 2 });
    target.expect("an executable lies deep in the target folder").join(name)
}
