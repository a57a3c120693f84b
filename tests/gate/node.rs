//! The gate on Node.js, with plain `node:http`, Express, Fastify and Hono.

use super::programs::{decides_like_the_library, serves_me};
use crate::example::{Example, blocks_of, printed, test_file};
use poolgate_tests::target_folder::target_folder;
use std::{fs, path::PathBuf, process::Command};
use tokio::sync::OnceCell;

static EXAMPLE: Example = Example {
    name: "node",
    root: "gate",
    block: 2,
    pinned: "package-lock.json",
    installing: &["npm ci --ignore-scripts"],
};

/// Returns the folders of the example and of the frameworks.
async fn folders() -> (PathBuf, PathBuf) {
    static READY: OnceCell<PathBuf> = OnceCell::const_new();
    let ready = async || {
        EXAMPLE.make_ready().await;
        frameworks().await
    };
    (EXAMPLE.folder(), READY.get_or_init(ready).await.clone())
}

/// Installs the frameworks in the versions of their lock file, above the example, so that its modules find them.
async fn frameworks() -> PathBuf {
    let (folder, lock) = (target_folder("gate"), "package-lock.json");
    for name in ["package.json", lock] {
        fs::copy(test_file("node_frameworks").join(name), folder.join(name)).expect("a file in the target folder");
    }
    let wanted = fs::read_to_string(folder.join(lock)).expect("pinned versions");
    let installed = folder.join("installed");
    if !fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder);
        printed(npm).await;
        fs::write(installed, wanted).expect("a file");
    }
    folder
}

async fn decides(kind: &'static str) {
    let (example, frameworks) = folders().await;
    decides_like_the_library(kind, |file| {
        let mut node = Command::new("node");
        node.arg(test_file("node_gate.mjs")).arg(example).arg(frameworks).arg(kind).arg(file);
        node
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_node_has_the_decisions_of_the_library() {
    decides("http").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn express_has_the_decisions_of_the_library() {
    decides("express").await;
    decides("express4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fastify_has_the_decisions_of_the_library() {
    decides("fastify").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hono_has_the_decisions_of_the_library() {
    decides("hono").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_node_keys_are_fetched_once_a_trap_is_a_rejection_and_a_configuration_is_checked() {
    let (example, _) = folders().await;
    let mut node = Command::new("node");
    node.arg(test_file("node_gate_keys.mjs")).arg(example);
    printed(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_of_the_readme_for_express_runs() {
    folders().await;
    let program = EXAMPLE.folder().join("readme-gate.mjs");
    let blocks = blocks_of(&EXAMPLE.readme(), "mjs");
    let [block] = &blocks[..] else { panic!("{} programs", blocks.len()) };
    fs::write(&program, block).expect("a file");
    serves_me("Express", |_, port| {
        let mut node = Command::new("node");
        node.arg(program).env("PORT", port.to_string());
        node
    })
    .await;
}
