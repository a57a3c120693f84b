//! WebAssembly: the engine, one instance, and the pool of them.

mod engine;
mod instance;
mod instances;
mod memory;
mod queue;

pub(crate) use engine::{Bounds, Sandbox};
pub(crate) use instance::{Failure, Guest, Instance};
pub(crate) use instances::{Instances, Shared};
pub(crate) use memory::SandboxGauges;
pub(crate) use queue::{Queue, QueueBounds};
