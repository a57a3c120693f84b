//! Where compiled code is kept between runs: a folder of our own, which nobody else can write to. Who can write there can run code here.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use wasmtime::{Cache, CacheConfig};

/// The folder within the directory that was stated: wasmtime makes its own below it with whatever mode the umask leaves, and nobody else
/// gets that far.
const FOLDER: &str = "compiled";

/// The directories that a warning was given about.
static WARNED_OF: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The cache in this directory. It makes starts faster and is no reason not to start: where there can't be one, or where others could write
/// to it, a warning says so once and everything is compiled.
pub(crate) fn open(directory: &Path) -> Option<Cache> {
    let opened = prepare(directory).and_then(|folder| {
        let mut settings = CacheConfig::new();
        settings.with_directory(folder);
        Cache::new(settings).map_err(|error| Unusable::Refused(format!("{error:#}")))
    });
    match opened {
        Ok(cache) => Some(cache),
        Err(why) => {
            let mut warned_of = WARNED_OF.lock().unwrap_or_else(PoisonError::into_inner);
            if warned_of.insert(directory.to_owned()) {
                let directory = directory.display();
                tracing::warn!(%directory, %why, "no cache of compiled code is used: each start compiles for a second");
            }
            None
        }
    }
}

/// Why a directory is not used.
#[derive(Debug)]
enum Unusable {
    NotAbsolute,
    Inaccessible(PathBuf, io::Error),
    #[cfg(unix)]
    OwnedByAnother(PathBuf),
    #[cfg(unix)]
    WritableByOthers(PathBuf),
    Refused(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::NotAbsolute => formatter.write_str("it is not an absolute path"),
            Unusable::Inaccessible(path, error) => write!(formatter, "{}: {error}", path.display()),
            #[cfg(unix)]
            Unusable::OwnedByAnother(path) => {
                write!(formatter, "{} belongs to another user, who could put code there", path.display())
            }
            #[cfg(unix)]
            Unusable::WritableByOthers(path) => {
                write!(formatter, "others can write to {}, and could put code there (chmod go-w)", path.display())
            }
            Unusable::Refused(text) => formatter.write_str(text),
        }
    }
}

/// Makes the folder, if it is not there, and looks who can write to it. The path that is returned has no links in it.
fn prepare(directory: &Path) -> Result<PathBuf, Unusable> {
    if !directory.is_absolute() {
        return Err(Unusable::NotAbsolute);
    }
    let folder = directory.join(FOLDER);
    make(&folder).map_err(|error| Unusable::Inaccessible(folder.clone(), error))?;
    let folder = folder.canonicalize().map_err(|error| Unusable::Inaccessible(folder, error))?;
    fs::read_dir(&folder).map_err(|error| Unusable::Inaccessible(folder.clone(), error))?;
    #[cfg(unix)]
    ownership::check(&folder, rustix::process::geteuid().as_raw())?;
    Ok(folder)
}

/// The folder, and those above it that are not there: for this user alone, whatever the umask is.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
mod ownership {
    use super::Unusable;
    use std::{
        fs::{self, Metadata},
        os::unix::fs::MetadataExt,
        path::Path,
    };

    const ROOT: u32 = 0;
    const GROUP_WRITES: u32 = 0o020;
    const OTHERS_WRITE: u32 = 0o002;
    /// In such a directory only the owner of an entry can take it away or rename it.
    const STICKY: u32 = 0o1000;
    const OTHERS_ENTER: u32 = 0o011;

    /// Whether nobody but this user and root can change what is in the folder: neither there nor by putting another one in its place. The
    /// path has no links in it.
    pub(super) fn check(folder: &Path, user: u32) -> Result<(), Unusable> {
        let metadata = metadata(folder)?;
        check_one(folder, &metadata, user)?;
        for above in folder.ancestors().skip(1) {
            check_above(above, user)?;
        }
        match metadata.mode() & OTHERS_ENTER {
            0 => Ok(()),
            // It was made by someone else, who may have been careless with what is in it.
            _ => check_within(folder, user),
        }
    }

    fn check_one(path: &Path, metadata: &Metadata, user: u32) -> Result<(), Unusable> {
        if metadata.uid() != user && metadata.uid() != ROOT {
            return Err(Unusable::OwnedByAnother(path.to_owned()));
        }
        match metadata.mode() & (GROUP_WRITES | OTHERS_WRITE) {
            0 => Ok(()),
            _ => Err(Unusable::WritableByOthers(path.to_owned())),
        }
    }

    /// A directory above it may be one like `/tmp`; and many systems give each user a group of their own, of the same number, and a umask
    /// that lets it write.
    fn check_above(path: &Path, user: u32) -> Result<(), Unusable> {
        let metadata = metadata(path)?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        if owner != user && owner != ROOT {
            return Err(Unusable::OwnedByAnother(path.to_owned()));
        }
        let group_counts = metadata.gid() != owner;
        let is_writable = mode & OTHERS_WRITE != 0 || (group_counts && mode & GROUP_WRITES != 0);
        match is_writable && mode & STICKY == 0 {
            true => Err(Unusable::WritableByOthers(path.to_owned())),
            false => Ok(()),
        }
    }

    fn check_within(folder: &Path, user: u32) -> Result<(), Unusable> {
        let failed = |error| Unusable::Inaccessible(folder.to_owned(), error);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let metadata = metadata(&path)?;
            // A link has every bit, and leads to who knows where; wasmtime makes none.
            check_one(&path, &metadata, user)?;
            if metadata.is_dir() {
                check_within(&path, user)?;
            }
        }
        Ok(())
    }

    fn metadata(path: &Path) -> Result<Metadata, Unusable> {
        fs::symlink_metadata(path).map_err(|error| Unusable::Inaccessible(path.to_owned(), error))
    }
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

    /// A directory in a folder for temporary files, with what a first run makes there.
    fn made() -> (TempDir, PathBuf) {
        let folder = TempDir::new().expect("a folder");
        let directory = folder.path().canonicalize().expect("it is there").join("cache");
        prepare(&directory).expect("a folder of our own is used");
        (folder, directory)
    }

    fn is_writable_by_others(directory: &Path) -> bool {
        matches!(prepare(directory), Err(Unusable::WritableByOthers(_)))
    }

    #[test]
    fn what_is_made_is_for_this_user_alone() {
        let (_folder, directory) = made();
        for path in [directory.clone(), directory.join(FOLDER)] {
            assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o7777, 0o700, "{}", path.display());
        }
    }

    #[test]
    fn where_others_can_write_nothing_is_used() {
        let (folder, directory) = made();
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
    fn what_others_have_put_in_or_could_have_is_not_used() {
        let (_folder, directory) = made();
        let within = directory.join(FOLDER).join("modules");
        fs::create_dir(&within).expect("a folder");
        fs::write(within.join("code"), "").expect("a file");
        chmod(&within, 0o777);
        assert!(prepare(&directory).is_ok(), "nobody gets there");
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
    fn a_link_is_followed_before_it_is_judged() {
        let (folder, directory) = made();
        let link = folder.path().join("link");
        symlink(&directory, &link).expect("a link");
        assert_eq!(prepare(&link).ok(), prepare(&directory).ok());
        chmod(&directory, 0o777);
        assert!(is_writable_by_others(&link));
    }

    #[test]
    fn another_users_folder_is_not_used() {
        let (_folder, directory) = made();
        let own = fs::metadata(&directory).expect("it is there").uid();
        assert!(ownership::check(&directory.join(FOLDER), own).is_ok());
        if own == 0 {
            chown(&directory, Some(NOBODY), None).expect("root may");
            assert!(matches!(prepare(&directory), Err(Unusable::OwnedByAnother(path)) if path == directory));
            // What root has made is as good as one's own.
            chown(&directory, Some(0), None).expect("root may");
            assert!(ownership::check(&directory.join(FOLDER), NOBODY).is_ok());
        } else {
            assert!(matches!(ownership::check(&directory.join(FOLDER), NOBODY), Err(Unusable::OwnedByAnother(_))));
        }
    }

    #[test]
    fn where_there_can_be_none_there_is_none_and_nothing_fails() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let below_a_file = file.path().join("cache");
        for path in ["/dev/null/cache", "/proc/cache", "cache"].map(Path::new).into_iter().chain([&*below_a_file]) {
            assert!(open(path).is_none(), "{}", path.display());
        }
    }
}
