//! A running `poolgate serve`. Each test that needs it includes this file.
#![allow(dead_code)]

use reqwest::{Client, Response};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A running `poolgate serve`. It is ended if the test fails.
pub struct Serving {
    pub child: Child,
    pub public: String,
    pub metrics: String,
    pub http: Client,
}

impl Serving {
    /// Starts the command, and waits until it has printed its addresses.
    pub fn start(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"]);
        if !command.get_args().any(|argument| argument == "--rate-limit") {
            command.args(["--rate-limit", "0"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut address = |before: &str| {
            let line = lines.next().expect("a line").expect("text");
            line.strip_prefix(before).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let (public, metrics) = (address("poolgate serves on "), address("poolgate shows its metrics on "));
        Self { child, public, metrics, http: Client::builder().no_proxy().build().expect("an HTTP client") }
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        let post = self.http.post(format!("{}{path}", self.public)).json(&body);
        post.send().await.expect("an answer")
    }

    /// The resident memory of the process, in kilobytes.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("kB")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
