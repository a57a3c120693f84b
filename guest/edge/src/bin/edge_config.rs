//! The configuration's JSON Schema, and a check of a configuration.

use clap::{Parser, Subcommand};
use poolgate_edge::{Config, Gate, config};
use std::{
    fs,
    io::{Read, stdin},
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

/// Checks configurations of poolgate's Envoy filter, and prints their JSON Schema.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the JSON Schema (2020-12).
    Schema,
    /// Checks a configuration as Envoy would: exit code 0 if it is good, 1 if not, 2 if it can't be read.
    Check {
        /// The file; standard input if it is "-".
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Schema => {
            println!("{:#}", schemars::schema_for!(Config).to_value());
            ExitCode::SUCCESS
        }
        Command::Check { file } => {
            let mut text = Vec::new();
            let read = match file.as_os_str() == "-" {
                true => stdin().read_to_end(&mut text).map(|_| ()),
                false => fs::read(&file).map(|read| text = read),
            };
            if let Err(error) = read {
                eprintln!("{}: {error}", file.display());
                return ExitCode::from(2);
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
            match config::read(&text).and_then(|config| Gate::new(&config, now, 0)) {
                Ok(_) => {
                    println!("good");
                    ExitCode::SUCCESS
                }
                Err(fault) => {
                    eprintln!("{fault}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}
