//! The RSA kernels, natively and in a WebAssembly runtime in each build (wide arithmetic, SIMD, portable). Each is
//! compared with num-bigint for random numbers, edge cases and every RSA signature of Wycheproof.
//!
//! `cargo run --release -p poolgate-rsa --example differential -- SEED COUNT` runs more cases.

#[path = "../guest/rsa/tests/cases/mod.rs"]
mod cases;

use cases::{Case, Generator, with_num_bigint};
use poolgate_artifacts::{PROBE_PLAIN, PROBE_RELAXED, PROBE_SIMD, PROBE_WIDE};
use poolgate_tests::wycheproof_vectors::sets;
use serde_json::Value;
use wasmtime::{Config, Engine, Instance, Memory, Module, Store, TypedFunc};

/// The offsets at which the probe expects its input (`guest/fixtures/probe`).
const SIGNATURE: usize = 512;
const MESSAGE: usize = 1_024;

/// The number of cases for each build: a part of those of the example.
const CASES: usize = 1_500;

/// An instance of a build of the probe.
struct Probe {
    name: &'static str,
    store: Store<()>,
    memory: Memory,
    buffer: usize,
    set_key: TypedFunc<u32, ()>,
    fastest: TypedFunc<(u32, u32), u32>,
}

impl Probe {
    fn start(name: &'static str, wasm: &[u8]) -> Self {
        let mut config = Config::new();
        config.wasm_wide_arithmetic(true);
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::new(&engine, wasm).expect("the probe compiles");
        assert_eq!(module.imports().count(), 0, "{name}: it needs nothing");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it starts");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        let buffer = instance.get_typed_func::<(), u32>(&mut store, "buffer").expect("an export");
        let buffer = buffer.call(&mut store, ()).expect("no trap") as usize;
        let set_key = instance.get_typed_func(&mut store, "set_key").expect("an export");
        let fastest = instance.get_typed_func(&mut store, "fastest").expect("an export");
        Self { name, store, memory, buffer, set_key, fastest }
    }

    fn all() -> [Self; 4] {
        [("wide", PROBE_WIDE), ("relaxed", PROBE_RELAXED), ("simd", PROBE_SIMD), ("plain", PROBE_PLAIN)]
            .map(|(name, wasm)| Self::start(name, wasm))
    }

    fn message(&mut self, case: &Case) -> Option<Vec<u8>> {
        let length = case.modulus.len();
        self.memory.write(&mut self.store, self.buffer, &case.modulus).expect("it fits");
        self.memory.write(&mut self.store, self.buffer + SIGNATURE, &case.signature).expect("it fits");
        self.set_key.call(&mut self.store, length as u32).expect("no trap");
        let done = self.fastest.call(&mut self.store, (length as u32, 1)).expect("no trap");
        let mut message = vec![0; length];
        self.memory.read(&self.store, self.buffer + MESSAGE, &mut message).expect("the message is in memory");
        (done == 1).then_some(message)
    }
}

#[test]
fn in_every_build_the_kernel_agrees_with_num_bigint() {
    let mut probes = Probe::all();
    let mut generator = Generator::new(20_261_124);
    for number in 0..CASES {
        let case = generator.next_case();
        let expected = with_num_bigint(&case);
        for probe in &mut probes {
            assert_eq!(probe.message(&case), expected, "{}, case {number}: {case:x?}", probe.name);
        }
    }
}

#[test]
fn natively_every_kernel_agrees_with_two_other_implementations() {
    let mut generator = Generator::new(8_017);
    for number in 0..CASES {
        let case = generator.next_case();
        if let Err(difference) = cases::check(&case) {
            panic!("case {number}: {difference}\n{case:x?}");
        }
    }
}

/// Returns the moduli and signatures of every Wycheproof set with a key that the kernels support.
fn wycheproof_cases() -> Vec<Case> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut cases = Vec::new();
    for set in sets() {
        for group in &set.groups {
            let keys: Value = serde_json::from_str(&group.jwks).expect("a JWK Set");
            let key = &keys["keys"][0];
            let number = |name: &str| key[name].as_str().map(|text| URL_SAFE_NO_PAD.decode(text).expect("base64url"));
            let (Some(modulus), Some(exponent)) = (number("n"), number("e")) else { continue };
            if exponent != [1, 0, 1] || ![256, 384, 512].contains(&modulus.len()) {
                continue;
            }
            let signatures = group.vectors.iter().map(|vector| &vector.signature);
            let whole = signatures.filter(|signature| signature.len() == modulus.len());
            cases.extend(whole.map(|signature| Case { modulus: modulus.clone(), signature: signature.clone() }));
        }
    }
    cases
}

#[test]
fn every_rsa_signature_of_wycheproof_gives_the_same_message_in_every_kernel_and_build() {
    let mut probes = Probe::all();
    let cases = wycheproof_cases();
    assert!(cases.len() > 1_000, "only {} signatures", cases.len());
    for case in &cases {
        if let Err(difference) = cases::check(case) {
            panic!("{difference}\n{case:x?}");
        }
        let expected = with_num_bigint(case);
        for probe in &mut probes {
            assert_eq!(probe.message(case), expected, "{}: {case:x?}", probe.name);
        }
    }
    println!("{} signatures", cases.len());
}
