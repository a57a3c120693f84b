//! `poolgate config`: the configuration of the gate, the filter and the middleware.

mod explain;
mod file;
mod request;
mod rules;

use super::{
    arguments::{CheckArguments, ConfigArguments, ConfigCommand},
    output::{self, CommandError, Outcome},
    shown,
};
pub use file::{builder, read};
use poolgate::{BuildError, Gate, GateConfigError};
use serde_json::{Value, json};

pub async fn run(arguments: &ConfigArguments) -> Result<Outcome, CommandError> {
    match &arguments.command {
        ConfigCommand::Check(arguments) => check(arguments).await,
        ConfigCommand::Schema => output::conclude(Outcome::Allowed, false, || Value::Null, |_| Gate::SCHEMA.to_owned()),
        ConfigCommand::Explain(arguments) => explain::run(arguments).await,
    }
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
