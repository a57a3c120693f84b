//! wasmCloud's `wash dev`, installed from PyPI.

use crate::{
    python_environment::PythonEnvironment,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use reqwest::{Client, StatusCode};
use std::{fs, process::Command, time::Duration};
use tempfile::TempDir;

const REQUIREMENTS: &str = include_str!("wash.requirements.txt");
/// `wash` prints it when the workload has started.
const STARTED: &str = "listening for HTTP requests";
/// `wash` compiles the components first, which takes minutes on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(600);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A running `wash dev`, which is stopped when dropped.
#[derive(Debug)]
pub struct Wash {
    /// The URL, without a final slash.
    pub url: String,
    process: ServerProcess,
}

impl Wash {
    /// Serves a component that imports only WASI, with these members of its entry in `components`, and allows requests
    /// to this origin. `wash` itself builds one component, which it cannot pool. That is `other`, which serves nothing.
    ///
    /// # Panics
    /// Panics if it cannot be installed or started, with its output.
    pub async fn start(component: &[u8], other: &[u8], pooling: &str, allowed: &str) -> Self {
        let directory = target_folder("python").join("wash");
        let ensure = move || PythonEnvironment::ensure(&directory, REQUIREMENTS);
        let python = tokio::task::spawn_blocking(ensure).await.expect("no panic");
        let python = python.unwrap_or_else(|error| panic!("no Python environment for wash: {error}"));
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        for (name, bytes) in [("app.wasm", component), ("other.wasm", other)] {
            fs::write(folder.path().join(name), bytes).expect("a file");
        }
        let configuration = format!(
            "build: {{ command: \"true\", component_path: other.wasm }}\n\
             dev:\n  address: \"127.0.0.1:{port}\"\n  components:\n    - {{ name: app, file: app.wasm{pooling} }}\n\
             workload: {{ allowedHosts: [\"{allowed}\"] }}\n"
        );
        fs::create_dir(folder.path().join(".wash")).expect("a folder");
        fs::write(folder.path().join(".wash/config.yaml"), configuration).expect("a file");
        let mut command = Command::new(python.python().with_file_name("wash"));
        // It has a cache in the home directory.
        command.args(["--non-interactive", "dev"]).env("HOME", folder.path());
        let url = format!("http://127.0.0.1:{port}");
        let mut process = ServerProcess::spawn("wash", folder, command);
        let http = Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build().expect("an HTTP client");
        let log = process.folder().join("log");
        let has_started = || fs::read_to_string(&log).is_ok_and(|output| output.contains(STARTED));
        // Until then it logs each request, and responds with 404.
        let serves = async || {
            has_started()
                && http.get(&url).send().await.is_ok_and(|response| response.status() != StatusCode::NOT_FOUND)
        };
        process.comes_up_within(START_LIMIT, serves).await;
        Self { url, process }
    }

    /// Returns its output.
    pub fn output(&self) -> String {
        self.process.output()
    }
}
