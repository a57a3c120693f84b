//! A Python virtual environment with pinned packages, created once and reused.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The file with the requirements during the installation.
const REQUESTED: &str = "requirements-requested.txt";
/// The file with the requirements after a complete installation. [`REQUESTED`] is renamed to it as the last step.
const INSTALLED: &str = "requirements-installed.txt";

const LAUNCHER: &str = include_str!("python_server.launcher.py");

/// A virtual environment with installed requirements.
#[derive(Debug, Clone)]
pub struct PythonEnvironment {
    directory: PathBuf,
}

impl PythonEnvironment {
    /// Creates the environment in `directory` and installs `requirements` (the text of a pip requirements file), or
    /// reuses an existing environment with the same requirements.
    ///
    /// Blocks while another process creates the same environment, by means of the file lock `<directory>.lock`. An
    /// environment with other requirements is replaced.
    ///
    /// # Errors
    ///
    /// Returns a text with the problem and its solution: no `python3`, no `venv` or `pip` module, a failed
    /// installation, or a `directory` that contains something else than a virtual environment, which is never removed.
    pub fn ensure(directory: &Path, requirements: &str) -> Result<Self, String> {
        // The interpreter is started from other working directories too.
        let directory = std::path::absolute(directory)
            .map_err(|error| format!("{} is not a path for a Python environment: {error}", directory.display()))?;
        let _only_one_at_a_time = lock_beside(&directory)?;
        let environment = Self { directory };
        if !environment.has_installed(requirements) {
            environment.make(requirements)?;
        }
        Ok(environment)
    }

    /// Returns the path of the interpreter.
    pub fn python(&self) -> PathBuf {
        if cfg!(windows) {
            self.directory.join("Scripts").join("python.exe")
        } else {
            self.directory.join("bin").join("python")
        }
    }

    /// Returns a command that runs a server of an installed package, `main` being `MODULE:FUNCTION`. The server ends with the standard input of
    /// the process, which must be a pipe.
    pub fn server(&self, main: &str) -> Command {
        let mut command = Command::new(self.python());
        command.args(["-I", "-W", "ignore", "-c", LAUNCHER, main]);
        command
    }

    /// Returns a file of an installed package, by its path below `site-packages`, or `None` if it does not exist.
    pub fn site_package(&self, path: &str) -> Option<PathBuf> {
        let versions = fs::read_dir(self.directory.join("lib")).ok()?.filter_map(Result::ok);
        let mut candidates = versions.map(|version| version.path().join("site-packages").join(path));
        candidates.find(|file| file.is_file())
    }

    /// The interpreter must exist too: it is a symbolic link, which breaks if the system's Python is upgraded.
    fn has_installed(&self, requirements: &str) -> bool {
        fs::read_to_string(self.directory.join(INSTALLED)).is_ok_and(|installed| installed == requirements)
            && self.python().exists()
    }

    fn make(&self, requirements: &str) -> Result<(), String> {
        self.remove_outdated()?;
        self.create()?;
        let requested = self.directory.join(REQUESTED);
        let failed = |error| format!("cannot write the requirements into {}: {error}", self.directory.display());
        fs::write(&requested, requirements).map_err(failed)?;
        self.install(&requested)?;
        fs::rename(&requested, self.directory.join(INSTALLED)).map_err(failed)
    }

    fn remove_outdated(&self) -> Result<(), String> {
        let shown = self.directory.display();
        let is_empty = match fs::read_dir(&self.directory) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("cannot read {shown}: {error}")),
        };
        let is_ours = ["pyvenv.cfg", REQUESTED, INSTALLED].iter().any(|name| self.directory.join(name).exists());
        if !is_empty && !is_ours {
            return Err(format!("{shown} is not a virtual environment: name another directory, or remove it"));
        }
        fs::remove_dir_all(&self.directory).map_err(|error| format!("cannot remove {shown}: {error}; remove it"))
    }

    fn create(&self) -> Result<(), String> {
        let mut command = Command::new("python3");
        command.args(["-I", "-m", "venv"]).arg(&self.directory);
        run(
            command,
            "install Python 3.10 or newer as `python3` on the PATH, with its `venv` and `pip` modules \
             (Debian and Ubuntu: `apt-get install python3-venv`), and run the test again",
        )
    }

    fn install(&self, requirements: &Path) -> Result<(), String> {
        let mut command = Command::new(self.python());
        command.args(["-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]);
        command.args(["--only-binary", ":all:", "--requirement"]).arg(requirements);
        run(
            command,
            "check that pip reaches a package index (its usual settings, such as PIP_INDEX_URL, apply), that \
             `python3 --version` is 3.10 or newer, and run the test again",
        )
    }
}

/// An exclusive lock, released when the file is dropped and by the system when the process dies.
fn lock_beside(directory: &Path) -> Result<File, String> {
    let mut path = directory.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |error| format!("cannot lock {}: {error}; make its directory writable", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

/// Runs `command`. The error contains its output and `remedy`.
fn run(mut command: Command, remedy: &str) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {shown}: {error}\n{remedy}"))?;
    if output.status.success() {
        return Ok(());
    }
    // venv reports errors on standard output, pip on standard error.
    let printed = [output.stdout, output.stderr].concat();
    Err(format!("{shown} failed, {}:\n{}\n{remedy}", output.status, tail(&String::from_utf8_lossy(&printed))))
}

/// The last 30 lines of `text`, for an error.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
