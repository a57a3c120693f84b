//! Warm instances: as many as may run at once, each used by one call at a time, none used again after a failure.

use super::{Failure, Instance, Sandbox};
use crate::{
    BuildError, SeedFailure,
    bindings::exports::poolgate::auth::verifier::{Config, ConfigError, KeyReport},
    clock::Clock,
    key_source::SharedKeySource,
    verdict::{Denial, Verified},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Semaphore;

/// The instances of a verifier, all with the same configuration and the same seeds.
pub(crate) struct Instances {
    sandbox: Sandbox,
    config: Config,
    clock: Arc<dyn Clock>,
    keys: Arc<SharedKeySource>,
    /// A permit for each instance that may exist.
    permits: Semaphore,
    idle: Mutex<Vec<Warm>>,
    seeds: Mutex<Seeds>,
    failures: AtomicU64,
}

/// A JWK Set that every instance is given.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) issuer: String,
    pub(crate) jwks: Vec<u8>,
    pub(crate) fetched_at: u64,
}

/// The latest seed of each issuer, numbered in the order in which they came.
#[derive(Debug, Default)]
struct Seeds {
    count: u64,
    latest: Vec<(u64, Arc<Seed>)>,
}

impl Seeds {
    fn push(&mut self, seed: Seed) {
        self.latest.retain(|(_, earlier)| earlier.issuer != seed.issuer);
        self.count += 1;
        self.latest.push((self.count, Arc::new(seed)));
    }

    fn after(&self, number: u64) -> Vec<(u64, Arc<Seed>)> {
        self.latest.iter().filter(|(own, _)| *own > number).cloned().collect()
    }
}

struct Warm {
    instance: Instance,
    /// The number of the last seed that it was given.
    seeded: u64,
}

impl Instances {
    /// Starts the first instance, so that a configuration that is refused is refused now.
    pub(crate) async fn start(
        sandbox: Sandbox,
        config: Config,
        clock: Arc<dyn Clock>,
        keys: Arc<SharedKeySource>,
        count: usize,
    ) -> Result<Self, BuildError> {
        let instances = Self {
            sandbox,
            config,
            clock,
            keys,
            permits: Semaphore::new(count),
            idle: Mutex::default(),
            seeds: Mutex::default(),
            failures: AtomicU64::new(0),
        };
        let first = instances.start_one().await.map_err(sandbox_error)?.map_err(BuildError::Refused)?;
        instances.put_back(first);
        Ok(instances)
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, Denial> {
        // Not copied into the sandbox just to be refused there; a huge one would not even fit.
        if self.config.limits.is_some_and(|limits| token.len() > limits.token_bytes as usize) {
            return Err(Denial::TOKEN_TOO_LARGE);
        }
        self.call(async |instance: &mut Instance| instance.verify(token).await).await?
    }

    pub(crate) async fn seed(&self, seed: Seed) -> Result<KeyReport, SeedFailure> {
        let Seed { issuer, jwks, fetched_at } = &seed;
        let report = self.call(async |instance: &mut Instance| instance.seed_keys(issuer, jwks, *fetched_at).await);
        let report = report.await.map_err(|_| SeedFailure::Sandbox)?.map_err(SeedFailure::Refused)?;
        // The instance that took it will be given it once more, which changes nothing.
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
        Ok(report)
    }

    pub(crate) async fn key_reports(&self) -> Result<Vec<KeyReport>, Denial> {
        Ok(self.call(async |instance: &mut Instance| instance.key_reports().await).await?)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Runs a call on a warm instance, or on a new one. A call that fails, or is dropped on the way, takes its instance
    /// with it.
    async fn call<T>(&self, call: impl AsyncFnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let outcome = async {
            // The semaphore is never closed; if it were, no call could be made.
            let _permit = self.permits.acquire().await.map_err(|_| Failure::Trap)?;
            let mut warm = match self.take_idle() {
                Some(warm) => warm,
                // The first instance took the same configuration.
                None => self.start_one().await?.map_err(|_| Failure::Trap)?,
            };
            self.bring_seeds(&mut warm).await?;
            let outcome = call(&mut warm.instance).await?;
            self.put_back(warm);
            Ok(outcome)
        }
        .await;
        if outcome.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    async fn start_one(&self) -> Result<Result<Warm, ConfigError>, Failure> {
        let keys = Some(Arc::clone(&self.keys));
        let mut instance = Instance::start(&self.sandbox, Arc::clone(&self.clock), keys).await?;
        Ok(instance.configure(&self.config).await?.map(|()| Warm { instance, seeded: 0 }))
    }

    async fn bring_seeds(&self, warm: &mut Warm) -> Result<(), Failure> {
        let missing = self.seeds.lock().unwrap_or_else(PoisonError::into_inner).after(warm.seeded);
        for (number, seed) in missing {
            // Refused only where the instance holds a later set by now.
            let _ = warm.instance.seed_keys(&seed.issuer, &seed.jwks, seed.fetched_at).await?;
            warm.seeded = number;
        }
        Ok(())
    }

    fn take_idle(&self) -> Option<Warm> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, warm: Warm) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(warm);
    }
}

fn sandbox_error(failure: Failure) -> BuildError {
    BuildError::Sandbox(match failure {
        Failure::Deadline => "the component took too long to start".into(),
        Failure::Trap => "the component trapped at its start".into(),
    })
}
