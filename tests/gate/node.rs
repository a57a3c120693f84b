//! The gate on Node.js, with plain `node:http`, Express, Fastify and Hono.

use super::programs::{decides_like_the_library, serves_me};
use crate::example::{Example, blocks_of, printed, test_file};
use poolgate_tests::{frameworks::link_node_packages, target_folder::target_folder};
use std::{fs, path::PathBuf, process::Command};
use tokio::sync::OnceCell;

static EXAMPLE: Example = Example {
    name: "node",
    root: "gate",
    block: 2,
    pinned: "package-lock.json",
    installing: &["npm ci --ignore-scripts"],
};

/// Makes the example ready, and returns its folder. The frameworks are above it, so that its modules find them.
async fn example() -> PathBuf {
    static READY: OnceCell<()> = OnceCell::const_new();
    let ready = async || {
        EXAMPLE.make_ready().await;
        link_node_packages(&target_folder("gate")).await;
    };
    READY.get_or_init(ready).await;
    EXAMPLE.folder()
}

async fn decides(kind: &'static str) {
    let example = example().await;
    decides_like_the_library(kind, |file| {
        let mut node = Command::new("node");
        node.arg(test_file("node_gate.mjs")).arg(example).arg(target_folder("gate")).arg(kind).arg(file);
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
    let mut node = Command::new("node");
    node.arg(test_file("node_gate_keys.mjs")).arg(example().await);
    printed(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_of_the_readme_for_express_runs() {
    let program = example().await.join("readme-gate.mjs");
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
