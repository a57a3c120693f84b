//! The `poolgate` command.
#![forbid(unsafe_code)]

mod command;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    command::run().await
}
