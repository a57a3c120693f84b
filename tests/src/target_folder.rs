//! Folders that outlive a test: what is installed for all runs.

use std::{env, path::PathBuf};

/// `<target>/<name>`: beside the profiles' folders. It need not be there yet.
///
/// # Panics
///
/// When the executable is not where cargo puts it.
pub fn target_folder(name: &str) -> PathBuf {
    let executable = env::current_exe().expect("a running executable has a path");
    // <target>/<profile>/deps/<test>, or <target>/<profile>/<command>
    let is_deeper = executable.parent().is_some_and(|folder| folder.ends_with("deps"));
    let target = executable.ancestors().nth(if is_deeper { 3 } else { 2 });
    target.expect("an executable lies deep in the target folder").join(name)
}
