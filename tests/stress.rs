//! `.ci/stress` finds flaky tests.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

/// One test fails on every second run, the other never.
const FLAKY: &str = r#"
#[test]
fn it_fails_on_each_second_run() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/runs");
    let runs = std::fs::read_to_string(file).map_or(0, |text| text.len());
    std::fs::write(file, "x".repeat(runs + 1)).unwrap();
    assert_eq!(runs % 2, 0);
}

#[test]
fn it_never_fails() {}
"#;

fn package(tests: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest =
        "[package]\nname = \"flaky\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\ntest = false\n[workspace]\n";
    fs::create_dir(folder.path().join("tests")).expect("a folder");
    for (file, text) in [("Cargo.toml", manifest), ("lib.rs", ""), ("tests/sometimes.rs", tests)] {
        fs::write(folder.path().join(file), text).expect("a file");
    }
    folder
}

fn stress(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(root.join(".ci/stress"));
    command.arg("--manifest-path").arg(folder.path().join("Cargo.toml")).args(arguments);
    // The package has its own target folder, and the logs are in its temporary folder.
    command.env_remove("CARGO_TARGET_DIR").env("TMPDIR", folder.path());
    let Output { status, stdout, .. } = command.output().expect("Python 3 is installed");
    (status.code(), String::from_utf8(stdout).expect("UTF-8"))
}

#[test]
fn a_flaky_test_is_reported_with_the_number_of_its_failures() {
    let folder = package(FLAKY);
    let (code, report) = stress(&folder, &["--runs", "4"]);
    assert!(report.contains("it_fails_on_each_second_run ×2"), "{report}");
    assert!(report.contains("4 runs of 1 binaries, 8 tests executed, 2 failures"), "{report}");
    assert_eq!(code, Some(1), "{report}");
    let (code, report) = stress(&folder, &["--runs", "3", "--", "it_never_fails"]);
    assert!(report.contains("3 runs of 1 binaries, 3 tests executed, 0 failures"), "{report}");
    assert_eq!(code, Some(0), "{report}");
}

#[test]
fn a_test_that_was_not_run_is_not_a_success() {
    let folder = package(FLAKY);
    let (code, report) = stress(&folder, &["--runs", "2", "--", "no_such_test"]);
    assert_eq!(code, Some(2), "{report}");
    let (code, report) = stress(&folder, &["--runs", "2", "--minutes", "0", "--", "it_never_fails"]);
    assert!(report.contains("2 runs not made"), "{report}");
    assert_ne!(code, Some(0), "{report}");
}

#[test]
fn a_run_that_does_not_end_is_a_failure() {
    let folder = package("#[test]\nfn it_waits_for_ever() {\n    loop {\n        std::thread::park();\n    }\n}\n");
    let (code, report) = stress(&folder, &["--runs", "1", "--timeout", "1"]);
    assert!(report.contains("no end after 1 s"), "{report}");
    assert_eq!(code, Some(1), "{report}");
}
