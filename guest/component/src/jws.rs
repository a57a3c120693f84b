//! The `jws` interface: verifies signatures without claims.

use crate::{
    Component,
    bindings::exports::poolgate::auth::{
        jws::{Guest, GuestKeySet, KeySet as KeySetHandle, VerifiedJws},
        verifier::{Algorithm, Denial, KeyReport, KeySetError},
    },
    configuration::core_algorithm,
    translation::{algorithm, denial, key_report, key_set_error},
};
use poolgate_core::{
    KeyState, Limits,
    jwa::Algorithms,
    keys::{KeySet, UnnamedKeys},
};

/// Returns the default limits, except that a JWS may have 1 MiB: it often comes from a file.
fn limits() -> Limits {
    Limits { token_bytes: 1 << 20, ..Limits::default() }
}

impl Guest for Component {
    type KeySet = AllowedKeys;
}

/// A JWK Set, and the algorithms that may be used with it.
pub struct AllowedKeys {
    keys: KeySet,
    allowed: Algorithms,
}

impl GuestKeySet for AllowedKeys {
    fn parse(jwks: Vec<u8>, algorithms: Vec<Algorithm>) -> Result<KeySetHandle, KeySetError> {
        let keys = KeySet::parse(&jwks, &limits()).map_err(key_set_error)?;
        let allowed = match algorithms.as_slice() {
            [] => Algorithms::built(),
            allowed => allowed.iter().copied().map(core_algorithm).collect(),
        };
        Ok(KeySetHandle::new(Self { keys, allowed }))
    }

    fn report(&self) -> KeyReport {
        key_report(poolgate_core::KeyReport {
            state: KeyState::Fresh,
            generation: 1,
            ..self.keys.report(UnnamedKeys::Accepted)
        })
    }

    fn verify(&self, compact: String) -> Result<VerifiedJws, Denial> {
        let jws = poolgate_core::jws::verify(&compact, &self.keys, self.allowed, &limits()).map_err(denial)?;
        Ok(VerifiedJws {
            algorithm: algorithm(jws.algorithm),
            key_id: jws.key_id.map(Into::into),
            header: jws.header,
            payload: jws.payload,
        })
    }

    fn verify_detached(
        &self,
        algorithm: Algorithm,
        key_id: Option<String>,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), Denial> {
        let algorithm = core_algorithm(algorithm);
        poolgate_core::jws::verify_detached(
            &self.keys,
            self.allowed,
            algorithm,
            key_id.as_deref(),
            &message,
            &signature,
        )
        .map_err(denial)
    }
}
