//! Checks that no other user can change the contents of a folder.

use super::unusable::Unusable;
use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

const ROOT: u32 = 0;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// In a directory with this bit, only the owner of an entry can remove or rename it.
const STICKY: u32 = 0o1000;
/// Group and others may enter the directory.
const OTHERS_ENTER: u32 = 0o011;

/// Checks that only this user and root can change the contents of the folder, or replace the folder by another. The path must not
/// contain symbolic links.
pub(super) fn check(folder: &Path, user: u32) -> Result<(), Unusable> {
    let metadata = metadata(folder)?;
    check_one(folder, &metadata, user)?;
    for above in folder.ancestors().skip(1) {
        check_above(above, user)?;
    }
    match metadata.mode() & OTHERS_ENTER {
        0 => Ok(()),
        // Others can enter the folder, so its contents are checked too.
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

/// Checks a parent of the folder. A parent that others can write to is accepted if it has the sticky bit, like `/tmp`. A parent that its
/// group can write to is accepted if the group ID equals the user ID: many systems give each user a private group, and a umask that
/// allows the group to write.
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
        // A symbolic link has mode 0777 and is therefore rejected; wasmtime creates none.
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
