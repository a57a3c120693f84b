//! A ministack server for one test: the Cognito user pools API with signing keys, on a loopback port.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::MissedTickBehavior;

use crate::python_environment::{PythonEnvironment, tail};
use crate::server_process::free_port;
use crate::target_folder::target_folder;
use crate::test_pool::{PoolOptions, TestPool};

const REQUIREMENTS: &str = include_str!("ministack.requirements.txt");
/// The file with the signing keys of its pools, in its state directory.
const POOL_KEYS: &str = "cognito-pool-keys";
/// The file with the output of the server, in its state directory.
const LOG: &str = "ministack.log";

/// The time-out for the start. ministack starts in half a second, but a busy machine takes longer.
const START_DEADLINE: Duration = Duration::from_secs(60);
const POLL_PAUSE: Duration = Duration::from_millis(25);
/// The time-out of a request. It is short, because another process that does not respond may listen on the port.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of ports to try. Another process can take a port between the choice and the bind.
const PORTS_TO_TRY: usize = 5;

/// A running ministack with the checks of Cognito (`AUTH=true`). It is stopped when dropped.
#[derive(Debug)]
pub struct Ministack {
    endpoint: String,
    port: u16,
    http: Client,
    python: PythonEnvironment,
    process: ServerProcess,
}

impl Ministack {
    /// Starts a server on a free loopback port, from a virtual environment in the target folder. If the environment is
    /// missing, it is created, which takes about ten seconds and needs a package index; see
    /// [`PythonEnvironment::ensure`].
    ///
    /// # Panics
    ///
    /// Panics if the environment cannot be created or the server does not start within a minute, with instructions.
    pub async fn start() -> Self {
        let python_directory = target_folder("python").join("ministack");
        let directory = python_directory.clone();
        let python = tokio::task::spawn_blocking(move || PythonEnvironment::ensure(&directory, REQUIREMENTS))
            .await
            .expect("making the Python environment does not panic: report the panic above")
            .unwrap_or_else(|error| panic!("no Python environment for ministack: {error}"));
        let http = loopback_client();
        for _ in 0..PORTS_TO_TRY {
            let state = state_directory().unwrap_or_else(|error| panic!("ministack has nowhere to live: {error}"));
            match Self::start_on(free_port(), &python, &http, state).await {
                Ok(server) => return server,
                Err(StartError::PortTaken) => {}
                Err(StartError::Failed(error)) => panic!(
                    "ministack did not come up: {error}\nif its installation is damaged, remove {} and run the test again",
                    python_directory.display()
                ),
            }
        }
        panic!("{PORTS_TO_TRY} free ports were taken before ministack could bind them: run the test again");
    }

    /// Returns the URL of the server: `http://127.0.0.1:<port>`, without a final slash.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Creates a user pool with one app client without a secret, which allows sign-in with a password.
    ///
    /// # Panics
    ///
    /// Panics if the server returns an exception.
    pub async fn create_pool(&self, options: PoolOptions) -> TestPool {
        TestPool::create(&self.endpoint, &self.http, &options).await
    }

    /// Stops the server, deletes its signing keys, and starts it again on the same port with the same pools and users.
    /// It then creates new keys. The `kid` of a key is a digest of the key.
    ///
    /// # Panics
    ///
    /// Panics if the server does not stop or does not start again.
    pub async fn restart_with_new_keys(self) -> Self {
        let Self { port, http, python, process, .. } = self;
        let state = tokio::task::spawn_blocking(|| process.end_in_good_order()).await.expect("no panic");
        let keys = state.path().join(POOL_KEYS);
        fs::remove_dir_all(&keys).unwrap_or_else(|error| panic!("no keys in {}: {error}", keys.display()));
        match Self::start_on(port, &python, &http, state).await {
            Ok(server) => server,
            Err(StartError::PortTaken) => panic!("another process has taken ministack's port: run the test again"),
            Err(StartError::Failed(error)) => panic!("ministack did not come up again: {error}"),
        }
    }

    async fn start_on(
        port: u16,
        python: &PythonEnvironment,
        http: &Client,
        state: TempDir,
    ) -> Result<Self, StartError> {
        let mut process = ServerProcess::spawn(port, python, state).map_err(StartError::Failed)?;
        let endpoint = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        let deadline = Instant::now() + START_DEADLINE;
        let mut polls = tokio::time::interval(POLL_PAUSE);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            polls.tick().await;
            process.still_runs()?;
            if process.answers(&endpoint, http).await {
                return Ok(Self { endpoint, port, http: http.clone(), python: python.clone(), process });
            }
            if Instant::now() > deadline {
                let waited = START_DEADLINE.as_secs();
                return Err(StartError::Failed(format!(
                    "no answer in {waited} seconds; it said:\n{}",
                    process.output()
                )));
            }
        }
    }
}

enum StartError {
    PortTaken,
    Failed(String),
}

fn state_directory() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix("poolgate-ministack-")
        .tempdir()
        .map_err(|error| format!("{error}; is the directory for temporary files writable and free?"))
}

/// The child process and its files. Both are removed when dropped.
#[derive(Debug)]
struct ServerProcess {
    child: Child,
    /// Passed to the next process by [`ServerProcess::end_in_good_order`].
    state: Option<TempDir>,
    /// The name of the state directory, by which the health page of this server can be recognized.
    name: String,
}

impl ServerProcess {
    fn spawn(port: u16, python: &PythonEnvironment, state: TempDir) -> Result<Self, String> {
        let failed =
            |error: std::io::Error| format!("{error}; is the directory for temporary files writable and free?");
        let log = File::create(state.path().join(LOG)).map_err(failed)?;
        let name = state.path().file_name().unwrap_or_default().to_string_lossy().into_owned();

        let mut command = python.server("ministack.app:main");
        // Removes the developer's settings: AWS_* would change the credentials, USE_SSL the protocol.
        command.env_clear();
        for kept in ["PATH", "LD_LIBRARY_PATH", "SYSTEMROOT"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command.envs([("AUTH", "true"), ("BIND_HOST", "127.0.0.1"), ("SERVICES", "cognito-idp")]);
        command.envs([("LOG_LEVEL", "WARNING"), ("PERSIST_STATE", "1"), ("MINISTACK_EDITION", name.as_str())]);
        // This service has a fixed port on every interface, so two servers at the same time would conflict.
        command.env("IOT_MTLS_ENABLED", "0");
        command.env("GATEWAY_PORT", port.to_string());
        for directory in ["STATE_DIR", "TMPDIR", "HOME"] {
            command.env(directory, state.path());
        }
        // At its start, ministack removes the containers of other instances. It must not find Docker.
        command.env("DOCKER_HOST", format!("unix://{}", state.path().join("no-docker.sock").display()));
        command.current_dir(state.path());
        command.stdin(Stdio::piped()).stdout(log.try_clone().map_err(failed)?).stderr(log);
        let child = command.spawn().map_err(|error| format!("cannot run {}: {error}", python.python().display()))?;
        Ok(Self { child, state: Some(state), name })
    }

    /// Requests a shutdown, in which ministack saves its pools and users, and waits for it.
    fn end_in_good_order(mut self) -> TempDir {
        // Waiting would close standard input, and the launcher would stop immediately and delete everything.
        let _stdin = self.child.stdin.take();
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "ministack can't be asked to end");
        let status = self.child.wait().expect("ministack is our child");
        assert!(status.success(), "ministack ended with {status} and said:\n{}", self.output());
        self.state.take().expect("it is taken once, here")
    }

    fn still_runs(&mut self) -> Result<(), StartError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                let said = self.output();
                if said.to_lowercase().contains("already in use") {
                    return Err(StartError::PortTaken);
                }
                Err(StartError::Failed(format!("it ended, {status}, and said:\n{said}")))
            }
            Err(error) => Err(StartError::Failed(format!("cannot ask whether it runs: {error}"))),
        }
    }

    /// Returns `true` if this server listens on the port, and not another one that has taken it first.
    async fn answers(&self, endpoint: &str, http: &Client) -> bool {
        let health = http.get(format!("{endpoint}/_ministack/health")).timeout(HEALTH_TIMEOUT);
        let Ok(response) = health.send().await else { return false };
        let Ok(body) = response.bytes().await else { return false };
        serde_json::from_slice::<Value>(&body).is_ok_and(|health| health["edition"] == self.name.as_str())
    }

    /// Returns the last lines of its output.
    fn output(&self) -> String {
        let Some(state) = &self.state else { return "(nothing)".to_owned() };
        match fs::read(state.path().join(LOG)) {
            Ok(log) if log.is_empty() => "(nothing)".to_owned(),
            Ok(log) => tail(&String::from_utf8_lossy(&log)),
            Err(error) => format!("(its log cannot be read: {error})"),
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // This fails only if the process has ended. Waiting also removes it from the process table.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a client that keeps no connection open. Each test has its own runtime, and a connection ends with the runtime that created it.
fn loopback_client() -> Client {
    Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_TIMEOUT)
        .build()
        .unwrap_or_else(|error| panic!("no HTTP client for ministack: {error}"))
}
