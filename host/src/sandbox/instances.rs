//! Warm instances: as many as may run at once, each used by one call at a time, none used again after a failure.

use super::{Failure, Instance, Queue, QueueBounds, Sandbox};
use crate::{
    BuildError, Reason, SeedFailure,
    bindings::exports::poolgate::auth::verifier::{self as wit, Config, ConfigError, KeyReport, RevocationAnswer},
    clock::Clock,
    key_source::{Entry, Event, Fetches, Journal, Seed},
    metrics::Metrics,
    revocation::{Register, Revocation, RevocationError},
    verdict::{Denial, Verified},
};
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How many entries of the journal may make an instance fail, one after the other, before the call gives up.
const POISON_AT_ONCE: usize = 4;

/// The instances of a verifier, all with the same configuration, all told the same.
pub(crate) struct Instances {
    sandbox: Sandbox,
    config: Config,
    clock: Arc<dyn Clock>,
    fetches: Arc<Fetches>,
    journal: Arc<Journal>,
    pub(crate) metrics: Arc<Metrics>,
    register: Option<Register>,
    queue: Queue,
    idle: Mutex<Vec<Instance>>,
    /// The longest that a call waits for keys.
    key_wait: Duration,
}

/// What the instances share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fetches: Arc<Fetches>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) metrics: Arc<Metrics>,
    /// Who knows what was revoked.
    pub(crate) register: Option<Register>,
}

impl Instances {
    /// Starts all of them, so that a configuration that is refused is refused now, and no call waits for a start.
    pub(crate) fn start(
        sandbox: Sandbox,
        config: Config,
        shared: Shared,
        count: usize,
        bounds: QueueBounds,
        key_wait: Duration,
    ) -> Result<Self, BuildError> {
        let Shared { clock, fetches, journal, metrics, register } = shared;
        let (queue, idle) = (Queue::new(count, bounds), Mutex::default());
        let instances = Self { sandbox, config, clock, fetches, journal, metrics, register, queue, idle, key_wait };
        for _ in 0..count {
            let instance = instances.start_one().map_err(sandbox_error)?.map_err(BuildError::Refused)?;
            instances.put_back(instance);
        }
        Ok(instances)
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, Denial> {
        let begun = Instant::now();
        let verdict = self.admit(token).await;
        self.metrics.count_verdict(&verdict, begun.elapsed());
        if let Err(denial) = &verdict {
            tracing::debug!(reason = denial.reason.name(), "a token is refused");
        }
        verdict
    }

    pub(crate) async fn seed(&self, seed: Seed) -> Result<KeyReport, SeedFailure> {
        let report = self.call(|instance| instance.seed_keys(&seed)).await;
        let report = report.map_err(|_| SeedFailure::Sandbox)?.map_err(SeedFailure::Refused)?;
        // The instance that took it will be told once more, which changes nothing.
        self.journal.push(Event::Seeded(seed));
        Ok(report)
    }

    pub(crate) async fn key_reports(&self) -> Result<Vec<KeyReport>, Denial> {
        self.call(Instance::key_reports).await
    }

    /// Asks for the keys that it is time to ask for.
    pub(crate) async fn maintain(&self) -> Result<(), Denial> {
        self.call(Instance::maintain).await
    }

    /// Asks for all keys that are missing, and waits until every fetch has ended.
    pub(crate) async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        self.maintain().await?;
        loop {
            let seen = self.journal.last();
            if !self.fetches.is_any_under_way() {
                return self.key_reports().await;
            }
            self.journal.wait_beyond(seen).await;
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.queue.is_closing()
    }

    pub(crate) async fn close(&self) {
        self.queue.close().await;
    }

    async fn admit(&self, token: &str) -> Result<Verified, Denial> {
        // Not copied into the sandbox just to be refused there; a huge one would not even fit.
        if self.config.limits.is_some_and(|limits| token.len() > limits.token_bytes as usize) {
            return Err(Denial::TOKEN_TOO_LARGE);
        }
        let _inside = self.queue.enter()?;
        let (verdict, told) = self.call(|instance| Ok((instance.verify(token)?, instance.told()))).await?;
        let verdict = match verdict {
            Err(wit::Denial { awaits_keys: Some(url), .. }) => self.wait_for_keys(token, &url, told).await?,
            verdict => verdict,
        };
        match verdict {
            Err(wit::Denial { awaits_revocation: Some(revocable), .. }) => self.ask_register(token, revocable).await,
            verdict => verdict.map_err(Into::into),
        }
    }

    /// Asks outside the sandbox whether a good token was revoked: no instance and no thread is held meanwhile.
    async fn ask_register(&self, token: &str, revocable: wit::Revocable) -> Result<Verified, Denial> {
        let unavailable = Denial::unavailable(Reason::RevocationUnavailable);
        let register = self.register.as_ref().ok_or(unavailable)?;
        let answer = register.ask(&revocable.into(), &*self.clock, &self.metrics).await;
        let verdict = self.call(|instance| instance.verify_asked(token, answer)).await?;
        if verdict.is_ok() && answer == RevocationAnswer::Unavailable {
            self.metrics.count_let_through();
        }
        verdict.map_err(Into::into)
    }

    pub(crate) fn has_register(&self) -> bool {
        self.register.is_some()
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.now().as_secs()
    }

    pub(crate) async fn revoke(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        let register = self.register.as_ref().ok_or(RevocationError::NoStore)?;
        let taken = register.revoke(revocation, self.now()).await;
        self.metrics.count_revocation(taken);
        taken
    }

    /// Waits outside the sandbox for the end of a fetch, of which an instance that was told up to the entry `told` of the
    /// journal does not know: no instance and no thread is held meanwhile.
    async fn wait_for_keys(&self, token: &str, url: &str, told: u64) -> Result<Result<Verified, wit::Denial>, Denial> {
        let unavailable = Denial::unavailable(Reason::KeysUnavailable);
        let _waiting = self.queue.wait_for_keys().ok_or(unavailable)?;
        self.metrics.count_key_wait();
        timeout(self.key_wait, self.journal.wait_for_fetch(url, told)).await.map_err(|_| unavailable)?;
        self.call(|instance| instance.verify_again(token)).await
    }

    /// Runs a call on an instance. One that fails is replaced at the expense of its own call.
    async fn call<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Denial> {
        let _permit = self.queue.instance(&self.metrics).await?;
        let outcome = self.run(call);
        if let Err(failure) = &outcome {
            self.metrics.count_failure(*failure);
            if let Ok(Ok(fresh)) = self.start_one() {
                self.put_back(fresh);
            }
        }
        Ok(outcome?)
    }

    fn run<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut instance = self.up_to_date(self.take_idle())?;
        let outcome = call(&mut instance)?;
        self.put_back(instance);
        Ok(outcome)
    }

    /// An instance that was told everything. One that fails while it is told is replaced at once, and what made it fail is
    /// told to no other: the call at hand has no part in it.
    fn up_to_date(&self, idle: Option<Instance>) -> Result<Instance, Failure> {
        let mut next = idle;
        for _ in 0..POISON_AT_ONCE {
            let mut instance = match next.take() {
                Some(instance) => instance,
                // The others took the same configuration.
                None => self.start_one()?.map_err(|_| Failure::Trap)?,
            };
            match self.bring_up_to_date(&mut instance) {
                Ok(()) => return Ok(instance),
                Err(failure) => self.metrics.count_failure(failure),
            }
        }
        Err(Failure::Trap)
    }

    fn start_one(&self) -> Result<Result<Instance, ConfigError>, Failure> {
        let (clock, fetches) = (Arc::clone(&self.clock), Arc::clone(&self.fetches));
        let mut instance = Instance::start(&self.sandbox, clock, Some(fetches), self.metrics.sandbox.clone())?;
        if let Some(register) = &self.register
            && let Err(error) = instance.ask_revocation(register.mode)?
        {
            return Ok(Err(error));
        }
        Ok(instance.configure(&self.config)?.map(|()| instance))
    }

    fn bring_up_to_date(&self, instance: &mut Instance) -> Result<(), Failure> {
        if instance.told() == self.journal.last() {
            return Ok(());
        }
        for (number, entry) in self.journal.after(instance.told()) {
            let taken = instance.tell(number, &entry).inspect_err(|_| self.journal.disarm(number))?;
            if !entry.is_judged.swap(true, Ordering::Relaxed) {
                self.note(number, &entry, taken);
            }
        }
        Ok(())
    }

    /// What the first instance that was told makes of a fetch.
    fn note(&self, number: u64, entry: &Entry, taken: Result<(), crate::SeedError>) {
        if let Event::Fetched { url, outcome: Ok(response), .. } = &entry.event {
            match taken {
                Ok(()) if response.body.is_some() => self.journal.keys_were_taken(url, number),
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%url, error = error.name(), "a JWK Set is not taken; the keys held before stay");
                    self.metrics.count_refused_set(url, error);
                }
            }
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
        Failure::Deadline => "the component took too long to start".into(),
        Failure::Memory => "the component needs more memory than it may have".into(),
        Failure::Trap => "the component trapped at its start".into(),
    })
}
