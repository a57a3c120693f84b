//! Warm instances: as many as may run at once, each used by one call at a time, none used again after a failure.

use super::{Failure, Instance, Queue, QueueLimits, Sandbox};
use crate::{
    BuildError, Hint, LoadKeySetError, Reason,
    bindings::exports::poolgate::auth::verifier::{self as wit, Config, ConfigError, KeyReport, RevocationStatus},
    clock::Clock,
    key_source::{Fetches, KeyEvent, KeyEventKind, KeyEventLog, LocalKeySet},
    metrics::Metrics,
    revocation::{Revocation, RevocationChecker, RevocationError},
    verdict::{Denial, Verified},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout_at;

/// How many entries of the event log may make an instance fail, one after the other, before the call gives up.
const POISON_AT_ONCE: usize = 4;

/// The instances of a verifier, all with the same configuration, all told the same.
pub(crate) struct Instances {
    sandbox: Sandbox,
    config: Config,
    clock: Arc<dyn Clock>,
    fetches: Arc<Fetches>,
    event_log: Arc<KeyEventLog>,
    pub(crate) metrics: Arc<Metrics>,
    checker: Option<RevocationChecker>,
    queue: Queue,
    idle: Mutex<Vec<Instance>>,
    /// The longest that a call waits for keys.
    key_wait: Duration,
    /// The state of the keys as an instance last reported it, and the time of that.
    last_reports: Mutex<(Duration, Vec<KeyReport>)>,
}

/// What the instances share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fetches: Arc<Fetches>,
    pub(crate) event_log: Arc<KeyEventLog>,
    pub(crate) metrics: Arc<Metrics>,
    /// Who knows what was revoked.
    pub(crate) checker: Option<RevocationChecker>,
}

impl Instances {
    /// Starts all of them, so that a configuration that is refused is refused now, and no call waits for a start.
    pub(crate) fn start(
        sandbox: Sandbox,
        config: Config,
        shared: Shared,
        count: usize,
        limits: QueueLimits,
        key_wait: Duration,
    ) -> Result<Self, BuildError> {
        let Shared { clock, fetches, event_log, metrics, checker } = shared;
        let (queue, idle) = (Queue::new(count, limits), Mutex::default());
        let instances = Self {
            sandbox,
            config,
            clock,
            fetches,
            event_log,
            metrics,
            checker,
            queue,
            idle,
            key_wait,
            last_reports: Mutex::default(),
        };
        for _ in 0..count {
            let instance = instances.start_one().map_err(sandbox_error)?.map_err(BuildError::InvalidConfig)?;
            instances.put_back(instance);
        }
        Ok(instances)
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, Denial> {
        let begun = Instant::now();
        let verdict = self.admit(token).await;
        self.metrics.count_verdict(&verdict, begun.elapsed());
        if let Err(denial) = &verdict {
            self.log(denial);
        }
        verdict
    }

    /// A denial is everyday life. That nobody can pass because of a slash is not, and is said once where it is read.
    fn log(&self, denial: &Denial) {
        let hint = denial.hint.map(Hint::description);
        tracing::debug!(reason = denial.reason.name(), hint, "a token is refused");
        if denial.hint == Some(Hint::IssuerSlash) && self.metrics.note_issuer_slash() {
            tracing::warn!(hint, "a token is refused");
        }
    }

    pub(crate) async fn seed(&self, seed: LocalKeySet) -> Result<KeyReport, LoadKeySetError> {
        let report = self.call(|instance| instance.load_key_set(&seed)).await;
        let report = report.map_err(|_| LoadKeySetError::Sandbox)?.map_err(LoadKeySetError::Rejected)?;
        // The instance that took it will be told once more, which changes nothing.
        self.event_log.push(KeyEventKind::Loaded(seed));
        Ok(report)
    }

    pub(crate) async fn key_reports(&self) -> Result<Vec<KeyReport>, Denial> {
        self.call(Instance::key_reports).await.inspect(|reports| self.keep_reports(reports))
    }

    /// The same without waiting for an instance: if none is free, the state of the keys is what it was a moment ago, by as much older.
    pub(crate) fn last_key_reports(&self) -> Vec<KeyReport> {
        if let Some(_permit) = self.queue.free_instance()
            && let Ok(reports) = self.call_now(Instance::key_reports)
        {
            self.keep_reports(&reports);
            return reports;
        }
        let (at, reports) = self.last_reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let later = self.clock.now().saturating_sub(at).as_secs();
        let aged = |report: KeyReport| KeyReport { age: report.age.map(|age| age.saturating_add(later)), ..report };
        reports.into_iter().map(aged).collect()
    }

    fn keep_reports(&self, reports: &[KeyReport]) {
        *self.last_reports.lock().unwrap_or_else(PoisonError::into_inner) = (self.clock.now(), reports.to_vec());
    }

    /// Asks for the keys that it is time to ask for.
    pub(crate) async fn maintain(&self) -> Result<(), Denial> {
        let look_after = |instance: &mut Instance| {
            instance.maintain()?;
            instance.key_reports()
        };
        self.call(look_after).await.map(|reports| self.keep_reports(&reports))
    }

    /// Asks for all keys that are missing, and waits until every fetch that is under way then has ended.
    pub(crate) async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        self.maintain().await?;
        self.fetches.wait_for_all().await;
        self.key_reports().await
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
        let received_at = self.event_log.tick();
        let (verdict, applied_up_to) =
            self.call(|instance| Ok((instance.verify(token)?, instance.applied_up_to()))).await?;
        let verdict = match verdict {
            Err(wit::Denial { pending_key_url: Some(url), .. }) => {
                self.wait_for_keys(token, received_at, url, applied_up_to).await?
            }
            verdict => verdict,
        };
        match verdict {
            Err(wit::Denial { pending_revocation: Some(claims), .. }) => self.check_revocation(token, claims).await,
            verdict => verdict.map_err(Into::into),
        }
    }

    /// Asks outside the sandbox whether a good token was revoked: no instance and no thread is held meanwhile.
    async fn check_revocation(&self, token: &str, claims: wit::RevocationClaims) -> Result<Verified, Denial> {
        let unavailable = Denial::unavailable(Reason::RevocationUnavailable);
        let checker = self.checker.as_ref().ok_or(unavailable)?;
        let status = checker.check(&claims.into(), &*self.clock, &self.metrics).await;
        let verdict = self.call(|instance| instance.verify_with_revocation_status(token, status)).await?;
        if verdict.is_ok() && status == RevocationStatus::Unavailable {
            self.metrics.record_fail_open();
        }
        verdict.map_err(Into::into)
    }

    pub(crate) fn checks_revocation(&self) -> bool {
        self.checker.is_some()
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.now().as_secs()
    }

    pub(crate) async fn revoke(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        let checker = self.checker.as_ref().ok_or(RevocationError::NoStore)?;
        let taken = checker.revoke(revocation, self.now()).await;
        self.metrics.count_revocation(taken);
        taken
    }

    /// Waits outside the sandbox for the end of a fetch, of which an instance that was told up to the entry `told` of the
    /// event log does not know: no instance and no thread is held meanwhile.
    ///
    /// It waits once more if that fetch began before the token came, for the key may have been published since.
    async fn wait_for_keys(
        &self,
        token: &str,
        received_at: u64,
        mut url: String,
        mut applied_up_to: u64,
    ) -> Result<Result<Verified, wit::Denial>, Denial> {
        let unavailable = Denial::unavailable(Reason::KeysUnavailable);
        let _waiting = self.queue.wait_for_keys().ok_or(unavailable)?;
        self.metrics.count_key_wait();
        let over = tokio::time::Instant::now() + self.key_wait;
        loop {
            timeout_at(over, self.event_log.wait_for_fetch(&url, applied_up_to)).await.map_err(|_| unavailable)?;
            let call = |instance: &mut Instance| {
                Ok((instance.verify_after_fetch(token, received_at)?, instance.applied_up_to()))
            };
            let (verdict, now_applied) = self.call(call).await?;
            match verdict {
                Err(wit::Denial { pending_key_url: Some(next), .. }) => (url, applied_up_to) = (next, now_applied),
                verdict => return Ok(verdict),
            }
        }
    }

    /// Runs a call on an instance. One that fails is replaced at the expense of its own call.
    async fn call<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Denial> {
        let _permit = self.queue.instance(&self.metrics).await?;
        Ok(self.call_now(call)?)
    }

    /// The same for who has a permit.
    fn call_now<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let outcome = self.run(call);
        if let Err(failure) = &outcome {
            self.metrics.count_failure(*failure);
            if let Ok(Ok(fresh)) = self.start_one() {
                self.put_back(fresh);
            }
        }
        outcome
    }

    fn run<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut instance = self.up_to_date(self.take_idle())?;
        let outcome = call(&mut instance)?;
        self.put_back(instance);
        Ok(outcome)
    }

    /// An instance that was told everything. One that fails while it is told is replaced at once: the call at hand has no part in it. What
    /// made a fresh one fail is told to no other; an older one may have failed for its own memory or time.
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
        if let Some(checker) = &self.checker
            && let Err(error) = instance.enable_revocation_check(checker.mode)?
        {
            return Ok(Err(error));
        }
        Ok(instance.configure(&self.config)?.map(|()| instance))
    }

    fn bring_up_to_date(&self, instance: &mut Instance) -> Result<(), Failure> {
        if instance.applied_up_to() == self.event_log.last() {
            return Ok(());
        }
        for (number, entry) in self.event_log.after(instance.applied_up_to()) {
            let taken = match instance.apply(number, &entry) {
                Ok(taken) => taken,
                Err(failure) => {
                    if instance.is_fresh() {
                        self.event_log.disarm(number);
                    }
                    return Err(failure);
                }
            };
            if self.event_log.judge(number, &entry, taken.is_ok()) {
                self.note(&entry, taken);
            }
        }
        Ok(())
    }

    /// What the first instance that was told makes of a fetch.
    fn note(&self, entry: &KeyEvent, taken: Result<(), crate::KeySetError>) {
        if let (KeyEventKind::Fetched { url, outcome: Ok(_), .. }, Err(error)) = (&entry.event, taken) {
            tracing::warn!(%url, error = error.name(), "a JWK Set is not taken; the keys held before stay");
            self.metrics.count_rejected_key_set(url, error);
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
