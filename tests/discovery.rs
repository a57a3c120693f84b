//! OpenID Connect Discovery: the rules for the document, in the command and in the verifier, and issuers that are real servers.

#[path = "discovery/command.rs"]
mod command;
mod gateway_setup;
#[path = "manual_clock.rs"]
mod manual_clock;
#[path = "discovery/oidc_provider/mod.rs"]
mod oidc_provider;
#[path = "discovery/oidc_provider_mock/mod.rs"]
mod oidc_provider_mock;
#[path = "discovery/real_issuers.rs"]
mod real_issuers;
mod serving;
#[path = "discovery/verifier.rs"]
mod verifier;

use manual_clock::ManualClock;
use poolgate_core::Algorithm;
use poolgate_tests::{
    discovery_server::{DOCUMENT, KEYS, document, document_with, good_keys, issuer, refusals},
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{Draft, KEY_ID},
};
use serde_json::{Value, json};
use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

/// A timeout that a valid response does not reach even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the command.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    async fn of(arguments: &[&str]) -> Self {
        Self::with_input(arguments, "").await
    }

    async fn with_input(arguments: &[&str], input: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["COGNITO_USER_POOL_ID", "COGNITO_REGION", "COGNITO_CLIENT_ID", "RUST_LOG", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
        let input = input.to_owned();
        let run = move || {
            let mut child = command.spawn().expect("the command runs");
            let mut stdin = child.stdin.take().expect("its standard input");
            // The command may end without reading it.
            let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
            drop(stdin);
            child.wait_with_output().expect("it ends")
        };
        let Output { status, stdout, stderr } = tokio::task::spawn_blocking(run).await.expect("no panic");
        Self {
            code: status.code().expect("it was not killed"),
            stdout: String::from_utf8(stdout).expect("the output is UTF-8"),
            stderr: String::from_utf8(stderr).expect("the errors are UTF-8"),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// Waits until a condition is true.
///
/// # Panics
///
/// Panics if it is not true within half a minute.
async fn until(what: &str, is_true: impl Fn() -> bool) {
    let wait = async {
        while !is_true() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}: not within {PATIENCE:?}");
}
