//! Node.js: the component as an ES module.

use crate::hosts::{
    cases, command,
    example::{Example, front_page, migration_page, printed, test_file},
    tokens::tokens,
};
use poolgate_tests::{
    keys::{OTHER_RSA_2048, RSA_2048},
    minting::Draft,
    seen::Seen,
};
use std::{path::PathBuf, process::Command};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The browser example uses it, too.
pub static EXAMPLE: Example = Example {
    name: "node",
    root: "hosts",
    block: 0,
    pinned: "package-lock.json",
    installing: &["npm ci --ignore-scripts"],
};

/// Returns the folder of the example with its component.
pub async fn ready() -> PathBuf {
    static READY: OnceCell<()> = OnceCell::const_new();
    READY.get_or_init(|| EXAMPLE.make_ready()).await;
    EXAMPLE.folder()
}

/// Returns the verdicts of the example's module.
pub async fn verdicts() -> Vec<Seen> {
    let (folder, files) = (ready().await, TempDir::new().expect("a folder"));
    let corpus = files.path().join("cases.json");
    cases::write(&corpus, tokens().iter().copied());
    let mut node = Command::new("node");
    node.arg(test_file("node.mjs")).arg(folder).arg(corpus);
    cases::read(&printed(node).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_for_node_verifies_with_keys_that_it_fetches() {
    ready().await;
    command::verifies_with_keys_that_it_fetches(&EXAMPLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_node_keys_are_fetched_once_and_a_trap_is_a_denial() {
    let server = command::server_of_keys().await;
    let mut node = Command::new("node");
    node.arg(test_file("node_keys.mjs")).arg(ready().await).arg(server.url("/jwks.json"));
    node.arg(Draft::access(&RSA_2048).compact());
    node.arg(Draft::access(&OTHER_RSA_2048).header("kid", "\"rotated\"").compact());
    printed(node).await;
    assert_eq!(server.fetches_of("/jwks.json"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_in_the_readme_and_the_book_for_node_run() {
    ready().await;
    let words = ["userPoolId: \"eu-west-1_EXAMPLE01\"", "issuer: \"ISSUER\", keys: { url: \"URL\" }"];
    let token = "const token = process.argv[2];";
    for page in [EXAMPLE.readme(), front_page(), migration_page()] {
        command::the_programs_greet(&EXAMPLE, &page, "js", token, words, Command::new("node")).await;
    }
}
