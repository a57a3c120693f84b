//! An instance of the component, in its own store.

use super::{claims::ClaimsByHandle, engine::Sandbox, exports::Exports, guest::Guest, memory::MemoryLimit};
use crate::{
    bindings::exports::poolgate::auth::verifier::{
        self, CacheHit, Config, ConfigError, KeyReport, KeySetError, NewlyVerified, RevocationMode, RevocationStatus,
        VerifyOutcome,
    },
    clock::Clock,
    explanation::Explanation,
    failure::Failure,
    id_token_checks::IdTokenChecks,
    key_source::{Fetches, KeyEvent, KeyEventKind, LocalKeySet},
    metrics::SandboxGauges,
    verdict::Verified,
};
use std::sync::Arc;
use wasmtime::{Store, Trap};

/// The deadline of a call that reads the configuration: 30 s, in ticks of 5 ms.
const START_TICKS: u64 = 6_000;

/// An instance of the component. After a [`Failure`] it must not be used again.
///
/// Its calls never wait for I/O. If a call needs keys, it starts a fetch; the fetched keys are applied before a later call.
pub(crate) struct Instance {
    pub(crate) store: Store<Guest>,
    pub(crate) exports: Exports,
    deadline_ticks: u64,
    pub(super) claims: ClaimsByHandle,
    pub(super) is_new: bool,
}

impl Instance {
    /// Starts an instance. Without a key source, every fetch is rejected.
    pub(crate) fn start(
        sandbox: &Sandbox,
        clock: Arc<dyn Clock>,
        keys: Option<Arc<Fetches>>,
        gauges: SandboxGauges,
    ) -> Result<Self, Failure> {
        let memory = MemoryLimit::new(sandbox.limits.memory_bytes, gauges);
        let deadline_ticks = sandbox.limits.deadline_ticks();
        let mut store = Store::new(&sandbox.engine, Guest::new(clock, keys, memory));
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(deadline_ticks);
        let exports = sandbox.component.instantiate(&mut store);
        let exports = exports.map_err(|error| failure(&store, &error))?;
        Ok(Self { store, exports, deadline_ticks, claims: ClaimsByHandle::default(), is_new: true })
    }

    pub(crate) fn configure(&mut self, config: &Config) -> Result<Result<(), ConfigError>, Failure> {
        self.call(|exports, store| exports.verifier.call_configure(store, config))
    }

    pub(crate) fn enable_revocation_check(&mut self, mode: RevocationMode) -> Result<Result<(), ConfigError>, Failure> {
        self.call(|exports, store| exports.verifier.call_enable_revocation_check(store, mode))
    }

    pub(crate) fn verify(&mut self, token: &str) -> Result<Result<Verified, verifier::Denial>, Failure> {
        self.is_new = false;
        let outcome = self.call(|exports, store| exports.verifier.call_verify_cached(store, token))?;
        Ok(match outcome {
            Ok(VerifyOutcome::Verified(NewlyVerified { verified, handle })) => {
                let verified = Verified::from(verified);
                if let Some(handle) = handle {
                    self.claims.insert(handle, &verified);
                }
                Ok(verified)
            }
            Ok(VerifyOutcome::Cached(CacheHit { handle, keys_are_stale })) => match self.claims.get(handle) {
                Some(claims) => Ok(Verified { keys_are_stale, ..claims.clone() }),
                // The token was cached by a call that waited for keys. Such a call returns no cache handle, so the
                // claims are not stored yet.
                None => {
                    let verdict = self.verify_in_full(token)?;
                    if let Ok(verified) = &verdict {
                        self.claims.insert(handle, verified);
                    }
                    verdict
                }
            },
            Err(denial) => Err(denial),
        })
    }

    fn verify_in_full(&mut self, token: &str) -> Result<Result<Verified, verifier::Denial>, Failure> {
        let verdict = self.call(|exports, store| exports.verifier.call_verify(store, token))?;
        Ok(verdict.map(Into::into))
    }

    pub(crate) fn verify_after_fetch(
        &mut self,
        token: &str,
        received_at: u64,
    ) -> Result<Result<Verified, verifier::Denial>, Failure> {
        self.is_new = false;
        let verdict =
            self.call(|exports, store| exports.verifier.call_verify_after_fetch(store, token, received_at))?;
        Ok(verdict.map(Into::into))
    }

    pub(crate) fn verify_with_revocation_status(
        &mut self,
        token: &str,
        status: RevocationStatus,
    ) -> Result<Result<Verified, verifier::Denial>, Failure> {
        self.is_new = false;
        let verdict =
            self.call(|exports, store| exports.verifier.call_verify_with_revocation_status(store, token, status))?;
        Ok(verdict.map(Into::into))
    }

    pub(crate) fn check_id_token(
        &mut self,
        token: &str,
        checks: &IdTokenChecks,
    ) -> Result<Result<(), verifier::Denial>, Failure> {
        let (nonce, access_token) = (checks.nonce_text(), checks.access_token_text());
        self.call(|exports, store| exports.verifier.call_check_id_token(store, token, nonce, access_token))
    }

    pub(crate) fn explain(&mut self, token: &str) -> Result<Explanation, Failure> {
        self.is_new = false;
        let explained = self.call(|exports, store| exports.verifier.call_explain(store, token))?;
        Ok(explained.into())
    }

    pub(crate) fn maintain(&mut self) -> Result<(), Failure> {
        self.call(|exports, store| exports.verifier.call_maintain(store))
    }

    pub(crate) fn load_key_set(&mut self, key_set: &LocalKeySet) -> Result<Result<KeyReport, KeySetError>, Failure> {
        let LocalKeySet { issuer, jwks, fetched_at } = key_set;
        self.call(|exports, store| exports.verifier.call_load_key_set(store, issuer, jwks, *fetched_at))
    }

    pub(crate) fn key_reports(&mut self) -> Result<Vec<KeyReport>, Failure> {
        self.call(|exports, store| exports.verifier.call_key_reports(store))
    }

    /// Returns `true` if the instance has verified no token yet. Then only key events can have used up its memory or its time.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns the number of the last event of the event log that the instance has applied.
    pub(crate) fn applied_up_to(&self) -> u64 {
        self.store.data().applied_up_to
    }

    /// Applies an event of the event log. Returns an error if the component rejects the key set.
    pub(crate) fn apply(&mut self, number: u64, event: &KeyEvent) -> Result<Result<(), KeySetError>, Failure> {
        let result = match &event.kind {
            KeyEventKind::Loaded(key_set) => self.load_key_set(key_set)?.map(|_| ()),
            KeyEventKind::Fetched { url, key_id, started_at, ended_at, outcome } => self.call(|exports, store| {
                let (key_id, outcome) = (key_id.as_deref(), outcome.as_ref().map_err(|error| *error));
                exports.verifier.call_keys_fetched(store, url, key_id, *started_at, *ended_at, outcome)
            })?,
        };
        self.store.data_mut().applied_up_to = number;
        Ok(result)
    }

    /// Makes a call that depends on the configuration alone, and not on a request. It may take longer, because it must not fail on a busy machine:
    /// the deadline is wall time.
    pub(super) fn call_at_start<T>(
        &mut self,
        call: impl FnOnce(&Exports, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.store.set_epoch_deadline(self.deadline_ticks.max(START_TICKS));
        call(&self.exports, &mut self.store).map_err(|error| failure(&self.store, &error))
    }

    /// Makes a call, with a new deadline.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&Exports, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.store.set_epoch_deadline(self.deadline_ticks);
        call(&self.exports, &mut self.store).map_err(|error| failure(&self.store, &error))
    }
}

fn failure(store: &Store<Guest>, error: &wasmtime::Error) -> Failure {
    failure_of(store.data().memory.was_exceeded(), error)
}

/// Classifies an error of wasmtime and logs it. The text of a trap contains function names and offsets, but no data.
pub(crate) fn failure_of(memory_limit_was_exceeded: bool, error: &wasmtime::Error) -> Failure {
    let failure = match error.downcast_ref::<Trap>() {
        _ if memory_limit_was_exceeded => Failure::Memory,
        Some(Trap::Interrupt) => Failure::Deadline,
        _ => Failure::Trap,
    };
    tracing::error!(
        kind = failure.name(),
        error = format!("{error:#}"),
        "the sandbox failed; the instance is replaced"
    );
    failure
}
