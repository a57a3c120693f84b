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
mod shown;
mod verify;

use arguments::{Arguments, Command};
use clap::Parser;
use output::Outcome;
use std::{
    env,
    io::{self, IsTerminal, Write},
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
            let _ = write!(io::stderr(), "{}", output::masked(&usage_error(&error)));
            return Outcome::BadUsage.into();
        }
        // Help and version.
        Err(error) => error.exit(),
    };
    // A server warns its operator; a command has said all when it has ended.
    let level = if matches!(arguments.command, Command::Serve(_)) { LevelFilter::WARN } else { LevelFilter::ERROR };
    tracing_subscriber::fmt()
        .with_env_filter(log_filter(level))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // It would panic where standard error is closed.
        .log_internal_errors(false)
        .init();
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
        // Whoever read our output has gone before all of it was there.
        Err(error) if error.is_broken_pipe() => Outcome::Unavailable.into(),
        Err(error) => {
            output::tell(&format!("poolgate: {}", output::masked(&error.to_string())));
            Outcome::BadUsage.into()
        }
    }
}

/// What is of this level, and why no compiled code is kept; or what `RUST_LOG` says.
fn log_filter(level: LevelFilter) -> EnvFilter {
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    let is_stated = env::var_os(EnvFilter::DEFAULT_ENV).is_some_and(|value| !value.is_empty());
    let more = if is_stated { &[][..] } else { &["poolgate::sandbox::code_cache=warn"] };
    let directives = COMPILER.iter().chain(more);
    directives.filter_map(|directive| directive.parse().ok()).fold(filter, EnvFilter::add_directive)
}

/// In colour where someone sees it, unless it repeats an argument that would be obeyed by a terminal.
fn usage_error(error: &clap::Error) -> String {
    let text = error.render();
    let plain = text.to_string();
    match shown::lines(&plain) == plain && io::stderr().is_terminal() {
        true => text.ansi().to_string(),
        false => shown::lines(&plain),
    }
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
