//! An error in a configuration.

use std::fmt;

/// An error in a configuration, or a warning about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The position in the configuration, such as `routes[2].methods`. Empty for the whole configuration.
    pub path: String,
    /// What is wrong, and how to correct it.
    pub message: String,
}

impl ConfigError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str(&self.message),
            path => write!(formatter, "{path}: {}", self.message),
        }
    }
}

impl std::error::Error for ConfigError {}
