//! The gate in Python, in ASGI and WSGI servers and in frameworks.

use super::{
    decided::{Decided, wanted},
    programs::{decides_like, decides_like_the_library, serves_me},
    requests::Request,
};
use crate::example::{Example, blocks_of, printed, test_file};
use poolgate::Gate;
use poolgate_tests::{python_environment::PythonEnvironment, target_folder::target_folder};
use std::{fs, path::PathBuf, process::Command};
use tokio::sync::OnceCell;

static EXAMPLE: Example =
    Example { name: "python", root: "gate", block: 2, pinned: "requirements.txt", installing: &[] };

const REQUIREMENTS: &str = concat!(
    include_str!("../../examples/python/requirements.txt"),
    include_str!("../hosts/python_gate.requirements.txt")
);

/// Returns the interpreter with the packages of the example, the servers and the frameworks.
async fn interpreter() -> PathBuf {
    static READY: OnceCell<PathBuf> = OnceCell::const_new();
    let ready = async || {
        EXAMPLE.make_ready().await;
        let install = || PythonEnvironment::ensure(&target_folder("python").join("gate"), REQUIREMENTS);
        let installed = tokio::task::spawn_blocking(install).await.expect("no panic");
        installed.unwrap_or_else(|error| panic!("no Python environment for the gate: {error}")).python()
    };
    READY.get_or_init(ready).await.clone()
}

/// Runs a script of the tests with the modules of the example.
async fn script(name: &str) -> Command {
    let mut python = Command::new(interpreter().await);
    // Python must not write byte code next to the sources.
    python.arg("-B").arg(test_file(name)).env("PYTHONPATH", EXAMPLE.folder());
    python
}

/// Runs the driver of the tests: an application behind the gate.
async fn driver(kind: &str) -> impl FnOnce(PathBuf) -> Command {
    let mut driver = script("python_gate.py").await;
    driver.arg(kind).arg(EXAMPLE.folder().join("request-gate.wasm"));
    move |configuration| {
        driver.arg(configuration).arg("system");
        driver
    }
}

/// The decision about the request as a WSGI server passes it: several fields with one name are one variable.
async fn wanted_of_wsgi(gate: &Gate, request: &Request) -> Decided {
    let mut passed = request.clone();
    passed.headers.clear();
    for (name, value) in &request.headers {
        match passed.headers.iter_mut().find(|(own, _)| own == name) {
            Some((_, joined)) => *joined = format!("{joined},{value}"),
            None => passed.headers.push((name, value.clone())),
        }
    }
    wanted(gate, &passed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn asgi_servers_have_the_decisions_of_the_library() {
    for kind in ["asgi", "hypercorn"] {
        decides_like_the_library(kind, driver(kind).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asgi_frameworks_have_the_decisions_of_the_library() {
    for kind in ["fastapi", "django-asgi"] {
        decides_like_the_library(kind, driver(kind).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wsgi_servers_have_the_decisions_of_the_library_about_joined_fields() {
    // gunicorn applies the header `SCRIPT_NAME` to the path, and rejects it itself if the path does not begin with it.
    let of_gunicorn = async |gate: &Gate, request: &Request| -> Decided {
        match request.headers.iter().any(|(name, _)| *name == "script_name") {
            true => (if request.target.starts_with("/admin") { 400 } else { 500 }, String::new()),
            false => wanted_of_wsgi(gate, request).await,
        }
    };
    for kind in ["wsgi", "flask"] {
        decides_like(kind, driver(kind).await, of_gunicorn).await;
    }
    for kind in ["waitress", "django"] {
        decides_like(kind, driver(kind).await, wanted_of_wsgi).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_python_keys_are_fetched_once_a_trap_is_a_rejection_and_a_configuration_is_checked() {
    let mut python = script("python_gate_keys.py").await;
    python.arg(EXAMPLE.folder().join("request-gate.wasm"));
    printed(python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_the_readme_for_fastapi_and_flask_run() {
    let python = interpreter().await;
    let blocks = blocks_of(&EXAMPLE.readme(), "py");
    let [fastapi, flask] = &blocks[..] else { panic!("{} programs", blocks.len()) };
    for (name, program, server) in
        [("FastAPI", fastapi, ["-m", "uvicorn", "--port"]), ("Flask", flask, ["-m", "gunicorn", "--bind"])]
    {
        serves_me(name, |folder, port| {
            fs::write(folder.join("main.py"), program).expect("a file");
            fs::copy(EXAMPLE.folder().join("request-gate.wasm"), folder.join("request-gate.wasm")).expect("a file");
            let address = if name == "Flask" { format!("127.0.0.1:{port}") } else { port.to_string() };
            let mut run = Command::new(&python);
            run.arg("-B").args(server).arg(address).arg("main:app").env("PYTHONPATH", EXAMPLE.folder());
            run
        })
        .await;
    }
}
