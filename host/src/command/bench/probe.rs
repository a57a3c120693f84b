//! Runs the probe of `guest/fixtures/probe`: the RSA kernels alone, inside the runtime.

use crate::command::output::CommandError;
use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

/// Offsets in the probe's buffer.
const SIGNATURE: usize = 512;
const DIGEST: usize = 1_536;
const MODULUS_BYTES: u32 = 256;

/// A running build of the probe, with an RSA-2048 key and a signature.
pub struct Probe {
    store: Store<()>,
    run: TypedFunc<(u32, u32), u32>,
}

fn failed<E: std::fmt::Display>(error: E) -> CommandError {
    CommandError::Usage(format!("the probe failed: {error:#}"))
}

impl Probe {
    /// `export` is `fastest` for the kernel, or `peer` for the `rsa` crate.
    pub fn start(
        wasm: &[u8],
        export: &str,
        modulus: &[u8],
        signature: &[u8],
        digest: &[u8],
    ) -> Result<Self, CommandError> {
        let mut config = Config::new();
        config.wasm_wide_arithmetic(true);
        let engine = Engine::new(&config).map_err(failed)?;
        let module = Module::new(&engine, wasm).map_err(failed)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).map_err(failed)?;
        let memory = instance.get_memory(&mut store, "memory").ok_or("no memory").map_err(failed)?;
        let buffer = instance.get_typed_func::<(), u32>(&mut store, "buffer").map_err(failed)?;
        let at = buffer.call(&mut store, ()).map_err(failed)? as usize;
        for (offset, bytes) in [(0, modulus), (SIGNATURE, signature), (DIGEST, digest)] {
            memory.write(&mut store, at + offset, bytes).map_err(failed)?;
        }
        let set_key = instance.get_typed_func::<u32, ()>(&mut store, "set_key").map_err(failed)?;
        set_key.call(&mut store, MODULUS_BYTES).map_err(failed)?;
        let run = instance.get_typed_func(&mut store, export).map_err(failed)?;
        let mut probe = Self { store, run };
        match probe.run(1) {
            1 => Ok(probe),
            _ => Err(failed("it rejects a valid signature")),
        }
    }

    /// Checks the signature `count` times, and returns how often it was valid.
    pub fn run(&mut self, count: u32) -> u32 {
        self.run.call(&mut self.store, (MODULUS_BYTES, count)).unwrap_or_default()
    }
}
