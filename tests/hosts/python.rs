//! Python: the component in the `wasmtime` of PyPI.

use crate::hosts::{
    cases, command,
    example::{Example, migration_page, printed, test_file},
    tokens::tokens,
};
use poolgate_tests::{
    keys::{OTHER_RSA_2048, RSA_2048},
    minting::Draft,
    seen::Seen,
};
use std::{path::Path, process::Command};
use tempfile::TempDir;
use tokio::sync::OnceCell;

static EXAMPLE: Example = Example {
    name: "python",
    root: "hosts",
    block: 0,
    pinned: "requirements.txt",
    installing: &["python3 -m venv .venv", ".venv/bin/pip install --quiet --requirement requirements.txt"],
};

async fn ready() {
    static READY: OnceCell<()> = OnceCell::const_new();
    READY.get_or_init(|| EXAMPLE.make_ready()).await;
}

/// Runs a script of the tests with the Python of the example.
async fn python(script: &str) -> Command {
    ready().await;
    let mut python = Command::new(EXAMPLE.folder().join(".venv/bin/python"));
    // Python must not write byte code next to the sources.
    python.arg("-B").arg(test_file(script)).env("PYTHONPATH", EXAMPLE.folder());
    python.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    python
}

/// Returns the verdicts of the example's module.
pub async fn verdicts() -> Vec<Seen> {
    let files = TempDir::new().expect("a folder");
    let corpus = files.path().join("cases.json");
    cases::write(&corpus, tokens().iter().copied());
    let mut python = python("python_cases.py").await;
    python.arg(EXAMPLE.folder().join("poolgate.wasm")).arg(corpus);
    cases::read(&printed(python).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_for_python_verifies_with_keys_that_it_fetches() {
    ready().await;
    command::verifies_with_keys_that_it_fetches(&EXAMPLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_python_keys_are_fetched_once_and_a_trap_is_a_denial() {
    let server = command::server_of_keys().await;
    let mut python = python("python_keys.py").await;
    python.arg(EXAMPLE.folder().join("poolgate.wasm")).arg(server.url("/jwks.json"));
    python.arg(Draft::access(&RSA_2048).compact());
    python.arg(Draft::access(&OTHER_RSA_2048).header("kid", "\"rotated\"").compact());
    printed(python).await;
    assert_eq!(server.fetches_of("/jwks.json"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_in_the_readme_and_the_book_for_python_run() {
    ready().await;
    let words = ["user_pool_id=\"eu-west-1_EXAMPLE01\"", "issuer=\"ISSUER\", jwks_url=\"URL\""];
    let token = "import sys; token = sys.argv[1]";
    for page in [EXAMPLE.readme(), migration_page()] {
        let python = Command::new(EXAMPLE.folder().join(".venv/bin/python"));
        command::the_programs_greet(&EXAMPLE, &page, "python", token, words, python).await;
    }
}
