//! The command line: one module per subcommand.

mod account;
mod arguments;
mod batch;
#[cfg(feature = "bench")]
mod bench;
mod cache;
mod config;
mod connection;
mod demo;
mod discovery_warnings;
mod explain;
mod input;
mod inspect;
mod issuer;
mod jws;
mod open_files;
mod output;
mod policy;
mod pools;
mod revocation;
mod serve;
mod shown;
mod verify;

use arguments::{Arguments, Command};
use clap::Parser;
use output::Outcome;
use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// The compiler's log at the level `trace` has gigabytes, so only its warnings are logged.
const COMPILER: [&str; 5] = [
    "cranelift_codegen=warn",
    "cranelift_frontend=warn",
    "regalloc2=warn",
    "wasmtime_environ=warn",
    "wasmtime_internal_cranelift=warn",
];

/// Parses the arguments and runs the subcommand. Invalid usage exits with 2.
pub async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(mut error) if error.use_stderr() => {
            serve::add_hint(&mut error);
            let _ = write!(io::stderr(), "{}", output::masked(&usage_error(&error)));
            return Outcome::BadUsage.into();
        }
        // `--help` and `--version`.
        Err(error) => error.exit(),
    };
    // The gateway logs warnings for its operator. The other commands report everything in their output.
    let level = if matches!(arguments.command, Command::Serve(_)) { LevelFilter::WARN } else { LevelFilter::ERROR };
    tracing_subscriber::fmt()
        .with_env_filter(log_filter(level))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // Otherwise it would panic if standard error is closed.
        .log_internal_errors(false)
        .init();
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Jws(arguments) => jws::run(arguments).await,
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Issuer(arguments) => issuer::run(&arguments).await,
        Command::Account(arguments) => account::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Config(arguments) => config::run(&arguments).await,
        #[cfg(feature = "bench")]
        Command::Bench(arguments) => bench::run(&arguments).await,
        #[cfg(not(feature = "bench"))]
        Command::Bench(_) => {
            output::notify(
                "error: this build has no benchmark. In poolgate's repository, run `cargo run --release --features bench -- bench`; \
                 to install the command with it, add `--features bench` to `cargo install`.",
            );
            Ok(Outcome::BadUsage)
        }
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        // The reader closed the output before it was complete.
        Err(error) if error.is_broken_pipe() => Outcome::Unavailable.into(),
        Err(error) => {
            output::notify(&format!("error: {}", output::masked(&error.to_string())));
            Outcome::BadUsage.into()
        }
    }
}

/// The default filter has this level, and warns if compiled code cannot be cached. `RUST_LOG` replaces it.
fn log_filter(level: LevelFilter) -> EnvFilter {
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    let is_set = env::var_os(EnvFilter::DEFAULT_ENV).is_some_and(|value| !value.is_empty());
    let more = if is_set { &[][..] } else { &["poolgate::sandbox::code_cache=warn"] };
    let directives = COMPILER.iter().chain(more);
    directives.filter_map(|directive| directive.parse().ok()).fold(filter, EnvFilter::add_directive)
}

/// The text of a usage error, in colour on a terminal, unless it repeats an argument with control characters.
fn usage_error(error: &clap::Error) -> String {
    let text = error.render();
    let plain = text.to_string();
    match shown::lines(&plain) == plain && io::stderr().is_terminal() {
        true => text.ansi().to_string(),
        false => shown::lines(&plain),
    }
}
