//! The cache of compiled code.

use std::{env, path::PathBuf};

/// The directory in which compiled code is cached: `POOLGATE_CACHE_DIR`, or a folder in the user's cache directory. `None` if
/// `POOLGATE_CACHE_DIR` is empty or no directory is known.
pub fn compilation_cache() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let directory = match variable("POOLGATE_CACHE_DIR") {
        Some(directory) => directory,
        None => match variable("XDG_CACHE_HOME").filter(|home| home.is_absolute()) {
            Some(cache) => cache.join("poolgate"),
            None => variable("HOME")?.join(".cache/poolgate"),
        },
    };
    directory.is_absolute().then_some(directory)
}
