//! The examples for Node.js and Python: programs of their languages that decide by the same file.

use super::{
    decided::{Decided, decided, is_same, wanted},
    exchange::send,
    requests::{Request, all},
    scene::{configuration, gate_now},
};
use poolgate::Gate;
use poolgate_tests::{
    edge_scene::{access, now, pool},
    exact_client::get,
    server_process::{ServerProcess, free_port},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Sends all requests of the table to an application behind the gate, and compares the decisions with those of the library. `command` returns the
/// command for a file with the configuration. The program prints its URL.
pub async fn decides_like_the_library(kind: &'static str, command: impl FnOnce(PathBuf) -> Command) {
    decides_like(kind, command, wanted).await;
}

/// The same with another decision, for a server that changes a request before the gate sees it.
pub async fn decides_like(
    kind: &'static str,
    command: impl FnOnce(PathBuf) -> Command,
    wanted: impl AsyncFn(&Gate, &Request) -> Decided,
) {
    let configuration = configuration();
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("poolgate.json");
    fs::write(&file, configuration.to_string()).expect("a file");
    let mut program = ServerProcess::spawn(kind, folder, command(file));
    let url = url_of(&mut program).await;
    let gate = gate_now(&configuration).await;
    let requests = all(access, now());
    let mut faults = Vec::new();
    for request in &requests {
        let (wanted, decided) = (wanted(&gate, request).await, decided(request, &send(&url, request).await));
        if !is_same(&wanted, &decided) {
            faults.push(format!("{request:?}: {decided:?}, not {wanted:?}"));
        }
    }
    let (count, all) = (faults.len(), requests.len());
    assert!(faults.is_empty(), "{kind}: {count} of {all}:\n{}\n{}", faults.join("\n"), program.output());
}

/// Runs a program of a page, which has the application `/me` behind the gate of `poolgate.json` in its folder. `command` makes it for
/// the folder and a port.
pub async fn serves_me(name: &'static str, command: impl FnOnce(&Path, u16) -> Command) {
    let folder = TempDir::new().expect("a folder");
    let configuration = json!({"pools": [pool()], "routes": [{"path": "/me", "authenticated": true}]});
    fs::write(folder.path().join("poolgate.json"), configuration.to_string()).expect("a file");
    let port = free_port();
    let command = command(folder.path(), port);
    let mut program = ServerProcess::spawn(name, folder, command);
    let url = format!("http://127.0.0.1:{port}");
    program.comes_up(&url).await;
    assert_eq!(get(&url, "/me", None).await.status, 401, "{}", program.output());
    let greeted = get(&url, "/me", Some(&access().compact())).await;
    assert_eq!(greeted.status, 200, "{greeted:?} {}", program.output());
    assert!(greeted.body.contains("ada") && greeted.body.contains("writers"), "{greeted:?}");
}

/// Returns the line with which a program says where it listens.
async fn url_of(program: &mut ServerProcess) -> String {
    let log = program.folder().join("log");
    let line = || {
        let text = fs::read_to_string(&log).expect("the log");
        let complete = text.rsplit_once('\n').map(|(lines, _)| lines.to_owned()).unwrap_or_default();
        complete.lines().find(|line| line.starts_with("http://127.0.0.1:")).map(str::to_owned)
    };
    program.comes_up_when(async || line().is_some()).await;
    line().expect("it has come up")
}
