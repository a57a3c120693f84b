//! What an instance is configured as.

use super::instance::Instance;
use crate::{
    BuildError,
    bindings::exports::poolgate::auth::verifier::{Config, RevocationMode},
    failure::Failure,
    gate::GateConfigError,
};
use std::sync::Arc;

/// What an instance is configured as: a verifier with pools, or a gate.
pub(crate) enum Configuration {
    Verifier(Config),
    Gate {
        /// The configuration as JSON.
        json: Arc<str>,
        jitter_seed: u64,
    },
}

impl Configuration {
    /// Configures a new instance.
    pub(super) fn apply(
        &self,
        instance: &mut Instance,
        revocation_mode: Option<RevocationMode>,
    ) -> Result<Result<(), BuildError>, Failure> {
        if let Some(mode) = revocation_mode
            && let Err(error) = instance.enable_revocation_check(mode)?
        {
            return Ok(Err(BuildError::InvalidConfig(error)));
        }
        Ok(match self {
            Self::Verifier(config) => instance.configure(config)?.map_err(BuildError::InvalidConfig),
            Self::Gate { json, jitter_seed } => {
                let configured = instance.configure_gate(json, *jitter_seed)?;
                configured.map(|_| ()).map_err(|problem| BuildError::Gate(GateConfigError::from(problem)))
            }
        })
    }
}
