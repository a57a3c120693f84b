//! One instance in a store of its own, and the doors it sees.

use super::Sandbox;
use crate::{
    bindings::{
        TokenVerifier,
        exports::poolgate::auth::verifier::{Config, ConfigError, KeyReport, SeedError},
        poolgate::auth::key_source::{self, FetchError, KeyResponse},
        wasi::clocks::wall_clock::{self, Datetime},
    },
    clock::Clock,
    key_source::SharedKeySource,
    verdict::{Denial, Verified},
};
use std::sync::Arc;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, Trap, UpdateDeadline, component::HasData};

/// An instance of the component. After a [`Failure`] it must not be used again.
pub(crate) struct Instance {
    pub(crate) store: Store<Guest>,
    pub(crate) bindings: TokenVerifier,
    deadline_ticks: u64,
}

/// The sandbox failed: the call has no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It ran past its deadline.
    Deadline,
    /// It trapped, or ran out of memory.
    Trap,
}

/// What the host keeps for an instance: the doors, and the limits.
pub(crate) struct Guest {
    clock: Arc<dyn Clock>,
    keys: Option<Arc<SharedKeySource>>,
    limits: StoreLimits,
    /// Set when an import waited: the time spent outside is not the guest's.
    waited: bool,
}

impl Instance {
    /// Starts an instance. Without a key source, every fetch is refused.
    pub(crate) async fn start(
        sandbox: &Sandbox,
        clock: Arc<dyn Clock>,
        keys: Option<Arc<SharedKeySource>>,
    ) -> Result<Self, Failure> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(sandbox.bounds.memory_bytes)
            .table_elements(10_000)
            .trap_on_grow_failure(true)
            .build();
        let deadline_ticks = sandbox.bounds.deadline_ticks();
        let mut store = Store::new(&sandbox.engine, Guest { clock, keys, limits, waited: false });
        store.limiter(|guest| &mut guest.limits);
        store.set_epoch_deadline(deadline_ticks);
        store.epoch_deadline_callback(move |mut context| {
            if std::mem::take(&mut context.data_mut().waited) {
                Ok(UpdateDeadline::Continue(deadline_ticks))
            } else {
                Err(Trap::Interrupt.into())
            }
        });
        let bindings = sandbox.component.instantiate_async(&mut store).await.map_err(failure)?;
        Ok(Self { store, bindings, deadline_ticks })
    }

    pub(crate) async fn configure(&mut self, config: &Config) -> Result<Result<(), ConfigError>, Failure> {
        self.begin_call();
        self.bindings.poolgate_auth_verifier().call_configure(&mut self.store, config).await.map_err(failure)
    }

    pub(crate) async fn verify(&mut self, token: &str) -> Result<Result<Verified, Denial>, Failure> {
        self.begin_call();
        let verdict = self.bindings.poolgate_auth_verifier().call_verify(&mut self.store, token).await;
        verdict.map(|verdict| verdict.map(Into::into).map_err(Into::into)).map_err(failure)
    }

    pub(crate) async fn seed_keys(
        &mut self,
        issuer: &str,
        jwks: &[u8],
        fetched_at: u64,
    ) -> Result<Result<KeyReport, SeedError>, Failure> {
        self.begin_call();
        let verifier = self.bindings.poolgate_auth_verifier();
        verifier.call_seed_keys(&mut self.store, issuer, jwks, fetched_at).await.map_err(failure)
    }

    pub(crate) async fn key_reports(&mut self) -> Result<Vec<KeyReport>, Failure> {
        self.begin_call();
        self.bindings.poolgate_auth_verifier().call_key_reports(&mut self.store).await.map_err(failure)
    }

    /// Gives the next call its full time.
    pub(crate) fn begin_call(&mut self) {
        self.store.data_mut().waited = false;
        self.store.set_epoch_deadline(self.deadline_ticks);
    }
}

/// A trap's text names functions and offsets, never data.
pub(crate) fn failure(error: wasmtime::Error) -> Failure {
    let failure = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Failure::Deadline,
        _ => Failure::Trap,
    };
    tracing::error!(?failure, error = format!("{error:#}"), "the sandbox failed; the instance is replaced");
    failure
}

impl HasData for Guest {
    type Data<'a> = &'a mut Guest;
}

impl key_source::Host for Guest {
    async fn fetch(&mut self, url: String) -> Result<KeyResponse, FetchError> {
        let response = match &self.keys {
            Some(keys) => keys.fetch(&url).await,
            None => Err(FetchError::Refused),
        };
        self.waited = true;
        response
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
