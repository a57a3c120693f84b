//! A proxy in front of a Cognito emulator that responds with configured exceptions.

use crate::{
    python_environment::PythonEnvironment,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use reqwest::Client;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use tempfile::TempDir;

const REQUIREMENTS: &str = include_str!("microburst.requirements.txt");

/// A running microburst process, which is stopped when dropped.
#[derive(Debug)]
pub struct Microburst {
    endpoint: String,
    http: Client,
    _process: ServerProcess,
}

impl Microburst {
    /// Starts a proxy to `upstream`, from a virtual environment in the target folder, which is created if it is missing.
    ///
    /// # Panics
    ///
    /// Panics if the environment cannot be created or the proxy does not start, with its output.
    pub async fn start(upstream: &str) -> Self {
        let directory = target_folder("python").join("microburst");
        let python = tokio::task::spawn_blocking(move || PythonEnvironment::ensure(&directory, REQUIREMENTS))
            .await
            .expect("no panic")
            .unwrap_or_else(|error| panic!("no Python environment for microburst: {error}"));
        let port = free_port();
        let mut command = python.server("microburst.cli:main");
        command.args(["-u", upstream, "--host", "127.0.0.1", "-p", &port.to_string()]);
        let mut process = ServerProcess::spawn("microburst", TempDir::new().expect("a folder"), command);
        let endpoint = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        process.comes_up(&format!("{endpoint}/_microburst/health")).await;
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("an HTTP client");
        // Its first response takes several seconds, longer than the time-out of the SDK, because it then reads the service model.
        let first = http.post(&endpoint).header("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth");
        let first = first.header("Content-Type", "application/x-amz-json-1.1").body("{}");
        first.send().await.expect("microburst answers");
        Self { endpoint, http, _process: process }
    }

    /// Returns the URL, without a final slash.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Makes the operation respond with the exception. All other operations are forwarded.
    pub async fn inject(&self, operation: &str, exception: &str) {
        self.rules(json!([{ "service": "*", "operation": operation, "error": { "code": exception } }])).await;
    }

    /// Forwards all operations.
    pub async fn clear(&self) {
        self.rules(json!([])).await;
    }

    async fn rules(&self, rules: Value) {
        let post = self.http.post(format!("{}/_microburst/rules", self.endpoint)).body(rules.to_string());
        let response = post.header("Content-Type", "application/json").send().await.expect("microburst answers");
        let status = response.status();
        assert!(status.is_success(), "{status}: {}", response.text().await.unwrap_or_default());
    }
}
