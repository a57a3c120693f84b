//! The gate on Node.js, with plain `node:http`, Express, Fastify and Hono.

use super::programs::{decides_like_the_library, serves_me};
use crate::example::{Example, blocks_of, printed, test_file};
use poolgate_tests::{npm, target_folder::target_folder};
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

/// Installs the frameworks above the example, so that its modules find them.
async fn frameworks() -> PathBuf {
    const PACKAGE: &str = include_str!("../hosts/node_frameworks/package.json");
    const LOCK: &str = include_str!("../hosts/node_frameworks/package-lock.json");
    let install = || npm::install(&target_folder("gate"), PACKAGE, LOCK);
    tokio::task::spawn_blocking(install).await.expect("no panic");
    target_folder("gate")
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
