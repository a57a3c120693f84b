//! Replays the committed fuzzing corpus on stable Rust. This detects errors that return, and targets or inputs that no longer work.
//!
//! A fuzzing run creates new inputs and needs a nightly compiler: see `fuzz/README.md`.

use libtest_mimic::{Arguments, Failed, Trial};
use poolgate_fuzz::{TARGETS, Target};
use poolgate_tests::{
    corpus::cases,
    keys::{OTHER_P256, P256, RSA_2048, pem},
    minting::unbase64url,
};
use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// The maximum total size of a target's committed inputs, in bytes.
const MOST: usize = 100 * 1_024;

fn main() {
    let mut trials: Vec<Trial> = TARGETS
        .iter()
        .map(|target| Trial::test(format!("the_corpus_of_{}_hurts_no_oracle", target.name), || replay(target)))
        .collect();
    trials.extend([
        Trial::test("the_tokens_and_keys_of_the_conformance_corpus_hurt_no_oracle", feed_conformance_corpus),
        Trial::test("every_target_has_a_corpus_and_a_libfuzzer_binary_of_its_name", names_agree),
    ]);
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn replay(target: &Target) -> Result<(), Failed> {
    let folder = folder().join("corpus").join(target.name);
    let (mut inputs, mut bytes) = (0, 0);
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let input = fs::read(&path)?;
        inputs += 1;
        bytes += input.len();
        feed(target, &input).map_err(|said| format!("{}: {said}", path.display()))?;
    }
    println!("{}: {inputs} inputs, {bytes} bytes", target.name);
    match inputs > 0 && bytes <= MOST {
        true => Ok(()),
        false => Err(format!("{inputs} inputs of {bytes} bytes: there must be some, and no more than {MOST}").into()),
    }
}

/// Runs a target on an input. If an oracle fails, returns the message of its panic.
fn feed(target: &Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|said| {
        let text = said.downcast_ref::<String>().cloned();
        text.or_else(|| said.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

fn feed_conformance_corpus() -> Result<(), Failed> {
    for case in cases() {
        let named = |said: String| format!("{}: {said}", case.name);
        let limit = u16::try_from(case.config.limits.token_bytes).unwrap_or(u16::MAX).to_le_bytes();
        feed(&target("compact"), &[&limit[..], case.token.as_bytes()].concat()).map_err(named)?;
        // The first byte is the depth less 4.
        let depth = u8::try_from(case.config.limits.json_depth - 4)?;
        for part in case.token.split('.').filter(|part| is_base64url(part)) {
            feed(&target("json"), &[&[depth][..], &unbase64url(part)].concat()).map_err(named)?;
        }
        for seed in &case.seeds {
            feed(&target("jwks"), &[&[11, 0][..], seed.jwks.as_bytes()].concat()).map_err(named)?;
        }
    }
    // Each process has other keys.
    for key in [pem(&P256.jwk("")), pem(&OTHER_P256.jwk("")), RSA_2048.public_pem()] {
        feed(&target("pem"), &[&[0][..], key.as_bytes()].concat()).map_err(|said| format!("{key}: {said}"))?;
    }
    Ok(())
}

fn target(name: &str) -> Target {
    TARGETS.into_iter().find(|target| target.name == name).expect("a target of this name")
}

fn is_base64url(part: &str) -> bool {
    let last = part.bytes().last();
    let is_canonical = match part.len() % 4 {
        0 => true,
        1 => false,
        2 => last.is_some_and(|last| b"AQgw".contains(&last)),
        _ => last.is_some_and(|last| b"AEIMQUYcgkosw048".contains(&last)),
    };
    is_canonical && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn names_agree() -> Result<(), Failed> {
    let names = |folder: &Path| -> Result<BTreeSet<String>, Failed> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(folder)? {
            names.extend(entry?.path().file_stem().and_then(|name| name.to_str()).map(str::to_owned));
        }
        Ok(names)
    };
    let stated: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let corpora = names(&folder().join("corpus"))?;
    let binaries = names(&folder().join("libfuzzer/fuzz_targets"))?;
    if stated == corpora && stated == binaries {
        Ok(())
    } else {
        Err(format!("targets {stated:?}, corpora {corpora:?}, binaries {binaries:?}").into())
    }
}
