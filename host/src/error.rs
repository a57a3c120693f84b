//! Why a verifier could not be built.

use crate::{
    bindings::exports::poolgate::auth::verifier::{ConfigError, KeySetError},
    key_source::KeyUrlError,
};
use std::{fmt, time::Duration};

/// Why a verifier could not be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool says nothing about this; to skip the check, say so.
    MissingSetting(&'static str),
    /// A pool states this list twice: which of them counts, nobody could say.
    DuplicateSetting(&'static str),
    /// The sandbox did not take the configuration.
    InvalidConfig(ConfigError),
    /// A JWK Set's URL is not one that keys are fetched from.
    KeyUrl(KeyUrlError),
    /// A JWK Set was not taken.
    KeySet(LoadKeySetError),
    /// An environment variable that must be set is not.
    Environment(&'static str),
    /// The settings of the accounts are refused. The text says why.
    Accounts(String),
    /// What was given as a root certificate is none.
    Certificate,
    /// The store of revoked tokens has a time-out of its own that is not shorter than the verifier's deadline for it.
    RevocationDeadline {
        /// The store's ([`Revocations::timeout`](crate::revocation::Revocations::timeout)).
        timeout: Duration,
        /// The verifier's ([`VerifierBuilder::revocation_deadline`](crate::VerifierBuilder::revocation_deadline)).
        deadline: Duration,
    },
    /// The component could not be compiled or started. The text says why.
    Sandbox(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::MissingSetting(what) => {
                write!(formatter, "nothing is stated about the {what}: state it, or state that it is not checked")
            }
            BuildError::DuplicateSetting(list) => {
                write!(formatter, "{list} is stated twice: state it once, with all names")
            }
            BuildError::InvalidConfig(error) => {
                write!(formatter, "the configuration is refused: {} ({})", error.message(), error.name())
            }
            BuildError::KeyUrl(error) => error.fmt(formatter),
            BuildError::KeySet(error) => error.fmt(formatter),
            BuildError::Environment(name) => write!(formatter, "the environment variable {name} is not set"),
            BuildError::Accounts(text) => write!(formatter, "the settings of the accounts are refused: {text}"),
            BuildError::Certificate => formatter.write_str("the root certificate is not a certificate in PEM"),
            BuildError::RevocationDeadline { timeout, deadline } => write!(
                formatter,
                "the store of revoked tokens has a time-out of {timeout:?}, and the verifier gives up on it after {deadline:?}: \
                 a connection that is dead would never be noticed. Make the store's time-out shorter, better half of that"
            ),
            BuildError::Sandbox(text) => write!(formatter, "the sandbox did not start: {text}"),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<KeyUrlError> for BuildError {
    fn from(error: KeyUrlError) -> Self {
        BuildError::KeyUrl(error)
    }
}

/// Why a JWK Set was not taken. The keys held before stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadKeySetError {
    /// The sandbox refused it.
    Rejected(KeySetError),
    /// The sandbox failed; nothing was taken.
    Sandbox,
}

impl fmt::Display for LoadKeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadKeySetError::Rejected(error) => {
                write!(formatter, "the JWK Set is refused: {} ({})", error.message(), error.name())
            }
            LoadKeySetError::Sandbox => formatter.write_str("the JWK Set was not taken: the sandbox failed"),
        }
    }
}

impl std::error::Error for LoadKeySetError {}
