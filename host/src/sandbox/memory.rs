//! The limits on the memory and the tables of an instance.

use crate::metrics::SandboxGauges;
use wasmtime::{ResourceLimiter, Result, bail};

/// The maximum number of elements of a table. Tables hold function references, whose number is fixed when the component is built.
const TABLE_ELEMENTS: usize = 10_000;

/// The limiter of one instance. wasmtime calls it whenever a memory or a table of the instance grows.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    gauges: SandboxGauges,
    was_exceeded: bool,
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize, gauges: SandboxGauges) -> Self {
        gauges.instances.inc();
        Self { limit, used: 0, gauges, was_exceeded: false }
    }

    /// Returns `true` if the instance has tried to grow beyond a limit.
    pub(crate) fn was_exceeded(&self) -> bool {
        self.was_exceeded
    }
}

impl ResourceLimiter for MemoryLimit {
    /// Returns an error, which traps, if the limit is exceeded. If the growth failed without a trap, the allocation failure would
    /// be reported later and without its cause.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let grown = desired.saturating_sub(current);
        if self.used.saturating_add(grown) > self.limit {
            self.was_exceeded = true;
            bail!("memory limit of {} bytes exceeded", self.limit);
        }
        self.used += grown;
        self.gauges.memory.inc_by(signed(grown));
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.was_exceeded = true;
            bail!("table limit of {TABLE_ELEMENTS} elements exceeded");
        }
        Ok(true)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.gauges.instances.dec();
        self.gauges.memory.dec_by(signed(self.used));
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
