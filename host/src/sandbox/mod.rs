//! WebAssembly: the engine, one instance, and the pool of them.

mod engine;
mod instance;
mod instances;

pub(crate) use engine::{Bounds, Sandbox};
pub(crate) use instance::{Failure, Instance, failure};
pub(crate) use instances::{Instances, Seed};
