//! Chromium without a window.

use crate::target_folder::target_folder;
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Debian's package of headless Chromium.
const PACKAGE: &str = "chromium-headless-shell";
const NAMES: [&str; 4] = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"];
/// A file with the names of the packages that have been unpacked completely.
const UNPACKED: &str = "unpacked";

/// An executable, and the path of its libraries.
#[derive(Debug, Clone)]
pub struct Chromium {
    /// The executable.
    pub executable: PathBuf,
    /// The value for `LD_LIBRARY_PATH`. It is empty for an installed Chromium.
    pub libraries: OsString,
}

impl Chromium {
    /// Returns the installed Chromium, or Debian's package with the missing libraries, unpacked into the target folder.
    /// The system is not changed. Blocks while another process unpacks it.
    ///
    /// # Panics
    ///
    /// Panics if it is neither installed nor available as a package, with the output of apt-get.
    pub fn find_or_unpack() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut places = env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
        if let Some(executable) = places.find(|file| file.is_file()) {
            return Self { executable, libraries: OsString::new() };
        }
        let root = target_folder("chromium");
        unpack(&root).unwrap_or_else(|error| {
            panic!("there is no Chromium: install it (Debian: `apt-get install chromium`)\n{error}")
        });
        let folders = fs::read_dir(root.join("usr/lib")).expect("libraries").filter_map(Result::ok);
        let of_machine = folders.filter(|entry| entry.file_name().to_string_lossy().ends_with("-linux-gnu"));
        let libraries = of_machine.flat_map(|entry| [entry.path(), entry.path().join("pulseaudio")]);
        Self {
            executable: root.join("usr/lib/chromium").join(PACKAGE),
            libraries: env::join_paths(libraries).expect("no colon in the target folder's path"),
        }
    }
}

fn unpack(root: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", root.display());
    fs::create_dir_all(root).map_err(failed)?;
    let lock = fs::File::create(root.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if root.join(UNPACKED).is_file() {
        return Ok(());
    }
    let folder = tempfile::TempDir::new().map_err(failed)?;
    fs::create_dir(folder.path().join("partial")).map_err(failed)?;
    let download = || {
        let mut apt = Command::new("apt-get");
        apt.args(["--quiet", "--yes", "--no-install-recommends", "--download-only", "--option=Debug::NoLocking=1"]);
        apt.arg(format!("--option=Dir::Cache::archives={}", folder.path().display())).args(["install", PACKAGE]);
        run(&mut apt)
    };
    // The package lists may be missing or outdated. Only root can update them.
    download().or_else(|_| run(Command::new("apt-get").args(["--quiet", "update"])).and_then(|()| download()))?;
    let mut names = String::new();
    for entry in fs::read_dir(folder.path()).map_err(failed)?.filter_map(Result::ok) {
        if entry.path().extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("--extract").arg(entry.path()).arg(root))?;
            names += &format!("{}\n", entry.file_name().to_string_lossy());
        }
    }
    fs::write(root.join(UNPACKED), names).map_err(failed)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
