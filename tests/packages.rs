//! The published packages: a registry would accept them, they build without a WebAssembly toolchain, and the artifacts contain no path of
//! the build machine.

use poolgate_artifacts::PUBLISHED;
use poolgate_tests::target_folder::target_folder;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, Output},
};
use wasmparser::{Parser, Payload};
use wit_component::DecodedWasm;

/// The published packages, in the order in which they must be published.
const PACKAGES: [&str; 7] = [
    "poolgate-path",
    "poolgate-revocations",
    "poolgate-rsa",
    "poolgate-core",
    "poolgate-edge",
    "poolgate-artifacts",
    "poolgate",
];

fn cargo(arguments: &[&str]) -> Output {
    let cargo = env::var_os("CARGO").expect("cargo runs its tests with CARGO set");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(cargo).args(arguments).current_dir(root).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn metadata() -> Vec<Value> {
    let output = cargo(&["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"]);
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

#[test]
fn seven_packages_are_published_with_complete_metadata() {
    let mut published = BTreeSet::new();
    for package in metadata() {
        let name = package["name"].as_str().expect("a name");
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        published.insert(name.to_owned());
        for field in ["description", "license", "readme", "rust_version"] {
            assert!(package[field].is_string(), "{name} has no {field}");
        }
        for field in ["keywords", "categories"] {
            let count = package[field].as_array().expect("a list").len();
            assert!((1..=5).contains(&count), "{name} has {count} {field}");
        }
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let requirement = dependency["req"].as_str().expect("a requirement");
            assert!(
                !requirement.starts_with('='),
                "{name} requires exactly {requirement} of {}, which would conflict with other packages",
                dependency["name"]
            );
        }
    }
    assert_eq!(published, PACKAGES.map(str::to_owned).into());
}

#[test]
fn a_package_contains_its_licence_and_readme_and_no_other_files() {
    for name in PACKAGES {
        let output = cargo(&["package", "--list", "--allow-dirty", "--offline", "--package", name]);
        let files = String::from_utf8(output.stdout).expect("file names");
        let files: BTreeSet<&str> = files.lines().collect();
        for file in ["LICENSE", "README.md", "Cargo.toml", "Cargo.lock", "src/lib.rs"] {
            assert!(files.contains(file), "{name} has no {file}: {files:?}");
        }
        if name == "poolgate" {
            assert!(files.contains("wit/world.wit") && !files.contains("wit/edge/middleware.wit"), "{files:?}");
        }
        assert!(!files.iter().any(|file| file.ends_with(".wasm")), "{name} contains a binary: {files:?}");
    }
}

/// Like the release, but with the artifacts of this build.
#[test]
fn the_package_of_artifacts_builds_without_a_webassembly_toolchain() {
    let target = target_folder("packages");
    fs::create_dir_all(&target).expect("a folder in the target folder");
    let target = target.to_str().expect("a path in UTF-8");
    cargo(&[
        "package",
        "--no-verify",
        "--allow-dirty",
        "--offline",
        "--package",
        "poolgate-artifacts",
        "--target-dir",
        target,
    ]);

    // Outside the workspace, because cargo would treat it as a member.
    let outside = tempfile::tempdir().expect("a folder");
    let version = env!("CARGO_PKG_VERSION");
    let package = Path::new(target).join(format!("package/poolgate-artifacts-{version}.crate"));
    let unpacked = flate2::read::GzDecoder::new(fs::File::open(package).expect("the package"));
    tar(unpacked, outside.path());
    let folder = outside.path().join(format!("poolgate-artifacts-{version}"));
    let prebuilt = folder.join("prebuilt");
    fs::create_dir(&prebuilt).expect("a folder");
    for artifact in PUBLISHED {
        let file = prebuilt.join(format!("{}.{}", artifact.name, artifact.extension));
        fs::write(file, artifact.bytes).expect("a file");
    }

    // PATH has cargo, rustc and a linker, but no rustup.
    let cargo = env::var_os("CARGO").expect("cargo runs its tests with CARGO set");
    let toolchain = Path::new(&cargo).parent().expect("cargo lies in a folder").to_str().expect("a path in UTF-8");
    let written = outside.path().join("written");
    let output = Command::new(&cargo)
        .args(["run", "--offline", "--target-dir", target, "--", "all"])
        .arg(&written)
        .current_dir(&folder)
        .env("PATH", format!("{toolchain}:/usr/bin:/bin"))
        .env_remove("RUSTUP_TOOLCHAIN")
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for artifact in PUBLISHED {
        let file = written.join(format!("{}.{}", artifact.name, artifact.extension));
        assert_eq!(fs::read(&file).expect("it was written"), artifact.bytes, "{}", artifact.name);
    }
    assert_eq!(fs::read_dir(&written).expect("the folder").count(), PUBLISHED.len());

    let run = |arguments: &[&str]| {
        let command = Path::new(target).join("debug/poolgate-artifact");
        let output = Command::new(command).args(arguments).current_dir(outside.path()).output().expect("it runs");
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.code(), said)
    };
    let (code, said) = run(&["list"]);
    assert_eq!((code, said.lines().count()), (Some(0), PUBLISHED.len()), "{said}");
    assert_eq!(run(&["middleware", "one.wasm"]), (Some(0), String::new()));
    assert_eq!(fs::read(outside.path().join("one.wasm")).expect("it was written"), poolgate_artifacts::MIDDLEWARE);
    let (code, said) = run(&["middlewear", "one.wasm"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("unknown artifact middlewear") && said.contains("envoy-filter"), "{said}");
    assert_eq!(run(&["middleware", "no/such/folder/one.wasm"]).0, Some(1));
    assert_eq!(run(&["--help"]).0, Some(0));
    assert_eq!(run(&[]).0, Some(2));
}

/// In the workspace, the tests' features are unified with the host's, so such a use would compile. The package alone would not compile.
#[test]
fn the_host_uses_no_guest_that_is_not_published() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let artifacts = fs::read_to_string(root.join("guest/artifacts/src/lib.rs")).expect("the source");
    let (_, guests) = artifacts.split_once("mod test_guests {").expect("the guests for tests");
    let names = guests.lines().filter_map(|line| line.trim().strip_prefix("pub const ")?.split(':').next());
    let names: Vec<&str> = names.collect();
    assert!(names.contains(&"ECHO") && names.contains(&"ENVOY_FILTER_TEST"), "{names:?}");
    let (mut folders, mut files) = (vec![root.join("host/src")], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            files += 1;
            let source = fs::read_to_string(&entry).expect("the source");
            for word in source.split(|character: char| character != '_' && !character.is_ascii_alphanumeric()) {
                assert!(!names.contains(&word), "{} has {word}", entry.display());
            }
        }
    }
    assert!(files > 20, "the host's files");
}

/// `tar` is available on every build machine, so no dependency is needed for this.
fn tar(mut archive: impl std::io::Read, folder: &Path) {
    let mut tar = Command::new("tar");
    // With the current time: files in packages have a time stamp of 2006, and cargo would reuse the build of another version.
    tar.args(["-x", "-m", "-C"]).arg(folder).stdin(std::process::Stdio::piped());
    let mut tar = tar.spawn().expect("tar runs");
    std::io::copy(&mut archive, &mut tar.stdin.take().expect("a pipe")).expect("the archive is whole");
    assert!(tar.wait().expect("tar ends").success());
}

#[test]
fn artifacts_contain_no_path_of_the_build_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").display().to_string();
    let home = env::home_dir().expect("a home folder").display().to_string();
    let cargo_home = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    for artifact in PUBLISHED {
        for folder in [&root, &cargo_home, &format!("{home}/.rustup")] {
            let is_named = artifact.bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
            assert!(!is_named, "{} names {folder}", artifact.name);
        }
    }
}

#[test]
fn every_artifact_contains_its_version_and_licence() {
    for artifact in PUBLISHED.iter().filter(|artifact| artifact.extension == "wasm") {
        let mut depth = 0;
        let mut said = Vec::new();
        for payload in Parser::new(0).parse_all(artifact.bytes) {
            match payload.expect("WebAssembly") {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::CustomSection(section) if depth == 0 => {
                    said.push((section.name().to_owned(), String::from_utf8_lossy(section.data()).into_owned()));
                }
                _ => {}
            }
        }
        let says = |name: &str, data: &str| said.contains(&(name.to_owned(), data.to_owned()));
        assert!(
            says("version", env!("CARGO_PKG_VERSION")) && says("licenses", "Apache-2.0"),
            "{}: {said:?}",
            artifact.name
        );
        assert!(
            said.iter().any(|(name, data)| name == "description" && data.starts_with("poolgate")),
            "{}",
            artifact.name
        );
    }
}

#[test]
fn the_contract_is_a_wit_package_as_text_and_as_webassembly() {
    let DecodedWasm::WitPackage(resolve, package) =
        wit_component::decode(poolgate_artifacts::CONTRACT).expect("it is WebAssembly")
    else {
        panic!("the artifact is a component, not a package");
    };
    assert_eq!(resolve.packages[package].name.to_string(), format!("poolgate:auth@{}", env!("CARGO_PKG_VERSION")));
    let worlds: Vec<&str> = resolve.packages[package].worlds.keys().map(String::as_str).collect();
    assert_eq!(worlds, ["token-verifier", "request-gate", "account-flows", "authenticator"]);

    let mut read = wit_parser::Resolve::default();
    let again = read.push_str("contract.wit", poolgate_artifacts::CONTRACT_TEXT).expect("the text is WIT, and whole");
    let encoded = |resolve, package| wit_component::encode(resolve, package).expect("a package");
    assert_eq!(encoded(&read, again), encoded(&resolve, package), "the text and the binary are the same package");
    assert!(read.packages[again].docs.contents.is_some(), "the text contains the documentation");
}
