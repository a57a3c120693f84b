//! Signatures without claims, in the same sandbox: for checking keys and signatures.

use crate::{
    Algorithm, BuildError, Denial, KeyReport, KeySetError, LoadKeySetError, VerifiedJws,
    bindings::TokenVerifier,
    clock::SystemClock,
    sandbox::{Failure, Guest, Instance, ResourceLimits, Sandbox, SandboxGauges},
    verifier::compile,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use wasmtime::{Store, component::ResourceAny};

/// The longest compact JWS, in bytes; the component's own limit.
const COMPACT_LIMIT: usize = 1 << 20;

/// Verifies compact JWS with any payload against one JWK Set. One call at a time; nothing is ever fetched.
pub struct JwsVerifier {
    sandbox: Sandbox,
    jwks: Vec<u8>,
    algorithms: Vec<Algorithm>,
    /// Lost when the sandbox fails, and started anew by the next call.
    warm: Option<(Instance, ResourceAny)>,
}

impl JwsVerifier {
    /// Takes a JWK Set, with the built-in component. An empty list of algorithms means every one.
    ///
    /// # Errors
    /// [`BuildError`] for the sandbox, and [`BuildError::KeySet`] for the set.
    pub async fn new(
        compilation_cache: Option<PathBuf>,
        jwks: impl Into<Vec<u8>>,
        algorithms: impl Into<Vec<Algorithm>>,
    ) -> Result<Self, BuildError> {
        Self::with_component(poolgate_artifacts::TOKEN_VERIFIER_WIDE, compilation_cache, jwks, algorithms).await
    }

    /// The same with another component of the world `token-verifier`.
    ///
    /// # Errors
    /// As [`JwsVerifier::new`].
    pub async fn with_component(
        component: impl Into<Arc<[u8]>>,
        compilation_cache: Option<PathBuf>,
        jwks: impl Into<Vec<u8>>,
        algorithms: impl Into<Vec<Algorithm>>,
    ) -> Result<Self, BuildError> {
        let limits = ResourceLimits { memory_bytes: 64 * 1024 * 1024, call_deadline: Duration::from_secs(10) };
        let sandbox = compile(component.into(), compilation_cache, limits).await?;
        let mut verifier = Self { sandbox, jwks: jwks.into(), algorithms: algorithms.into(), warm: None };
        match verifier.start() {
            Ok(Ok(())) => Ok(verifier),
            Ok(Err(error)) => Err(BuildError::KeySet(LoadKeySetError::Rejected(error))),
            Err(_) => Err(BuildError::KeySet(LoadKeySetError::Sandbox)),
        }
    }

    /// The keys in use and the ones skipped.
    ///
    /// # Errors
    /// A [`Denial`] if the sandbox fails.
    pub async fn report(&mut self) -> Result<KeyReport, Denial> {
        self.call(|bindings, store, key_set| bindings.poolgate_auth_jws().key_set().call_report(store, key_set))
    }

    /// Verifies the grammar and the signature of a compact JWS of at most 1 MiB.
    ///
    /// # Errors
    /// A [`Denial`], which holds no part of the JWS.
    pub async fn verify(&mut self, compact: &str) -> Result<VerifiedJws, Denial> {
        if compact.len() > COMPACT_LIMIT {
            return Err(Denial::TOKEN_TOO_LARGE);
        }
        let verdict = self.call(|bindings, store, key_set| {
            bindings.poolgate_auth_jws().key_set().call_verify(store, key_set, compact)
        });
        verdict?.map(Into::into).map_err(Into::into)
    }

    /// Verifies a signature over any bytes, as test vectors bring them. Without a key ID, the set must hold exactly one
    /// usable key.
    ///
    /// # Errors
    /// A [`Denial`].
    pub async fn verify_detached(
        &mut self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Denial> {
        let verdict = self.call(|bindings, store, key_set| {
            let interface = bindings.poolgate_auth_jws().key_set();
            interface.call_verify_detached(store, key_set, algorithm, key_id, message, signature)
        });
        verdict?.map_err(Into::into)
    }

    fn start(&mut self) -> Result<Result<(), KeySetError>, Failure> {
        let gauges = SandboxGauges::default();
        let mut instance = Instance::start(&self.sandbox, Arc::new(SystemClock), None, gauges)?;
        let parsed = instance.call(|bindings, store| {
            bindings.poolgate_auth_jws().key_set().call_parse(store, &self.jwks, &self.algorithms)
        });
        Ok(parsed?.map(|key_set| self.warm = Some((instance, key_set))))
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&TokenVerifier, &mut Store<Guest>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, Denial> {
        if self.warm.is_none() {
            self.start()?.map_err(|_| Failure::Trap)?;
        }
        // Taken out: what fails does not come back.
        let (mut instance, key_set) = self.warm.take().ok_or(Failure::Trap)?;
        let outcome = instance.call(|bindings, store| call(bindings, store, key_set))?;
        self.warm = Some((instance, key_set));
        Ok(outcome)
    }
}
