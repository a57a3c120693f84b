//! Folders that outlive a test: what is installed for all runs.

use std::{env, path::PathBuf};

/// `<target>/<name>`: beside the profiles' folders. It need not be there yet.
///
/// # Panics
///
/// When the test's executable is not where cargo puts it.
pub fn target_folder(name: &str) -> PathBuf {
    let executable = env::current_exe().expect("a running executable has a path");
    // <target>/<profile>/deps/<test>
    let target = executable.ancestors().nth(3).expect("a test lies three folders deep in the target folder");
    target.join(name)
}
