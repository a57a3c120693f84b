//! The command line: one file a subcommand.

mod account;
mod arguments;
mod batch;
mod bench;
mod connection;
mod demo;
mod input;
mod inspect;
mod jws;
mod output;
mod serve;
mod verify;

use arguments::{Arguments, Command};
use clap::Parser;
use output::Outcome;
use std::{
    env,
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// What compiles the component tells gigabytes at the level of traces, and nothing of what happens here.
const COMPILER: [&str; 5] = [
    "cranelift_codegen=warn",
    "cranelift_frontend=warn",
    "regalloc2=warn",
    "wasmtime_environ=warn",
    "wasmtime_internal_cranelift=warn",
];

/// Parses the arguments (bad usage exits with 2) and runs the subcommand.
pub async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            eprint!("{}", output::masked(&usage_error(&error)));
            return Outcome::BadUsage.into();
        }
        // Help and version.
        Err(error) => error.exit(),
    };
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into()).from_env_lossy();
    let filter = COMPILER.iter().filter_map(|quiet| quiet.parse().ok()).fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Jws(arguments) => jws::run(arguments).await,
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Account(arguments) => account::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Bench(arguments) => bench::run(&arguments).await,
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        // Whoever reads our output has seen enough.
        Err(error) if error.is_broken_pipe() => Outcome::Allowed.into(),
        Err(error) => {
            eprintln!("poolgate: {}", output::masked(&error.to_string()));
            Outcome::BadUsage.into()
        }
    }
}

fn usage_error(error: &clap::Error) -> String {
    let text = error.render();
    if io::stderr().is_terminal() { text.ansi().to_string() } else { text.to_string() }
}

/// Where compiled code is kept between runs: `POOLGATE_CACHE_DIR`, else a folder of the user's cache directory. An empty
/// `POOLGATE_CACHE_DIR` turns the cache off.
fn compilation_cache() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let directory = match variable("POOLGATE_CACHE_DIR") {
        Some(directory) => directory,
        None => match variable("XDG_CACHE_HOME").filter(|home| home.is_absolute()) {
            Some(cache) => cache.join("poolgate"),
            None => variable("HOME")?.join(".cache/poolgate"),
        },
    };
    directory.is_absolute().then_some(directory)
}
