//! Errors in the configuration of a gate, and warnings about it.

use crate::bindings::exports::poolgate::auth::gate::ConfigProblem;
use std::fmt;

/// An error in the configuration of a [`Gate`](crate::Gate), or a warning about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateConfigError {
    /// The position in the configuration, such as `routes[2].methods`. Empty for the whole configuration.
    pub at: String,
    /// What is wrong, and how to correct it.
    pub message: String,
}

impl From<ConfigProblem> for GateConfigError {
    fn from(problem: ConfigProblem) -> Self {
        let ConfigProblem { at, message } = problem;
        Self { at, message }
    }
}

impl fmt::Display for GateConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => formatter.write_str(&self.message),
            at => write!(formatter, "{at}: {}", self.message),
        }
    }
}

impl std::error::Error for GateConfigError {}
