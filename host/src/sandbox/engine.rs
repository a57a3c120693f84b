//! The engine, the compiled component, and the thread that advances the epoch for call deadlines.

use super::{code_cache, exports::ExportsPre, guest::Guest};
use crate::{BuildError, bindings::RequestGate};
use std::{path::PathBuf, sync::Arc, thread, time::Duration};
use wasmtime::{
    Config, Engine,
    component::{Component, Linker},
};

/// The resolution of deadlines.
const TICK: Duration = Duration::from_millis(5);

/// Limits on what one call may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResourceLimits {
    /// The maximum linear memory of an instance, in bytes.
    pub(crate) memory_bytes: usize,
    /// The maximum time that a call may run in the sandbox. The wait for a key fetch does not count.
    pub(crate) call_deadline: Duration,
}

impl ResourceLimits {
    /// Returns the deadline in ticks, rounded up, plus one because the first tick can follow immediately.
    pub(crate) fn deadline_ticks(&self) -> u64 {
        u64::try_from(self.call_deadline.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX - 1) + 1
    }
}

/// A compiled component, ready to be instantiated.
pub(crate) struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) component: ExportsPre,
    pub(crate) limits: ResourceLimits,
}

impl Sandbox {
    /// Compiles a component on a thread for blocking work.
    pub(crate) async fn compile(
        wasm: Arc<[u8]>,
        cache: Option<PathBuf>,
        limits: ResourceLimits,
    ) -> Result<Self, BuildError> {
        tokio::task::spawn_blocking(move || Self::compile_blocking(&wasm, cache, limits))
            .await
            .map_err(|error| BuildError::Sandbox(error.to_string()))?
    }

    /// Compiles a component. This takes about a second of CPU time, or a file read if the cache contains the code.
    pub(crate) fn compile_blocking(
        wasm: &[u8],
        cache: Option<PathBuf>,
        limits: ResourceLimits,
    ) -> Result<Self, BuildError> {
        let failed = |error: wasmtime::Error| BuildError::Sandbox(format!("{error:#}"));
        let engine = engine(cache)?;
        let component = Component::new(&engine, wasm).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        RequestGate::add_to_linker::<_, Guest>(&mut linker, |guest| guest).map_err(failed)?;
        let component = linker.instantiate_pre(&component).and_then(ExportsPre::new).map_err(failed)?;
        Ok(Self { engine, component, limits })
    }
}

/// Creates an engine, and starts the thread that advances its epoch.
pub(crate) fn engine(cache: Option<PathBuf>) -> Result<Engine, BuildError> {
    let engine = Engine::new(&config(cache)).map_err(|error| BuildError::Sandbox(format!("{error:#}")))?;
    start_epoch_thread(&engine)?;
    Ok(engine)
}

fn config(cache: Option<PathBuf>) -> Config {
    let mut config = Config::new();
    config.wasm_wide_arithmetic(true).epoch_interruption(true);
    config.cache(cache.and_then(|directory| code_cache::open(&directory)));
    config
}

/// Starts a thread that advances the engine's epoch until the engine is dropped.
fn start_epoch_thread(engine: &Engine) -> Result<(), BuildError> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("poolgate-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .map(|_| ())
        .map_err(|error| BuildError::Sandbox(error.to_string()))
}
