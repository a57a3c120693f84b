//! Opens the cache in a folder that only this user and root can write to.

#[cfg(unix)]
use super::ownership;
use super::unusable::Unusable;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use wasmtime::{Cache, CacheConfig};

/// The subfolder of the configured directory. Its mode is 0700, so that the mode of what wasmtime creates below it, which depends on the
/// umask, does not matter.
const FOLDER: &str = "compiled";

/// The directories for which a warning has been logged.
static WARNED_OF: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Opens the cache in this directory.
///
/// Returns `None` if the directory cannot be used: the component is then compiled at each start. The reason is logged
/// as a warning, once per directory.
pub(crate) fn open(directory: &Path) -> Option<Cache> {
    let opened = prepare(directory).and_then(|folder| {
        let mut settings = CacheConfig::new();
        settings.with_directory(folder);
        Cache::new(settings).map_err(|error| Unusable::Cache(format!("{error:#}")))
    });
    match opened {
        Ok(cache) => Some(cache),
        Err(why) => {
            let mut warned_of = WARNED_OF.lock().unwrap_or_else(PoisonError::into_inner);
            if warned_of.insert(directory.to_owned()) {
                let directory = directory.display();
                tracing::warn!(%directory, %why, "no cache of compiled code is used; each start compiles for about a second");
            }
            None
        }
    }
}

/// Creates the folder if it does not exist, and checks who can write to it. The returned path contains no symbolic links.
fn prepare(directory: &Path) -> Result<PathBuf, Unusable> {
    if !directory.is_absolute() {
        return Err(Unusable::NotAbsolute);
    }
    let folder = directory.join(FOLDER);
    create(&folder).map_err(|error| Unusable::Inaccessible(folder.clone(), error))?;
    let folder = folder.canonicalize().map_err(|error| Unusable::Inaccessible(folder, error))?;
    fs::read_dir(&folder).map_err(|error| Unusable::Inaccessible(folder.clone(), error))?;
    #[cfg(unix)]
    ownership::check(&folder, rustix::process::geteuid().as_raw())?;
    Ok(folder)
}

/// Creates the folder and its missing parents with mode 0700, whatever the umask is.
fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use tempfile::TempDir;

    const NOBODY: u32 = 65_534;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode");
    }

    /// Returns a cache directory that has been prepared once, in a temporary folder.
    fn prepared() -> (TempDir, PathBuf) {
        let folder = TempDir::new().expect("a folder");
        let directory = folder.path().canonicalize().expect("it is there").join("cache");
        prepare(&directory).expect("a new folder is usable");
        (folder, directory)
    }

    fn is_writable_by_others(directory: &Path) -> bool {
        matches!(prepare(directory), Err(Unusable::WritableByOthers(_)))
    }

    #[test]
    fn created_folders_have_mode_0700() {
        let (_folder, directory) = prepared();
        for path in [directory.clone(), directory.join(FOLDER)] {
            assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o7777, 0o700, "{}", path.display());
        }
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_used() {
        let (folder, directory) = prepared();
        for (path, mode, is_used) in [
            (directory.join(FOLDER), 0o770, false),
            (directory.join(FOLDER), 0o702, false),
            (directory.join(FOLDER), 0o755, true),
            (directory.join(FOLDER), 0o700, true),
            (directory.clone(), 0o777, false),
            (directory.clone(), 0o1777, true),
            (directory.clone(), 0o755, true),
            (folder.path().to_owned(), 0o707, false),
            (folder.path().to_owned(), 0o700, true),
        ] {
            chmod(&path, mode);
            assert_eq!(is_writable_by_others(&directory), !is_used, "{} {mode:o}", path.display());
            assert_eq!(prepare(&directory).is_ok(), is_used, "{} {mode:o}", path.display());
        }
    }

    #[test]
    fn a_folder_with_contents_that_others_can_write_is_not_used() {
        let (_folder, directory) = prepared();
        let within = directory.join(FOLDER).join("modules");
        fs::create_dir(&within).expect("a folder");
        fs::write(within.join("code"), "").expect("a file");
        chmod(&within, 0o777);
        assert!(prepare(&directory).is_ok(), "others cannot enter the folder");
        chmod(&directory.join(FOLDER), 0o755);
        assert!(is_writable_by_others(&directory));
        chmod(&within, 0o755);
        assert!(prepare(&directory).is_ok());
        chmod(&within.join("code"), 0o666);
        assert!(is_writable_by_others(&directory));
        fs::remove_file(within.join("code")).expect("it is there");
        symlink("/tmp", within.join("code")).expect("a link");
        assert!(is_writable_by_others(&directory));
    }

    #[test]
    fn a_symbolic_link_is_resolved_before_the_check() {
        let (folder, directory) = prepared();
        let link = folder.path().join("link");
        symlink(&directory, &link).expect("a link");
        assert_eq!(prepare(&link).ok(), prepare(&directory).ok());
        chmod(&directory, 0o777);
        assert!(is_writable_by_others(&link));
    }

    #[test]
    fn another_users_folder_is_not_used() {
        let (_folder, directory) = prepared();
        let own = fs::metadata(&directory).expect("it is there").uid();
        assert!(ownership::check(&directory.join(FOLDER), own).is_ok());
        if own == 0 {
            chown(&directory, Some(NOBODY), None).expect("root may");
            assert!(matches!(prepare(&directory), Err(Unusable::OwnedByAnother(path)) if path == directory));
            // A folder of root is accepted.
            chown(&directory, Some(0), None).expect("root may");
            assert!(ownership::check(&directory.join(FOLDER), NOBODY).is_ok());
        } else {
            assert!(matches!(ownership::check(&directory.join(FOLDER), NOBODY), Err(Unusable::OwnedByAnother(_))));
        }
    }

    #[test]
    fn a_directory_that_cannot_be_created_is_not_an_error() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let below_a_file = file.path().join("cache");
        for path in ["/dev/null/cache", "/proc/cache", "cache"].map(Path::new).into_iter().chain([&*below_a_file]) {
            assert!(open(path).is_none(), "{}", path.display());
        }
    }
}
