//! The pool of running instances. A call takes an instance, and no other call uses that instance at the same time.

use super::{
    configuration::Configuration,
    engine::Sandbox,
    generations::Generations,
    instance::Instance,
    queue::{Queue, QueueLimits},
};
use crate::{
    BuildError, KeySetError,
    bindings::exports::poolgate::auth::verifier::{KeyReport, RevocationMode},
    clock::Clock,
    failure::Failure,
    key_source::{Fetches, KeyEvent, KeyEventKind, KeyEventLog, LocalKeySet},
    metrics::Metrics,
    verdict::Denial,
};
use std::sync::{Arc, Mutex, PoisonError};

/// A call fails after this many consecutive instances have failed while applying key events.
const APPLY_ATTEMPTS: usize = 4;

/// The instances of a verifier. All have the same configuration, and apply the same key events in the same order.
pub(crate) struct InstancePool {
    sandbox: Sandbox,
    configuration: Configuration,
    /// If a revocation store is configured: what happens to tokens while it does not respond.
    revocation_mode: Option<RevocationMode>,
    shared: Shared,
    queue: Queue,
    idle: Mutex<Vec<Instance>>,
}

/// What the instances share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fetches: Arc<Fetches>,
    pub(crate) event_log: Arc<KeyEventLog>,
    pub(crate) generations: Arc<Generations>,
    pub(crate) metrics: Arc<Metrics>,
}

impl InstancePool {
    /// Starts all instances, so that an invalid configuration is reported now, and no call waits for an instance to start.
    pub(crate) fn start(
        sandbox: Sandbox,
        configuration: Configuration,
        revocation_mode: Option<RevocationMode>,
        shared: Shared,
        count: usize,
        limits: QueueLimits,
    ) -> Result<Self, BuildError> {
        let queue = Queue::new(count, limits);
        let pool = Self { sandbox, configuration, revocation_mode, shared, queue, idle: Mutex::default() };
        for _ in 0..count {
            let instance = pool.start_instance().map_err(sandbox_error)??;
            pool.put_back(instance);
        }
        Ok(pool)
    }

    /// The limits on calls.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Waits for an instance and runs a call on it. If the call fails, its instance is replaced.
    pub(crate) async fn call<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Denial> {
        let _permit = self.queue.instance(&self.shared.metrics).await?;
        Ok(self.call_with_permit(call)?)
    }

    /// Runs a call if an instance is free now. Returns `None` if none is free, or if the call fails.
    pub(crate) fn call_if_free<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Option<T> {
        let _permit = self.queue.free_instance()?;
        self.call_with_permit(call).ok()
    }

    /// Loads a key set into one instance. The caller adds it to the event log, for the others.
    pub(crate) async fn load_key_set(&self, key_set: &LocalKeySet) -> Result<Result<KeyReport, KeySetError>, Denial> {
        let load = |instance: &mut Instance| {
            let before = instance.key_reports()?;
            let result = instance.load_key_set(key_set)?;
            self.shared.generations.count_changes(&before, &instance.key_reports()?);
            let reports = self.key_reports(instance)?;
            Ok(result.map(|loaded| {
                let shared = reports.into_iter().find(|report| report.issuers == loaded.issuers);
                shared.unwrap_or(loaded)
            }))
        };
        self.call(load).await
    }

    /// Returns the key reports of an instance, with the generations that all instances share.
    pub(crate) fn key_reports(&self, instance: &mut Instance) -> Result<Vec<KeyReport>, Failure> {
        let mut reports = instance.key_reports()?;
        self.shared.generations.write_to(&mut reports);
        Ok(reports)
    }

    fn call_with_permit<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let result = self.run(call);
        if let Err(failure) = &result {
            self.shared.metrics.count_failure(*failure);
            if let Ok(Ok(instance)) = self.start_instance() {
                self.put_back(instance);
            }
        }
        result
    }

    fn run<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut instance = self.up_to_date(self.take_idle())?;
        let result = call(&mut instance)?;
        self.put_back(instance);
        Ok(result)
    }

    /// Returns an instance that has applied all key events.
    ///
    /// An instance that fails while it applies an event is replaced, and the current call continues with the new
    /// instance. An event that made a new instance fail is skipped from then on. An older instance may have failed
    /// because its own memory or time was used up, so its event is not skipped.
    fn up_to_date(&self, idle: Option<Instance>) -> Result<Instance, Failure> {
        let mut next = idle;
        for _ in 0..APPLY_ATTEMPTS {
            let mut instance = match next.take() {
                Some(instance) => instance,
                // The other instances have accepted the same configuration.
                None => self.start_instance()?.map_err(|_| Failure::Trap)?,
            };
            match self.apply_events(&mut instance) {
                Ok(()) => return Ok(instance),
                Err(failure) => self.shared.metrics.count_failure(failure),
            }
        }
        Err(Failure::Trap)
    }

    fn start_instance(&self) -> Result<Result<Instance, BuildError>, Failure> {
        let Shared { clock, fetches, metrics, .. } = self.shared.clone();
        let mut instance = Instance::start(&self.sandbox, clock, Some(fetches), metrics.sandbox.clone())?;
        Ok(self.configuration.apply(&mut instance, self.revocation_mode)?.map(|()| instance))
    }

    fn apply_events(&self, instance: &mut Instance) -> Result<(), Failure> {
        let event_log = &self.shared.event_log;
        if instance.applied_up_to() == event_log.last() {
            return Ok(());
        }
        for (number, event) in event_log.after(instance.applied_up_to()) {
            let before = if event.is_new() { Some(instance.key_reports()?) } else { None };
            let result = match instance.apply(number, &event) {
                Ok(result) => result,
                Err(failure) => {
                    if instance.is_new() {
                        event_log.remove_keys(number);
                        self.judged(&event, false);
                    }
                    return Err(failure);
                }
            };
            if event_log.record_result(number, &event, result.is_ok()) {
                if let Some(before) = before {
                    let after = instance.key_reports()?;
                    self.shared.generations.count_changes(&before, &after);
                    let of_event = |report: &&KeyReport| report.url.as_deref() == event.url();
                    let has_failed = after.iter().find(of_event).is_none_or(|report| report.last_error.is_some());
                    self.judged(&event, result.is_ok() && !has_failed);
                }
                self.report(&event, result);
            }
        }
        Ok(())
    }

    /// Tells the key source whether a fetched key set is in use.
    fn judged(&self, event: &KeyEvent, is_usable: bool) {
        if let Some(url) = event.url() {
            self.shared.fetches.judged(url, is_usable);
        }
    }

    /// Logs and counts a fetched key set that the component has rejected. This is called for the first instance that applies the event.
    fn report(&self, event: &KeyEvent, result: Result<(), KeySetError>) {
        if let (KeyEventKind::Fetched { url, outcome: Ok(_), .. }, Err(error)) = (&event.kind, result) {
            tracing::warn!(%url, error = error.name(), "a fetched JWK Set was rejected; the current keys stay in use");
            self.shared.metrics.count_rejected_key_set(url, error);
        }
    }

    fn take_idle(&self) -> Option<Instance> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, instance: Instance) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
    }
}

fn sandbox_error(failure: Failure) -> BuildError {
    BuildError::Sandbox(match failure {
        Failure::Deadline => "the component exceeded the call deadline at its start".into(),
        Failure::Memory => "the component exceeded the memory limit at its start".into(),
        Failure::Trap => "the component trapped at its start".into(),
    })
}
