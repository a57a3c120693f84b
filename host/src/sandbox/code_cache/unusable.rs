//! Why a directory cannot hold the cache of compiled code.

use std::{fmt, io, path::PathBuf};

/// Why a directory cannot hold the cache.
#[derive(Debug)]
pub(super) enum Unusable {
    NotAbsolute,
    Inaccessible(PathBuf, io::Error),
    #[cfg(unix)]
    OwnedByAnother(PathBuf),
    #[cfg(unix)]
    WritableByOthers(PathBuf),
    /// wasmtime did not accept the directory.
    Cache(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::NotAbsolute => formatter.write_str("the path is not absolute"),
            Unusable::Inaccessible(path, error) => write!(formatter, "{}: {error}", path.display()),
            #[cfg(unix)]
            Unusable::OwnedByAnother(path) => {
                write!(formatter, "{} belongs to another user, who could write code to it", path.display())
            }
            #[cfg(unix)]
            Unusable::WritableByOthers(path) => {
                write!(formatter, "others can write to {} (chmod go-w)", path.display())
            }
            Unusable::Cache(text) => formatter.write_str(text),
        }
    }
}
