//! `poolgate config`: the configuration of the gate, the filter and the middleware.

mod explain;
mod request;
mod rules;

use super::{
    arguments::{CheckArguments, ConfigArguments, ConfigCommand},
    cache::compilation_cache,
    output::{self, CommandError, Outcome},
    shown,
};
use poolgate::{BuildError, Gate, GateBuilder, GateConfigError};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, stdin},
    path::Path,
};

pub async fn run(arguments: &ConfigArguments) -> Result<Outcome, CommandError> {
    match &arguments.command {
        ConfigCommand::Check(arguments) => check(arguments).await,
        ConfigCommand::Schema => output::conclude(Outcome::Allowed, false, || Value::Null, |_| Gate::SCHEMA.to_owned()),
        ConfigCommand::Explain(arguments) => explain::run(arguments).await,
    }
}

/// A builder of the gate that a file configures.
pub fn builder(json: String, allow_http_loopback: bool) -> GateBuilder {
    let builder = Gate::builder(json).allow_http_loopback(allow_http_loopback);
    match compilation_cache() {
        Some(directory) => builder.compilation_cache(directory),
        None => builder,
    }
}

/// Reads a configuration. It must be UTF-8.
pub fn read(file: &Path) -> Result<String, CommandError> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => stdin().read_to_string(&mut text).map(|_| ()),
        false => fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|error| CommandError::Usage(format!("{}: {error}", file.display())))?;
    Ok(text)
}

async fn check(arguments: &CheckArguments) -> Result<Outcome, CommandError> {
    let json = read(&arguments.file)?;
    let problem = |problem: &GateConfigError| json!({"at": problem.at, "message": problem.message});
    match builder(json, arguments.allow_http_loopback).check().await {
        Ok(warnings) => {
            if !arguments.json {
                warnings.iter().for_each(|warning| output::notify(&shown::line(&format!("warning: {warning}"))));
            }
            let object = || json!({"valid": true, "warnings": warnings.iter().map(problem).collect::<Vec<_>>()});
            output::conclude(Outcome::Allowed, arguments.json, object, |palette| palette.success("valid") + "\n")
        }
        Err(error @ (BuildError::Gate(_) | BuildError::KeyUrl(_) | BuildError::Discovery(_))) => {
            let (at, message) = match &error {
                BuildError::Gate(problem) => (problem.at.clone(), problem.message.clone()),
                error => ("pools".to_owned(), error.to_string()),
            };
            let text = shown::line(&format!("{at}{}{message}", if at.is_empty() { "" } else { ": " }));
            let object = || json!({"valid": false, "warnings": [], "error": {"at": at, "message": message}});
            if arguments.json {
                return output::conclude(Outcome::Denied, true, object, |_| String::new());
            }
            output::notify(&format!("error: {text}"));
            Ok(Outcome::Denied)
        }
        Err(error) => Err(error.into()),
    }
}
