//! The bounds on an instance's memory and tables, and a count of what all instances have.

use prometheus_client::metrics::gauge::Gauge;
use wasmtime::{ResourceLimiter, Result, bail};

/// The most elements of a table: function references, whose number is fixed when the component is built.
const TABLE_ELEMENTS: usize = 10_000;

/// What all instances of a verifier have.
#[derive(Clone, Debug, Default)]
pub(crate) struct SandboxGauges {
    pub(crate) instances: Gauge,
    pub(crate) memory: Gauge,
}

/// Asked whenever an instance grows.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    gauges: SandboxGauges,
    was_refused: bool,
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize, gauges: SandboxGauges) -> Self {
        gauges.instances.inc();
        Self { limit, used: 0, gauges, was_refused: false }
    }

    /// Whether the instance has asked for more than it may have.
    pub(crate) fn was_refused(&self) -> bool {
        self.was_refused
    }
}

impl ResourceLimiter for MemoryLimit {
    /// An error traps: an allocation that fails inside the sandbox would do so later, and less clearly.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let grown = desired.saturating_sub(current);
        if self.used.saturating_add(grown) > self.limit {
            self.was_refused = true;
            bail!("memory over the limit of {} bytes", self.limit);
        }
        self.used += grown;
        self.gauges.memory.inc_by(signed(grown));
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.was_refused = true;
            bail!("a table over the limit of {TABLE_ELEMENTS} elements");
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
