//! The cache of compiled code on disk. Anyone who can write to it can run code in this process, so it is used only if no other user can.

mod folder;
#[cfg(unix)]
mod ownership;
mod unusable;

pub(crate) use folder::open;
