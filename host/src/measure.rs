//! Measurements for `poolgate bench` and the benchmarks. This module is not part of the public API.

use crate::{
    BuildError, SystemClock,
    metrics::SandboxGauges,
    sandbox::{Instance, ResourceLimits, Sandbox, code_cache},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Starts an instance of a compiled component `count` times, and returns how long each start took. Each instance is dropped before the
/// next one starts.
///
/// # Errors
///
/// Returns [`BuildError::Sandbox`] if the component cannot be compiled or started.
pub fn instantiations(wasm: &[u8], cache: Option<PathBuf>, count: usize) -> Result<Vec<Duration>, BuildError> {
    let limits = ResourceLimits { memory_bytes: 64 << 20, call_deadline: Duration::from_millis(500) };
    let sandbox = Sandbox::compile_blocking(wasm, cache, limits)?;
    let failed = |_| BuildError::Sandbox("the component could not be started".into());
    (0..count)
        .map(|_| {
            let begun = Instant::now();
            let instance = Instance::start(&sandbox, Arc::new(SystemClock), None, SandboxGauges::default());
            let taken = begun.elapsed();
            instance.map(|_| taken).map_err(failed)
        })
        .collect()
}

/// Returns `true` if this directory can be used as a compilation cache: see
/// [`VerifierBuilder::compilation_cache`](crate::VerifierBuilder::compilation_cache).
pub fn keeps_compiled_code(directory: &Path) -> bool {
    code_cache::open(directory).is_some()
}
