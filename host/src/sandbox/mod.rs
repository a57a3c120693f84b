//! WebAssembly: the engine, one instance, and the pool of them.

mod claims;
pub(crate) mod code_cache;
mod engine;
mod instance;
mod instances;
mod memory;
mod queue;

pub(crate) use engine::{ResourceLimits, Sandbox, engine};
pub(crate) use instance::{Failure, Guest, Instance, failure_of};
pub(crate) use instances::{Instances, Shared};
pub(crate) use memory::{MemoryLimit, SandboxGauges};
pub(crate) use queue::{Queue, QueueLimits};
