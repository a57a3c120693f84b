//! The WebAssembly sandbox: the engine, an instance of the component, and the pool of instances.

mod claims;
pub(crate) mod code_cache;
mod configuration;
mod engine;
mod exports;
mod gate;
mod generations;
mod guest;
mod instance;
mod instance_pool;
mod memory;
mod queue;
mod step;

pub(crate) use configuration::Configuration;
pub(crate) use engine::{ResourceLimits, Sandbox, engine};
pub(crate) use exports::Exports;
pub(crate) use gate::GateDecision;
pub(crate) use guest::Guest;
pub(crate) use instance::{Instance, failure_of};
pub(crate) use instance_pool::{InstancePool, Shared};
pub(crate) use memory::MemoryLimit;
pub(crate) use queue::QueueLimits;
pub(crate) use step::Step;
