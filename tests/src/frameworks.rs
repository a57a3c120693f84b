//! Applications in Express, Django and Flask. The response header `x-view` names the view that handled a request:
//! `public`, `admin`, `orders` or `other`.

use crate::{
    npm,
    python_environment::PythonEnvironment,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

/// A web framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// Express 4, whose routes ignore case and a final slash.
    Express4,
    /// Express 5.
    Express,
    /// Django with the WSGI server of Python's standard library, which decodes the path.
    Django,
    /// Flask with Werkzeug's server.
    Flask,
    /// Flask with gunicorn, which removes the prefix in a header `SCRIPT_NAME` from the path.
    Gunicorn,
}

impl Framework {
    /// All frameworks, each with one server.
    pub const ALL: [Self; 4] = [Self::Express4, Self::Express, Self::Django, Self::Flask];
}

/// A running application.
#[derive(Debug)]
pub struct Application {
    /// The port at 127.0.0.1.
    pub port: u16,
    _process: ServerProcess,
}

impl Application {
    /// Starts an application from packages in the target folder, which are installed if they are missing.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be installed or started, with its output.
    pub async fn start(framework: Framework) -> Self {
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::write(&file, text).expect("a file");
            file
        };
        let (name, command) = match framework {
            Framework::Express4 | Framework::Express => {
                let package = if framework == Framework::Express { "express" } else { "express4" };
                link_node_packages(folder.path()).await;
                let mut command = Command::new("node");
                let script = write("express.js", include_str!("frameworks/express.js"));
                command.arg(script).arg(package).arg(port.to_string());
                ("express", command)
            }
            Framework::Django | Framework::Flask | Framework::Gunicorn => {
                let environment = target_folder("python").join("frameworks");
                let ensure =
                    move || PythonEnvironment::ensure(&environment, include_str!("frameworks/requirements.txt"));
                let environment = tokio::task::spawn_blocking(ensure).await.expect("no panic");
                let environment = environment.unwrap_or_else(|error| panic!("no Python environment: {error}"));
                let script = match framework {
                    Framework::Django => write("django_app.py", include_str!("frameworks/django_app.py")),
                    _ => write("flask_app.py", include_str!("frameworks/flask_app.py")),
                };
                let mut command = Command::new(environment.python());
                match framework {
                    Framework::Gunicorn => command.args([
                        "-m",
                        "gunicorn",
                        "flask_app:app",
                        "--no-control-socket",
                        "--bind",
                        &format!("127.0.0.1:{port}"),
                    ]),
                    _ => command.arg(script).arg(port.to_string()),
                };
                ("a Python application", command)
            }
        };
        let mut process = ServerProcess::spawn(name, folder, command);
        process.comes_up(&format!("http://127.0.0.1:{port}/")).await;
        Self { port, _process: process }
    }
}

/// Links the frameworks for Node.js into a folder, so that the modules in it find them. They are installed if they are missing.
///
/// # Panics
///
/// Panics if they cannot be installed.
pub async fn link_node_packages(folder: &Path) {
    let packages = target_folder("node").join("frameworks");
    let installing = packages.clone();
    let install = move || {
        let (package, lock) = (include_str!("frameworks/package.json"), include_str!("frameworks/package-lock.json"));
        npm::install(&installing, package, lock);
    };
    tokio::task::spawn_blocking(install).await.expect("no panic");
    let modules = fs::canonicalize(packages.join("node_modules")).expect("the packages");
    let link = folder.join("node_modules");
    if !link.exists() {
        std::os::unix::fs::symlink(modules, link).expect("a link");
    }
}
