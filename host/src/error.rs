//! Errors of building a verifier and of loading a key set.

use crate::{
    bindings::exports::poolgate::auth::verifier::{ConfigError, KeySetError},
    gate::GateConfigError,
    key_source::{DiscoveryConfigError, KeyUrlError},
};
use std::{fmt, time::Duration};

/// The error of [`VerifierBuilder::build`](crate::VerifierBuilder::build) and of the other builders of this crate.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool does not configure this required setting. Configure it, or disable the check explicitly.
    MissingSetting(&'static str),
    /// A pool sets this list twice, so that it is ambiguous which one applies. Set it once, with all names.
    DuplicateSetting(&'static str),
    /// The configuration is invalid, for example because two pools have the same issuer, or a limit is out of range.
    InvalidConfig(ConfigError),
    /// The configuration of a [`Gate`](crate::Gate) is invalid.
    Gate(GateConfigError),
    /// The URL of a JWKS endpoint is invalid or not allowed.
    KeyUrl(KeyUrlError),
    /// Discovery can't be used as it was configured.
    Discovery(DiscoveryConfigError),
    /// A JWK Set could not be loaded.
    KeySet(LoadKeySetError),
    /// This required environment variable is not set.
    Environment(&'static str),
    /// The settings of the account flows are invalid, as described by the text.
    Accounts(String),
    /// The root certificate is not a certificate in PEM format.
    Certificate,
    /// The time-out of the revocation store is not shorter than the verifier's deadline for it.
    RevocationDeadline {
        /// The time-out of the store: [`Revocations::timeout`](crate::revocation::Revocations::timeout).
        timeout: Duration,
        /// The deadline of the verifier: [`VerifierBuilder::revocation_deadline`](crate::VerifierBuilder::revocation_deadline).
        deadline: Duration,
    },
    /// The component could not be compiled or started, for the reason in the text.
    Sandbox(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::MissingSetting(what) => {
                write!(formatter, "missing setting: {what}. Configure it, or disable the check explicitly")
            }
            BuildError::DuplicateSetting(list) => {
                write!(formatter, "{list} is set twice; set it once, with all names")
            }
            BuildError::InvalidConfig(error) => {
                write!(formatter, "the configuration is invalid: {} ({})", error.message(), error.name())
            }
            BuildError::Gate(error) => write!(formatter, "the configuration is invalid: {error}"),
            BuildError::KeyUrl(error) => error.fmt(formatter),
            BuildError::Discovery(error) => error.fmt(formatter),
            BuildError::KeySet(error) => error.fmt(formatter),
            BuildError::Environment(name) => write!(formatter, "the environment variable {name} is not set"),
            BuildError::Accounts(text) => write!(formatter, "the settings of the account flows are invalid: {text}"),
            BuildError::Certificate => formatter.write_str("the root certificate is not a certificate in PEM format"),
            BuildError::RevocationDeadline { timeout, deadline } => write!(
                formatter,
                "the time-out of the revocation store ({timeout:?}) must be shorter than the verifier's deadline for it ({deadline:?}), \
                 or a dead connection is never detected; half of the deadline is recommended"
            ),
            BuildError::Sandbox(text) => write!(formatter, "the sandbox could not be started: {text}"),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<KeyUrlError> for BuildError {
    fn from(error: KeyUrlError) -> Self {
        BuildError::KeyUrl(error)
    }
}

impl From<DiscoveryConfigError> for BuildError {
    fn from(error: DiscoveryConfigError) -> Self {
        BuildError::Discovery(error)
    }
}

/// Why a JWK Set could not be loaded. The current keys stay in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadKeySetError {
    /// The JWK Set is invalid or cannot be used.
    Rejected(KeySetError),
    /// The sandbox failed, or no instance was free in time.
    Sandbox,
}

impl fmt::Display for LoadKeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadKeySetError::Rejected(error) => {
                write!(formatter, "the JWK Set is rejected: {} ({})", error.message(), error.name())
            }
            LoadKeySetError::Sandbox => formatter.write_str("the JWK Set could not be loaded: the sandbox failed"),
        }
    }
}

impl std::error::Error for LoadKeySetError {}
