//! A server for one test, which is started in its own folder and stopped with the test.

use crate::python_environment::tail;
use reqwest::Client;
use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const START_DEADLINE: Duration = Duration::from_secs(60);
const POLL_PAUSE: Duration = Duration::from_millis(25);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A running server. It is stopped when dropped. If the test process dies, the standard input of the server is closed.
#[derive(Debug)]
pub struct ServerProcess {
    name: &'static str,
    child: Child,
    folder: TempDir,
}

impl ServerProcess {
    /// Runs the command in `folder`, with its output in a log file there.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be run.
    pub fn spawn(name: &'static str, folder: TempDir, mut command: Command) -> Self {
        let log = File::create(folder.path().join("log")).expect("a log in a folder for temporary files");
        command.current_dir(folder.path()).stdin(Stdio::piped());
        command.stdout(log.try_clone().expect("the log")).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not run: {error}"));
        Self { name, child, folder }
    }

    /// Waits until it responds at a URL, with any status.
    ///
    /// # Panics
    ///
    /// Panics if it ends, or does not respond within a minute, with its output.
    pub async fn comes_up(&mut self, url: &str) {
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(ANSWER_TIMEOUT).build();
        let http = http.expect("an HTTP client");
        self.comes_up_when(async || http.get(url).send().await.is_ok()).await;
    }

    /// Waits until a condition of the caller is true.
    ///
    /// # Panics
    ///
    /// Panics if it ends, or if the condition is not true within a minute, with its output.
    pub async fn comes_up_when(&mut self, is_there: impl AsyncFn() -> bool) {
        self.comes_up_within(START_DEADLINE, is_there).await;
    }

    /// Waits until a condition of the caller is true, for a server that takes long to start on a busy machine.
    ///
    /// # Panics
    ///
    /// Panics if it ends, or if the condition is not true within this time, with its output.
    pub async fn comes_up_within(&mut self, limit: Duration, is_there: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + limit;
        let mut polls = tokio::time::interval(POLL_PAUSE);
        loop {
            polls.tick().await;
            let has_ended = self.child.try_wait().ok().flatten();
            if has_ended.is_none() && is_there().await {
                return;
            }
            if has_ended.is_some() || Instant::now() > deadline {
                panic!("{} did not come up ({has_ended:?}) and said:\n{}", self.name, tail(&self.output()));
            }
        }
    }

    /// Returns its output.
    pub fn output(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// Returns the process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // This fails only if the process has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a loopback port that is free at the time of the call.
///
/// # Panics
///
/// Panics if the system has no free port.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .unwrap_or_else(|error| panic!("the system gives no loopback port: {error}; is 127.0.0.1 up?"))
        .port()
}
