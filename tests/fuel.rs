//! The number of WebAssembly instructions of a verification, counted by the runtime. It does not depend on the machine
//! or its load. The counts are recorded in `fuel.json`. A count must not rise by more than 3 % unless the same commit
//! updates the record: `POOLGATE_WRITE_FUEL=1 cargo test --test fuel`.

mod synchronous_host;

use poolgate_artifacts::{TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use poolgate_core::Algorithm as CoreAlgorithm;
use poolgate_tests::{
    keys::{ED25519, P256, RSA_2048, TestKey, jwks},
    minting::{Draft, ISSUER, NOW},
};
use serde_json::{Value, json};
use std::{env, fs, path::Path};
use synchronous_host::{
    EventLoop,
    bindings::{
        TokenVerifier,
        exports::poolgate::auth::verifier::{Algorithm, CacheLimits, Config, KeyOrigin, Pool, VerifyOutcome},
    },
};
use wasmtime::Store;

/// The maximum ratio of a count to its record.
const TOLERANCE: f64 = 0.03;
/// The number of tokens per row. The instruction count of elliptic curve signatures varies slightly.
const TOKENS: u64 = 16;

/// An instance whose instructions are counted.
struct Meter {
    store: Store<EventLoop>,
    bindings: TokenVerifier,
}

impl Meter {
    fn start(component: &[u8], cache: CacheLimits) -> Self {
        let mut engine = wasmtime::Config::new();
        engine.wasm_wide_arithmetic(true).consume_fuel(true);
        let (store, bindings) = synchronous_host::start(component, &engine);
        let mut meter = Self { store, bindings };
        let verifier = meter.bindings.poolgate_auth_verifier();
        let pool = Pool {
            keys: KeyOrigin::Local,
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::Eddsa],
            ..synchronous_host::pool()
        };
        let config =
            Config { pools: vec![pool], limits: None, key_policy: None, cache: Some(cache), requirements: Vec::new() };
        verifier.call_configure(&mut meter.store, &config).expect("no trap").expect("a valid configuration");
        let keys = [
            RSA_2048.jwk_for(CoreAlgorithm::Rs256, "rsa"),
            P256.jwk_for(CoreAlgorithm::Es256, "ec"),
            ED25519.jwk_for(CoreAlgorithm::EdDsa, "ed"),
        ];
        let loaded = verifier.call_load_key_set(&mut meter.store, ISSUER, jwks(&keys).as_bytes(), NOW);
        loaded.expect("no trap").expect("valid keys");
        meter
    }

    /// Returns the average number of instructions per call.
    fn count(&mut self, tokens: &[String], expected: fn(&Verdict) -> bool) -> u64 {
        let before = self.store.get_fuel().expect("it counts");
        for token in tokens {
            let verdict =
                self.bindings.poolgate_auth_verifier().call_verify_cached(&mut self.store, token).expect("no trap");
            assert!(expected(&verdict.map_err(|denial| denial.reason as usize)), "an unexpected verdict");
        }
        (before - self.store.get_fuel().expect("it counts")) / tokens.len() as u64
    }
}

type Verdict = Result<VerifyOutcome, usize>;

fn tokens(key: &'static TestKey, algorithm: CoreAlgorithm, key_id: &str, expires: u64) -> Vec<String> {
    let draft =
        || Draft::access(key).signed_with(key, algorithm).header("kid", format!("\"{key_id}\"")).claim("exp", expires);
    (0..TOKENS).map(|number| draft().claim("jti", format!("\"{number:036}\"")).compact()).collect()
}

fn counted() -> Value {
    let none = CacheLimits { bytes: 0, entries: 0 };
    let some = CacheLimits { bytes: 512 * 1024, entries: 1_024 };
    let (valid, past) = (NOW + 3_600, NOW - 1);
    let rsa = tokens(&RSA_2048, CoreAlgorithm::Rs256, "rsa", valid);
    let expired = tokens(&RSA_2048, CoreAlgorithm::Rs256, "rsa", past);
    let ec = tokens(&P256, CoreAlgorithm::Es256, "ec", valid);
    let ed = tokens(&ED25519, CoreAlgorithm::EdDsa, "ed", valid);
    let builds = [("wide", TOKEN_VERIFIER_WIDE), ("simd", TOKEN_VERIFIER_SIMD), ("portable", TOKEN_VERIFIER_PORTABLE)];
    let rows = builds.map(|(build, component)| {
        let mut plain = Meter::start(component, none);
        let mut caching = Meter::start(component, some);
        let is_new = |verdict: &Verdict| matches!(verdict, Ok(VerifyOutcome::Verified(_)));
        let is_cached = |verdict: &Verdict| matches!(verdict, Ok(VerifyOutcome::Cached(_)));
        let first = caching.count(&rsa, is_new);
        let row = json!({
            "rs256": plain.count(&rsa, is_new),
            "rs256-and-cached": first,
            "cached": caching.count(&rsa, is_cached),
            "expired": plain.count(&expired, Result::is_err),
            "es256": plain.count(&ec, is_new),
            "eddsa": plain.count(&ed, is_new),
        });
        (build.to_owned(), row)
    });
    Value::Object(rows.into_iter().collect())
}

#[test]
fn a_verification_takes_no_more_instructions_than_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuel.json");
    let counted = counted();
    if env::var_os("POOLGATE_WRITE_FUEL").is_some() {
        let text = serde_json::to_string_pretty(&counted).expect("JSON");
        fs::write(&path, text + "\n").expect("the file is written");
    }
    let recorded: Value = serde_json::from_str(&fs::read_to_string(&path).expect("fuel.json exists")).expect("JSON");
    let mut risen = Vec::new();
    for (build, rows) in counted.as_object().expect("builds") {
        for (row, count) in rows.as_object().expect("rows") {
            let (count, record) = (count.as_f64().expect("a count"), recorded[build][row].as_f64().unwrap_or(0.0));
            println!("{build} {row}: {count}, recorded {record} ({:+.2} %)", (count / record - 1.0) * 100.0);
            if count > record * (1.0 + TOLERANCE) {
                risen.push(format!("{build} {row}: {count} instructions, recorded are {record}"));
            }
        }
    }
    assert!(risen.is_empty(), "{}\nIf this must be, run it with POOLGATE_WRITE_FUEL=1.", risen.join("\n"));
}
