//! For `poolgate bench` and the benchmarks: what no caller of the library needs.

use crate::{
    BuildError, SystemClock,
    sandbox::{Instance, ResourceLimits, Sandbox, SandboxGauges, code_cache},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long it takes to start an instance of a component that is compiled, `count` times; each is dropped before the next.
///
/// # Errors
/// [`BuildError::Sandbox`].
pub fn instantiations(wasm: &[u8], cache: Option<PathBuf>, count: usize) -> Result<Vec<Duration>, BuildError> {
    let limits = ResourceLimits { memory_bytes: 64 << 20, call_deadline: Duration::from_millis(500) };
    let sandbox = Sandbox::compile(wasm, cache, limits)?;
    let failed = |_| BuildError::Sandbox("the component does not start".into());
    (0..count)
        .map(|_| {
            let begun = Instant::now();
            let instance = Instance::start(&sandbox, Arc::new(SystemClock), None, SandboxGauges::default());
            let taken = begun.elapsed();
            instance.map(|_| taken).map_err(failed)
        })
        .collect()
}

/// Whether compiled code is kept in this directory: see [`VerifierBuilder::compilation_cache`](crate::VerifierBuilder::compilation_cache).
pub fn keeps_compiled_code(directory: &Path) -> bool {
    code_cache::open(directory).is_some()
}
