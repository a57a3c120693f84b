//! The core gives the same verdicts in a program that enables serde_json's feature `arbitrary_precision`. Any dependency of a program can
//! enable the feature for the whole program. serde_json then passes numbers to the core's JSON reader in another form.

#[path = "hosts/cases.rs"]
mod cases;

use poolgate_tests::{corpus, seen::Seen, target_folder::target_folder};
use std::{env, fs, path::Path, process::Command};

/// Returns the manifest of a program that enables the feature. The program is not a member of this workspace, because cargo would then enable
/// the feature for every test. It uses a copy of the workspace's lock file, so the versions are the same and nothing is downloaded.
fn manifest(tests: &Path) -> String {
    let (core, judge) = (tests.join("../guest/core"), tests.join("arbitrary_precision/judge.rs"));
    format!(
        r#"[package]
name = "judge"
version = "0.0.0"
edition = "2024"
[workspace]
[[bin]]
name = "judge"
path = {judge:?}
[dependencies]
poolgate-core = {{ path = {core:?} }}
serde_json = {{ version = "1", features = ["arbitrary_precision"] }}
[profile.dev]
opt-level = 1
debug = false
"#
    )
}

#[test]
fn the_corpus_has_the_same_verdicts_with_arbitrary_precision() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = target_folder("arbitrary-precision");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("Cargo.toml"), manifest(tests)).expect("a file");
    fs::copy(tests.join("../Cargo.lock"), folder.join("Cargo.lock")).expect("the workspace's lock file");
    let cases_file = folder.join("cases.json");
    cases::write(&cases_file, corpus::cases());

    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo runs its tests with CARGO set"));
    cargo.args(["run", "--quiet", "--offline", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(folder.join("target")).arg("--").arg(&cases_file);
    let output = cargo.output().expect("cargo runs");
    let (said, printed) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{said}");

    let expected: Vec<Seen> = corpus::cases()
        .iter()
        .map(|case| match case.verify_with_core() {
            Ok(_) => Seen::Verified,
            Err(reason) => Seen::rejected(reason.name(), reason.error_code().status()),
        })
        .collect();
    let came = cases::read(&printed);
    assert_eq!(came.len(), expected.len());
    for ((case, came), expected) in corpus::cases().iter().zip(came).zip(expected) {
        assert_eq!(came, expected, "{}", case.name);
    }
}
