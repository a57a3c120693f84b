//! One instance in a store of its own, and the doors it sees.

use super::{Sandbox, SandboxGauges, claims::ClaimsByHandle, memory::MemoryLimit};
use crate::{
    bindings::{
        TokenVerifier,
        exports::poolgate::auth::verifier::{
            self, CacheHit, Config, ConfigError, KeyReport, KeySetError, NewlyVerified, RevocationMode,
            RevocationStatus, VerifyOutcome,
        },
        poolgate::auth::key_source::{self, FetchError, KeyResponse},
        wasi::clocks::wall_clock::{self, Datetime},
    },
    clock::Clock,
    key_source::{FetchRequest, Fetches, KeyEvent, KeyEventKind, LocalKeySet},
    verdict::Verified,
};
use std::sync::Arc;
use wasmtime::{Store, Trap, component::HasData};

/// An instance of the component. After a [`Failure`] it must not be used again.
///
/// Its calls never wait for anything outside: what it asks the key source for comes with a later call.
pub(crate) struct Instance {
    pub(crate) store: Store<Guest>,
    pub(crate) bindings: TokenVerifier,
    deadline_ticks: u64,
    claims: ClaimsByHandle,
    is_fresh: bool,
}

/// The sandbox failed: the call has no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It ran past its deadline.
    Deadline,
    /// It asked for more memory than it may have.
    Memory,
    /// It trapped.
    Trap,
}

impl Failure {
    pub(crate) const ALL: [Self; 3] = [Self::Deadline, Self::Memory, Self::Trap];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Failure::Deadline => "deadline",
            Failure::Memory => "memory",
            Failure::Trap => "trap",
        }
    }
}

/// What the host keeps for an instance: the doors, and the limits.
pub(crate) struct Guest {
    clock: Arc<dyn Clock>,
    keys: Option<Arc<Fetches>>,
    memory: MemoryLimit,
    /// The number of the last entry of the event log that it was told of.
    applied_up_to: u64,
}

impl Instance {
    /// Starts an instance. Without a key source, every fetch is refused.
    pub(crate) fn start(
        sandbox: &Sandbox,
        clock: Arc<dyn Clock>,
        keys: Option<Arc<Fetches>>,
        gauges: SandboxGauges,
    ) -> Result<Self, Failure> {
        let memory = MemoryLimit::new(sandbox.limits.memory_bytes, gauges);
        let deadline_ticks = sandbox.limits.deadline_ticks();
        let mut store = Store::new(&sandbox.engine, Guest { clock, keys, memory, applied_up_to: 0 });
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(deadline_ticks);
        let bindings = sandbox.component.instantiate(&mut store);
        let bindings = bindings.map_err(|error| failure(&store, &error))?;
        Ok(Self { store, bindings, deadline_ticks, claims: ClaimsByHandle::default(), is_fresh: true })
    }

    pub(crate) fn configure(&mut self, config: &Config) -> Result<Result<(), ConfigError>, Failure> {
        self.call(|bindings, store| bindings.poolgate_auth_verifier().call_configure(store, config))
    }

    pub(crate) fn enable_revocation_check(&mut self, mode: RevocationMode) -> Result<Result<(), ConfigError>, Failure> {
        self.call(|bindings, store| bindings.poolgate_auth_verifier().call_enable_revocation_check(store, mode))
    }

    pub(crate) fn verify(&mut self, token: &str) -> Result<Result<Verified, verifier::Denial>, Failure> {
        self.is_fresh = false;
        let judged = self.call(|bindings, store| bindings.poolgate_auth_verifier().call_verify_cached(store, token))?;
        Ok(match judged {
            Ok(VerifyOutcome::Verified(NewlyVerified { verified, handle })) => {
                let verified = Verified::from(verified);
                if let Some(handle) = handle {
                    self.claims.insert(handle, &verified);
                }
                Ok(verified)
            }
            Ok(VerifyOutcome::Cached(CacheHit { handle, keys_are_stale })) => match self.claims.get(handle) {
                Some(claims) => Ok(Verified { keys_are_stale, ..claims.clone() }),
                // It was remembered by a call that waited for keys, and says no handle.
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
        let verdict = self.call(|bindings, store| bindings.poolgate_auth_verifier().call_verify(store, token))?;
        Ok(verdict.map(Into::into))
    }

    pub(crate) fn verify_after_fetch(
        &mut self,
        token: &str,
        received_at: u64,
    ) -> Result<Result<Verified, verifier::Denial>, Failure> {
        self.is_fresh = false;
        let verdict = self.call(|bindings, store| {
            bindings.poolgate_auth_verifier().call_verify_after_fetch(store, token, received_at)
        })?;
        Ok(verdict.map(Into::into))
    }

    pub(crate) fn verify_with_revocation_status(
        &mut self,
        token: &str,
        status: RevocationStatus,
    ) -> Result<Result<Verified, verifier::Denial>, Failure> {
        self.is_fresh = false;
        let verdict = self.call(|bindings, store| {
            bindings.poolgate_auth_verifier().call_verify_with_revocation_status(store, token, status)
        })?;
        Ok(verdict.map(Into::into))
    }

    pub(crate) fn maintain(&mut self) -> Result<(), Failure> {
        self.call(|bindings, store| bindings.poolgate_auth_verifier().call_maintain(store))
    }

    pub(crate) fn load_key_set(&mut self, seed: &LocalKeySet) -> Result<Result<KeyReport, KeySetError>, Failure> {
        let LocalKeySet { issuer, jwks, fetched_at } = seed;
        self.call(|bindings, store| {
            bindings.poolgate_auth_verifier().call_load_key_set(store, issuer, jwks, *fetched_at)
        })
    }

    pub(crate) fn key_reports(&mut self) -> Result<Vec<KeyReport>, Failure> {
        self.call(|bindings, store| bindings.poolgate_auth_verifier().call_key_reports(store))
    }

    /// Whether it has judged no token yet: then nothing but what it was told of fills its memory, or takes its time.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// The number of the last entry of the event log that it was told of.
    pub(crate) fn applied_up_to(&self) -> u64 {
        self.store.data().applied_up_to
    }

    /// Tells it of an entry of the event log; why it did not take the keys, if it did not.
    pub(crate) fn apply(&mut self, number: u64, entry: &KeyEvent) -> Result<Result<(), KeySetError>, Failure> {
        let taken = match &entry.event {
            KeyEventKind::Loaded(seed) => self.load_key_set(seed)?.map(|_| ()),
            KeyEventKind::Fetched { url, key_id, started_at, ended_at, outcome } => self.call(|bindings, store| {
                let (key_id, outcome) = (key_id.as_deref(), outcome.as_ref().map_err(|error| *error));
                let verifier = bindings.poolgate_auth_verifier();
                verifier.call_keys_fetched(store, url, key_id, *started_at, *ended_at, outcome)
            })?,
        };
        self.store.data_mut().applied_up_to = number;
        Ok(taken)
    }

    /// Makes a call with its full time.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&TokenVerifier, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.store.set_epoch_deadline(self.deadline_ticks);
        call(&self.bindings, &mut self.store).map_err(|error| failure(&self.store, &error))
    }
}

fn failure(store: &Store<Guest>, error: &wasmtime::Error) -> Failure {
    failure_of(store.data().memory.was_refused(), error)
}

/// A trap's text names functions and offsets, never data.
pub(crate) fn failure_of(memory_was_refused: bool, error: &wasmtime::Error) -> Failure {
    let failure = match error.downcast_ref::<Trap>() {
        _ if memory_was_refused => Failure::Memory,
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

impl HasData for Guest {
    type Data<'a> = &'a mut Guest;
}

impl key_source::Host for Guest {
    /// Never waits here: the instance would be of no use to others meanwhile.
    fn fetch(&mut self, url: String, key_id: Option<String>, etag: Option<String>) -> Result<KeyResponse, FetchError> {
        match &self.keys {
            Some(keys) => {
                keys.start(&url, FetchRequest { key_id, etag, applied_up_to: self.applied_up_to });
                Err(FetchError::Deferred)
            }
            None => Err(FetchError::Refused),
        }
    }
}

impl wall_clock::Host for Guest {
    fn now(&mut self) -> Datetime {
        let now = self.clock.now();
        Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() }
    }

    fn resolution(&mut self) -> Datetime {
        Datetime { seconds: 0, nanoseconds: 1 }
    }
}
