//! schemathesis reads the OpenAPI document and tests whether the gateway conforms to it.

use super::{PASSWORD, Stage, text};
use poolgate_tests::{python_environment::PythonEnvironment, target_folder::target_folder};
use std::{path::PathBuf, process::Command};
use tempfile::TempDir;

const REQUIREMENTS: &str = include_str!("../schemathesis.requirements.txt");
/// A fixed seed, so that failures are reproducible.
const SEED: &str = "7";
const EXAMPLES_AN_OPERATION: &str = "40";

/// The command. It is installed first if it is missing.
fn schemathesis() -> PathBuf {
    let directory = target_folder("python").join("schemathesis");
    let python = PythonEnvironment::ensure(&directory, REQUIREMENTS).unwrap_or_else(|error| panic!("{error}"));
    python.python().with_file_name("schemathesis")
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_requests_get_no_500_and_no_undocumented_response() {
    let stage = Stage::new(|gateway| gateway).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let tokens = stage.sign_in("anna", PASSWORD).await;
    let authorization = format!("Authorization: Bearer {}", text(&tokens, "access_token"));
    let url = format!("{}/openapi.json", stage.gateway.public);
    // Sign-out and deletion come last, because the token must stay valid until then.
    for last in [false, true] {
        let choice = if last { "--include-operation-id" } else { "--exclude-operation-id" };
        let mut command = Command::new(schemathesis());
        command.args(["--no-color", "run", &url, "--header", &authorization, "--seed", SEED]);
        command.args(["--max-examples", EXAMPLES_AN_OPERATION, "--workers", "2"]);
        command.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]);
        command.args(["--checks", "response_headers_conformance,response_schema_conformance"]);
        command.args([choice, "sign_out", choice, "delete_user"]);
        let ran = tokio::task::spawn_blocking(move || {
            let folder = TempDir::new().expect("a folder");
            command.current_dir(folder.path()).output().expect("schemathesis runs")
        });
        let output = ran.await.expect("no panic");
        let output_text = String::from_utf8_lossy(&output.stdout);
        println!("{output_text}");
        assert!(output.status.success(), "{output_text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    stage.gateway.stop().await;
}
