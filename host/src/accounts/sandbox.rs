//! Runs every operation in a new instance, so that no password, code or session outlives its call.

use super::{
    bindings::{
        AccountFlows, AccountFlowsPre,
        exports::poolgate::auth::accounts::{AccountError, Settings},
    },
    cognito::{Cognito, SrpSignIn},
    guest::Guest,
};
use crate::{
    BuildError,
    clock::Clock,
    failure::Failure,
    metrics::SandboxGauges,
    sandbox::{MemoryLimit, engine, failure_of},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use wasmtime::{
    Store, Trap, UpdateDeadline,
    component::{Component, Linker},
};

/// The maximum linear memory of an instance, in bytes.
const MEMORY_LIMIT: usize = 16 << 20;
/// The maximum time that an instance may run, excluding the wait for Cognito.
const RUN_LIMIT: Duration = Duration::from_millis(500);

/// The compiled component, and what each instance needs.
pub(crate) struct AccountSandbox {
    component: AccountFlowsPre<Guest>,
    engine: wasmtime::Engine,
    settings: Settings,
    clock: Arc<dyn Clock>,
    cognito: Arc<Cognito>,
    gauges: SandboxGauges,
}

impl AccountSandbox {
    /// Compiles the component. This takes about a second of CPU time, or a file read if compiled code is cached.
    pub(crate) async fn compile(
        settings: Settings,
        clock: Arc<dyn Clock>,
        cognito: Arc<Cognito>,
        cache: Option<PathBuf>,
    ) -> Result<Self, BuildError> {
        let failed = |error: wasmtime::Error| BuildError::Sandbox(format!("{error:#}"));
        let compiled = tokio::task::spawn_blocking(move || {
            let engine = engine(cache)?;
            let component = Component::new(&engine, poolgate_artifacts::AUTHENTICATOR_WIDE).map_err(failed)?;
            let mut linker = Linker::new(&engine);
            AccountFlows::add_to_linker::<_, Guest>(&mut linker, |guest| guest).map_err(failed)?;
            let component = linker.instantiate_pre(&component).and_then(AccountFlowsPre::new).map_err(failed)?;
            Ok::<_, BuildError>((engine, component))
        });
        let (engine, component) = compiled.await.map_err(|error| BuildError::Sandbox(error.to_string()))??;
        Ok(Self { component, engine, settings, clock, cognito, gauges: SandboxGauges::default() })
    }

    /// Runs one operation in a new instance. `srp` holds the password of a sign-in with SRP.
    pub(crate) async fn run<T>(
        &self,
        srp: Option<SrpSignIn>,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> wasmtime::Result<Result<T, AccountError>>,
    ) -> Result<Result<T, AccountError>, Failure> {
        let memory = MemoryLimit::new(MEMORY_LIMIT, self.gauges.clone());
        let guest = Guest::new(memory, Arc::clone(&self.clock), Arc::clone(&self.cognito), srp);
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(1);
        // The epoch also advances while the instance waits for Cognito, so the stopwatch decides.
        store.epoch_deadline_callback(|store| match store.data().stopwatch.running_time() < RUN_LIMIT {
            true => Ok(UpdateDeadline::Continue(1)),
            false => Err(Trap::Interrupt.into()),
        });
        self.call(&mut store, flow).await.map_err(|error| failure_of(store.data().memory.was_exceeded(), &error))
    }

    async fn call<T>(
        &self,
        store: &mut Store<Guest>,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> wasmtime::Result<Result<T, AccountError>>,
    ) -> wasmtime::Result<Result<T, AccountError>> {
        let bindings = self.component.instantiate_async(&mut *store).await?;
        let configured = bindings.poolgate_auth_accounts().call_configure(&mut *store, &self.settings).await?;
        // `check` has made sure that the component accepts these settings.
        configured.map_err(wasmtime::Error::msg)?;
        flow(&bindings, store).await
    }

    /// Starts an instance and configures it, to make sure that the component accepts the settings.
    pub(crate) async fn check(&self) -> Result<(), BuildError> {
        let memory = MemoryLimit::new(MEMORY_LIMIT, self.gauges.clone());
        let guest = Guest::new(memory, Arc::clone(&self.clock), Arc::clone(&self.cognito), None);
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(u64::MAX / 2);
        let failed = |error: wasmtime::Error| BuildError::Sandbox(format!("{error:#}"));
        let bindings = self.component.instantiate_async(&mut store).await.map_err(failed)?;
        let accounts = bindings.poolgate_auth_accounts();
        let configured = accounts.call_configure(&mut store, &self.settings).await.map_err(failed)?;
        configured.map_err(BuildError::Accounts)
    }
}
