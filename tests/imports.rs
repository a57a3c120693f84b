//! The imports, exports, size and WebAssembly features of each artifact, and the dependencies between the crates.

#[path = "imports/modules.rs"]
mod modules;

use poolgate_artifacts::{
    AUTHENTICATOR, AUTHENTICATOR_WIDE, TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD,
    TOKEN_VERIFIER_WIDE,
};
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};
use wasmparser::{Operator, Parser, Payload, Validator, WasmFeatures};

const ARTIFACTS: [(&str, &[u8]); 4] = [
    ("wide", TOKEN_VERIFIER_WIDE),
    ("simd", TOKEN_VERIFIER_SIMD),
    ("portable", TOKEN_VERIFIER_PORTABLE),
    ("cognito", TOKEN_VERIFIER_COGNITO),
];

/// Returns the imports and exports of the component, without those of the modules in it.
fn imports_and_exports(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("the artifact is WebAssembly") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|import| import.expect("an import").name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| export.expect("an export").name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[test]
fn every_token_verifier_imports_only_the_clock_and_the_key_source() {
    for (name, component) in ARTIFACTS {
        let (imports, exports) = imports_and_exports(component);
        assert_eq!(imports, ["wasi:clocks/wall-clock@0.2.6", "poolgate:auth/key-source@0.1.0"], "{name}");
        assert_eq!(exports, ["poolgate:auth/verifier@0.1.0", "poolgate:auth/jws@0.1.0"], "{name}");
    }
}

#[test]
fn the_authenticator_imports_only_the_clock_the_key_source_and_the_user_pool() {
    for component in [AUTHENTICATOR, AUTHENTICATOR_WIDE] {
        let (imports, exports) = imports_and_exports(component);
        let expected =
            ["wasi:clocks/wall-clock@0.2.6", "poolgate:auth/key-source@0.1.0", "poolgate:auth/user-pool@0.1.0"];
        assert_eq!(imports, expected);
        let expected = ["poolgate:auth/verifier@0.1.0", "poolgate:auth/jws@0.1.0", "poolgate:auth/accounts@0.1.0"];
        assert_eq!(exports, expected);
    }
}

#[test]
fn the_artifacts_are_as_small_as_promised() {
    for (name, component, limit) in [
        ("wide", TOKEN_VERIFIER_WIDE, 880 * 1024),
        ("simd", TOKEN_VERIFIER_SIMD, 880 * 1024),
        ("portable", TOKEN_VERIFIER_PORTABLE, 900 * 1024),
        ("cognito", TOKEN_VERIFIER_COGNITO, 450 * 1024),
        ("authenticator", AUTHENTICATOR, 800 * 1024),
        ("authenticator, wide", AUTHENTICATOR_WIDE, 1040 * 1024),
    ] {
        println!("{name}: {} bytes", component.len());
        assert!(component.len() <= limit, "{name}: {} bytes are over {limit}", component.len());
    }
}

#[test]
fn wide_arithmetic_is_in_the_wide_build_alone() {
    for (name, component, expected) in [
        ("wide", TOKEN_VERIFIER_WIDE, true),
        ("authenticator, wide", AUTHENTICATOR_WIDE, true),
        ("simd", TOKEN_VERIFIER_SIMD, false),
        ("portable", TOKEN_VERIFIER_PORTABLE, false),
        ("cognito", TOKEN_VERIFIER_COGNITO, false),
    ] {
        let is_wide = Parser::new(0).parse_all(component).any(|payload| match payload.expect("WebAssembly") {
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().expect("a function body");
                std::iter::from_fn(|| (!operators.eof()).then(|| operators.read().expect("an operator"))).any(
                    |operator| matches!(operator, Operator::I64MulWideU | Operator::I64MulWideS | Operator::I64Add128),
                )
            }
            _ => false,
        });
        assert_eq!(is_wide, expected, "{name}");
    }
}

#[test]
fn the_portable_builds_need_nothing_beyond_webassembly_2() {
    let features = WasmFeatures::WASM2 | WasmFeatures::COMPONENT_MODEL;
    for (name, component) in
        [("portable", TOKEN_VERIFIER_PORTABLE), ("cognito", TOKEN_VERIFIER_COGNITO), ("authenticator", AUTHENTICATOR)]
    {
        let verdict = Validator::new_with_features(features).validate_all(component);
        assert!(verdict.is_ok(), "{name}: {:?}", verdict.err());
    }
}

/// For each package of the workspace, the other packages of the workspace that it may depend on. Tests and benchmarks may depend on any.
const ARROWS: [(&str, &[&str]); 16] = [
    ("poolgate-path", &[]),
    ("poolgate-revocations", &[]),
    ("poolgate-rsa", &[]),
    ("poolgate-core", &["poolgate-rsa"]),
    ("poolgate-probe", &["poolgate-rsa"]),
    ("poolgate-component", &["poolgate-core", "poolgate-edge"]),
    ("poolgate-edge", &["poolgate-core", "poolgate-path"]),
    ("poolgate-proxy-wasm", &["poolgate-core", "poolgate-edge"]),
    ("poolgate-http", &["poolgate-core", "poolgate-edge"]),
    ("poolgate-echo", &[]),
    ("poolgate-reader", &[]),
    ("poolgate-artifacts", &[]),
    ("poolgate-fuzz", &["poolgate-core", "poolgate-edge", "poolgate-revocations", "poolgate-rsa"]),
    ("poolgate", &["poolgate-artifacts", "poolgate-path", "poolgate-revocations"]),
    ("example-axum", &["poolgate"]),
    ("example-tonic", &["poolgate"]),
];

#[test]
fn arrows_point_from_adapters_to_the_core() {
    let cargo = std::env::var_os("CARGO").expect("cargo runs its tests with CARGO set");
    let output =
        Command::new(cargo).args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"]).output();
    let output = output.expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let ours: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    for package in packages {
        let name = text(&package["name"]);
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let used: BTreeSet<String> = dependencies
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .filter(|dependency| ours.contains(dependency))
            .collect();
        if let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) {
            let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(used, allowed, "the arrows of {name}");
        } else {
            assert!(["poolgate-tests", "tests", "benches"].contains(&name.as_str()), "no arrows are listed for {name}");
        }
    }
}

#[test]
fn the_core_has_no_clock_no_network_and_no_unsafe_code() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/core/src");
    let mut folders = vec![root];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("the core's sources are there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let source = std::fs::read_to_string(&path).expect("a source file");
            let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for word in ["std::", "unsafe {", "SystemTime", "Instant::", "static mut", "wit_bindgen", "wasmtime"] {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
    assert!(files > 15, "only {files} files were read");
}
