//! The cost of the RSA public operation inside the runtime, by build and key size, compared with native aws-lc-rs and with the `rsa` crate in
//! the same runtime.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use criterion::{Criterion, criterion_group, criterion_main};
use poolgate_artifacts::{PROBE_PLAIN, PROBE_RELAXED, PROBE_SIMD, PROBE_WIDE};
use poolgate_core::Algorithm;
use poolgate_tests::keys::{RSA_2048, RSA_3072, TestKey};
use std::hint::black_box;
use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

const MESSAGE: &[u8] = b"the signed message";
/// Offsets in the buffer of the probe (`guest/fixtures/probe`).
const SIGNATURE: usize = 512;
const DIGEST: usize = 1_536;
/// Operations per call, so that the cost of the call is negligible.
const AT_ONCE: u32 = 16;

struct Probe {
    store: Store<()>,
    run: TypedFunc<(u32, u32), u32>,
    length: u32,
}

impl Probe {
    fn start(wasm: &[u8], export: &str, key: &TestKey) -> Self {
        let mut config = Config::new();
        config.wasm_wide_arithmetic(true);
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::new(&engine, wasm).expect("the probe compiles");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it starts");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        let buffer = instance.get_typed_func::<(), u32>(&mut store, "buffer").expect("an export");
        let at = buffer.call(&mut store, ()).expect("no trap") as usize;
        let (modulus, signature) = (key.modulus(), key.sign(Algorithm::Rs256, MESSAGE));
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, MESSAGE);
        for (offset, bytes) in [(0, &modulus[..]), (SIGNATURE, &signature), (DIGEST, digest.as_ref())] {
            memory.write(&mut store, at + offset, bytes).expect("it fits");
        }
        let length = modulus.len() as u32;
        let set_key = instance.get_typed_func::<u32, ()>(&mut store, "set_key").expect("an export");
        set_key.call(&mut store, length).expect("no trap");
        let run = instance.get_typed_func(&mut store, export).expect("an export");
        Self { store, run, length }
    }

    fn run(&mut self) {
        let done = self.run.call(&mut self.store, (self.length, AT_ONCE)).expect("no trap");
        assert_eq!(black_box(done), AT_ONCE, "a valid signature was rejected");
    }
}

fn kernels(criterion: &mut Criterion) {
    for (size, key) in [("RSA-2048", &RSA_2048), ("RSA-3072", &RSA_3072)] {
        let mut group = criterion.benchmark_group(format!("{AT_ONCE} public operations, {size}"));
        for (name, wasm, export) in [
            ("wide", PROBE_WIDE, "fastest"),
            ("relaxed SIMD", PROBE_RELAXED, "fastest"),
            ("SIMD", PROBE_SIMD, "fastest"),
            ("plain", PROBE_PLAIN, "fastest"),
            ("rsa crate, plain", PROBE_PLAIN, "peer"),
        ] {
            let mut probe = Probe::start(wasm, export, key);
            group.bench_function(name, |bencher| bencher.iter(|| probe.run()));
        }
        let pem = key.public_pem();
        let der = pem_to_der(&pem);
        let peer = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).expect("a key");
        let signature = key.sign(Algorithm::Rs256, MESSAGE);
        group.bench_function("aws-lc-rs, native, with the hash", |bencher| {
            bencher.iter(|| {
                for _ in 0..AT_ONCE {
                    assert!(black_box(peer.verify_sig(MESSAGE, &signature)).is_ok());
                }
            });
        });
        group.finish();
    }
}

/// Decodes PEM (RFC 7468).
fn pem_to_der(pem: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).expect("base64")
}

criterion_group!(benches, kernels);
criterion_main!(benches);
