//! Verifies JWS signatures without claims, in the same sandbox.

use crate::{
    Algorithm, BuildError, Denial, KeyReport, KeySetError, LoadKeySetError, VerifiedJws,
    clock::SystemClock,
    failure::Failure,
    metrics::SandboxGauges,
    sandbox::Exports,
    sandbox::{Guest, Instance, ResourceLimits, Sandbox},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use wasmtime::{Store, component::ResourceAny};

/// The maximum length of a compact JWS, in bytes. The component has the same limit.
const COMPACT_LIMIT: usize = 1 << 20;

/// Verifies JWS signatures against one JWK Set. The payload can be any bytes; no claims are checked.
///
/// It makes one call at a time and never fetches keys. Use it to check keys and signatures; use [`Verifier`](crate::Verifier) for tokens.
pub struct JwsVerifier {
    sandbox: Sandbox,
    jwks: Vec<u8>,
    algorithms: Vec<Algorithm>,
    /// The running instance and its key set. `None` after a sandbox failure; the next call starts another.
    warm: Option<(Instance, ResourceAny)>,
}

impl JwsVerifier {
    /// Creates a verifier for a JWK Set, with the built-in component. If `algorithms` is empty, all supported algorithms are accepted.
    ///
    /// # Errors
    ///
    /// * [`BuildError::Sandbox`]: the component could not be compiled or started.
    /// * [`BuildError::KeySet`]: the JWK Set was rejected.
    pub async fn new(
        compilation_cache: Option<PathBuf>,
        jwks: impl Into<Vec<u8>>,
        algorithms: impl Into<Vec<Algorithm>>,
    ) -> Result<Self, BuildError> {
        Self::with_component(poolgate_artifacts::TOKEN_VERIFIER_WIDE, compilation_cache, jwks, algorithms).await
    }

    /// Like [`new`](Self::new), with another component of the world `token-verifier`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`new`](Self::new).
    pub async fn with_component(
        component: impl Into<Arc<[u8]>>,
        compilation_cache: Option<PathBuf>,
        jwks: impl Into<Vec<u8>>,
        algorithms: impl Into<Vec<Algorithm>>,
    ) -> Result<Self, BuildError> {
        let limits = ResourceLimits { memory_bytes: 64 * 1024 * 1024, call_deadline: Duration::from_secs(10) };
        let sandbox = Sandbox::compile(component.into(), compilation_cache, limits).await?;
        let mut verifier = Self { sandbox, jwks: jwks.into(), algorithms: algorithms.into(), warm: None };
        match verifier.start() {
            Ok(Ok(())) => Ok(verifier),
            Ok(Err(error)) => Err(BuildError::KeySet(LoadKeySetError::Rejected(error))),
            Err(_) => Err(BuildError::KeySet(LoadKeySetError::Sandbox)),
        }
    }

    /// Returns a report on the JWK Set: the usable keys, and the skipped keys with the reasons.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] (503) if the sandbox fails.
    pub async fn report(&mut self) -> Result<KeyReport, Denial> {
        self.call(|exports, store, key_set| exports.jws.key_set().call_report(store, key_set))
    }

    /// Verifies the syntax and the signature of a JWS in the compact serialization (RFC 7515 section 7.1). The maximum length is 1 MiB.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] if the JWS is invalid or the sandbox fails. It contains no part of the JWS.
    pub async fn verify(&mut self, compact: &str) -> Result<VerifiedJws, Denial> {
        if compact.len() > COMPACT_LIMIT {
            return Err(Denial::TOKEN_TOO_LARGE);
        }
        let verdict = self.call(|exports, store, key_set| exports.jws.key_set().call_verify(store, key_set, compact));
        verdict?.map(Into::into).map_err(Into::into)
    }

    /// Verifies a signature over a message, as in test vectors. Without a key ID, the JWK Set must contain exactly one usable key.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] if the signature is invalid or the sandbox fails.
    pub async fn verify_detached(
        &mut self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Denial> {
        let verdict = self.call(|exports, store, key_set| {
            let interface = exports.jws.key_set();
            interface.call_verify_detached(store, key_set, algorithm, key_id, message, signature)
        });
        verdict?.map_err(Into::into)
    }

    fn start(&mut self) -> Result<Result<(), KeySetError>, Failure> {
        let gauges = SandboxGauges::default();
        let mut instance = Instance::start(&self.sandbox, Arc::new(SystemClock), None, gauges)?;
        let parsed =
            instance.call(|exports, store| exports.jws.key_set().call_parse(store, &self.jwks, &self.algorithms));
        Ok(parsed?.map(|key_set| self.warm = Some((instance, key_set))))
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&Exports, &mut Store<Guest>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, Denial> {
        if self.warm.is_none() {
            self.start()?.map_err(|_| Failure::Trap)?;
        }
        // After a failure the instance is not put back.
        let (mut instance, key_set) = self.warm.take().ok_or(Failure::Trap)?;
        let outcome = instance.call(|exports, store| call(exports, store, key_set))?;
        self.warm = Some((instance, key_set));
        Ok(outcome)
    }
}
