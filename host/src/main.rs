//! The `poolgate` command.
#![forbid(unsafe_code)]

mod command;

/// Passwords, codes and tokens leave nothing behind in memory that was freed, whoever copied them: hyper, the SDK, serde.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    command::run().await
}
