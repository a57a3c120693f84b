//! The `poolgate` command.
#![forbid(unsafe_code)]

mod command;

/// Overwrites freed memory with zeros, so that passwords, codes and tokens do not remain there, whichever library copied them.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    command::run().await
}
