//! `poolgate-edge-config`: prints the configuration's JSON Schema, checks a configuration, and converts one to a component.

use clap::{Parser, Subcommand, ValueEnum};
use poolgate_edge::{Config, ConfigError, RequestAuthorizer, component, config, discovery::DiscoveredIssuers};
use std::{
    fs,
    io::{Read, stdin},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

/// Checks configurations of poolgate's Envoy filter and wasi:http middleware, and prints their JSON Schema.
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
    /// Checks a configuration like the Envoy filter, or like the wasi:http middleware: exit code 0 if it is valid, 1 if not, 2 if the file can't
    /// be read. Warns about keys that can't be used, and rules that never match, always reject, or leave some methods to a weaker rule.
    Check {
        /// The file; standard input if it is "-".
        file: PathBuf,
        /// What the configuration is for.
        #[arg(long = "for", value_enum, default_value_t = Host::Envoy)]
        host: Host,
    },
    /// Checks a configuration like the wasi:http middleware, and writes it as a component that is plugged into the middleware.
    Component {
        /// The file; standard input if it is "-".
        file: PathBuf,
        /// The file to write the component to.
        #[arg(short, long)]
        output: PathBuf,
    },
}

/// What reads the configuration.
#[derive(Clone, Copy, ValueEnum)]
enum Host {
    /// The Envoy filter.
    Envoy,
    /// The wasi:http middleware.
    Middleware,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            eprintln!("{error}");
            ExitCode::from(code)
        }
    }
}

fn run(command: Command) -> Result<(), (u8, String)> {
    match command {
        Command::Schema => println!("{:#}", schemars::schema_for!(Config).to_value()),
        Command::Check { file, host } => {
            warn(&check(&read(&file)?, host).map_err(|error| (1, error.to_string()))?);
            println!("valid");
        }
        Command::Component { file, output } => {
            let text = read(&file)?;
            warn(&check(&text, Host::Middleware).map_err(|error| (1, error.to_string()))?);
            // Valid JSON is UTF-8.
            let component = component::of(&String::from_utf8_lossy(&text)).map_err(|error| (1, error))?;
            fs::write(&output, component).map_err(|error| (2, format!("{}: {error}", output.display())))?;
        }
    }
    Ok(())
}

fn warn(authorizer: &RequestAuthorizer) {
    for warning in authorizer.warnings() {
        eprintln!("warning: {warning}");
    }
}

fn read(file: &Path) -> Result<Vec<u8>, (u8, String)> {
    let mut text = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => stdin().read_to_end(&mut text).map(|_| ()),
        false => fs::read(file).map(|read| text = read),
    };
    read.map(|()| text).map_err(|error| (2, format!("{}: {error}", file.display())))
}

fn check(text: &[u8], host: Host) -> Result<RequestAuthorizer, ConfigError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let config = config::read(text)?;
    let authorizer = RequestAuthorizer::new(&config, now, 0)?;
    match host {
        Host::Envoy => config::fits_envoy(&config)?,
        Host::Middleware => {
            config::fits_middleware(&config, &authorizer.key_urls())?;
            DiscoveredIssuers::new(&config)?;
        }
    }
    Ok(authorizer)
}
