//! The builder of a verifier. Its settings are in `settings.rs`.

use super::{handle::Verifier, inner::Inner};
use crate::{
    BuildError, ClaimRule, Discovery, Pool,
    bindings::exports::poolgate::auth::verifier::{
        CacheLimits, Config, KeyOrigin, KeyPolicy, Limits, Pool as PoolConfig,
    },
    clock::{Clock, SystemClock},
    key_source::{DiscoveredIssuers, DocumentLimits, Fetches, HttpKeySource, HttpSettings, KeyEventLog},
    metrics::Metrics,
    revocation::{RevocationChecker, RevocationMode, Revocations},
    sandbox::{Configuration, InstancePool, QueueLimits, ResourceLimits, Sandbox, Shared},
};
use reqwest::Certificate;
use std::{
    fmt,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};
use tokio::time::MissedTickBehavior;

/// The time that a call may wait for keys, in addition to two fetches (one that started before the token arrived, and
/// one more). It covers the wait for an instance and the second verification.
const KEY_WAIT_MARGIN: Duration = Duration::from_secs(1);
/// The maximum time that a call may wait for keys, for any fetch timeout.
const KEY_WAIT_MAX: Duration = Duration::from_secs(86_400);

impl Verifier {
    /// Returns a builder with the defaults listed at [`VerifierBuilder`], and without a pool.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }
}

/// Configures and builds a [`Verifier`].
///
/// Create a builder with [`Verifier::builder()`]. At least one [`Pool`] is required. Every other setting has a default that is suitable for
/// production.
///
/// Building compiles the WebAssembly component, which takes about a second of CPU time, and starts the sandbox
/// instances. Build one verifier per process, and clone it.
///
/// # Defaults
///
/// Keys:
///
/// * [`key_policy`](Self::key_policy): key sets are refreshed after 1 hour and rejected after 24 hours; see [`KeyPolicy::default`].
/// * [`connect_timeout`](Self::connect_timeout): 2 seconds.
/// * [`fetch_timeout`](Self::fetch_timeout): 5 seconds.
/// * [`jwks_limits`](Self::jwks_limits): 256 KiB and 100 keys per key set.
/// * [`refresh_check_interval`](Self::refresh_check_interval): the verifier checks once per second, in a background
///   task, whether a fetch is due.
/// * [`root_certificate`](Self::root_certificate): no additional certificate authorities.
/// * [`allow_http_loopback`](Self::allow_http_loopback): disabled -- only `https` URLs are fetched.
///
/// Tokens:
///
/// * [`token_limit`](Self::token_limit): 16 KiB.
/// * [`json_depth_limit`](Self::json_depth_limit): 16 levels.
/// * [`token_cache`](Self::token_cache): 512 KiB and 1,024 tokens per instance.
/// * [`claim_rules`](Self::claim_rules): none.
/// * [`clock`](Self::clock): the system clock.
/// * [`revocations`](Self::revocations): none -- a token is accepted until it expires.
/// * [`revocation_deadline`](Self::revocation_deadline): 250 ms; it has no effect without `revocations`.
///
/// Sandbox:
///
/// * [`instances`](Self::instances): one per available CPU.
/// * [`call_limit`](Self::call_limit): 1,024 calls in progress, of which at most a quarter may wait for keys.
/// * [`queue_deadline`](Self::queue_deadline): 1 second.
/// * [`call_deadline`](Self::call_deadline): 500 ms.
/// * [`memory_limit`](Self::memory_limit): 64 MiB per instance.
/// * [`component`](Self::component): the component that is built into this crate.
/// * [`compilation_cache`](Self::compilation_cache): none -- each call of [`build`](Self::build) compiles the component.
///
/// # Example
///
/// ```no_run
/// use poolgate::{Pool, TokenUseRule, Verifier};
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), poolgate::BuildError> {
/// let verifier = Verifier::builder()
///     .pool(
///         Pool::user_pool("eu-west-1_EXAMPLE01")
///             .token_use(TokenUseRule::Access)
///             .client_ids(["1example23456789"]),
///     )
///     .fetch_timeout(Duration::from_secs(3))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifierBuilder {
    pub(super) pools: Vec<Pool>,
    /// Named lists of claim rules.
    pub(super) claim_rules: Vec<(String, Vec<ClaimRule>)>,
    pub(super) limits: Limits,
    pub(super) key_policy: KeyPolicy,
    pub(super) cache: CacheLimits,
    pub(crate) allow_http_loopback: bool,
    pub(super) connect_timeout: Duration,
    pub(super) fetch_timeout: Duration,
    pub(super) roots: Vec<Certificate>,
    /// The interval of the background task; `None` disables it.
    pub(super) refresh_check_interval: Option<Duration>,
    pub(super) queue: QueueLimits,
    pub(super) call_deadline: Duration,
    pub(super) memory_limit: usize,
    pub(super) instances: Option<NonZeroUsize>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(super) revocations: Option<(Store, RevocationMode)>,
    pub(super) revocation_deadline: Duration,
    pub(super) component: ComponentBytes,
    pub(super) compilation_cache: Option<PathBuf>,
}

/// The bytes of a component. `Debug` output shows only their number.
#[derive(Clone)]
pub(super) struct ComponentBytes(pub(super) Arc<[u8]>);

impl fmt::Debug for ComponentBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes of WebAssembly", self.0.len())
    }
}

/// A revocation store. Implementations of [`Revocations`] need not implement `Debug`.
#[derive(Clone)]
pub(super) struct Store(pub(super) Arc<dyn Revocations>);

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a revocation store")
    }
}

impl Default for VerifierBuilder {
    fn default() -> Self {
        Self {
            pools: Vec::new(),
            claim_rules: Vec::new(),
            limits: Limits { token_bytes: 16 * 1024, json_depth: 16, jwks_bytes: 256 * 1024, jwks_keys: 100 },
            key_policy: KeyPolicy::default(),
            cache: CacheLimits { bytes: 512 * 1024, entries: 1_024 },
            allow_http_loopback: false,
            connect_timeout: Duration::from_secs(2),
            fetch_timeout: Duration::from_secs(5),
            roots: Vec::new(),
            refresh_check_interval: Some(Duration::from_secs(1)),
            queue: QueueLimits { calls: 1_024, deadline: Duration::from_secs(1) },
            call_deadline: Duration::from_millis(500),
            memory_limit: 64 * 1024 * 1024,
            instances: None,
            clock: Arc::new(SystemClock),
            revocations: None,
            revocation_deadline: Duration::from_millis(250),
            component: ComponentBytes(poolgate_artifacts::TOKEN_VERIFIER_WIDE.into()),
            compilation_cache: None,
        }
    }
}

/// What a verifier is started with, beside the settings of its builder.
pub(crate) struct Parts {
    pub(crate) configuration: Configuration,
    pub(crate) sandbox: Sandbox,
    pub(crate) discovered: DiscoveredIssuers,
    /// The maximum time of a key fetch.
    pub(crate) fetch_timeout: Duration,
    /// The maximum time that a call waits for keys.
    pub(crate) key_wait: Duration,
    /// The maximum length of a JWK Set.
    pub(crate) jwks_bytes: u32,
    /// The maximum length of a token.
    pub(crate) token_bytes: usize,
    pub(crate) list_names: Vec<String>,
    pub(crate) rule_names: Vec<Vec<Option<String>>>,
}

impl VerifierBuilder {
    /// Builds the verifier.
    ///
    /// This compiles the component, starts the instances, and starts fetching keys in the background. It does not wait for the keys: call
    /// [`Verifier::hydrate`] to wait, or let the first token of each pool wait.
    ///
    /// # Errors
    ///
    /// * [`BuildError::MissingSetting`]: a pool does not configure its app client or token use.
    /// * [`BuildError::DuplicateSetting`]: a pool sets a list of groups or scopes twice.
    /// * [`BuildError::InvalidConfig`]: the configuration is invalid, for example two pools have the same issuer, or a
    ///   limit is out of range.
    /// * [`BuildError::KeyUrl`]: a key URL is not `https` and not an allowed loopback address.
    /// * [`BuildError::Discovery`]: discovery can't be used as it was configured.
    /// * [`BuildError::RevocationDeadline`]: the revocation store has a time-out that is not shorter than the deadline.
    /// * [`BuildError::Sandbox`]: the component could not be compiled or started.
    ///
    /// # Panics
    ///
    /// Panics if it is not called within a Tokio runtime that has its timer and I/O drivers enabled.
    pub async fn build(self) -> Result<Verifier, BuildError> {
        self.check_revocation_deadline()?;
        let rule_names: Vec<Vec<Option<String>>> = self.pools.iter().map(Pool::claim_rule_names).collect();
        let claim_rules = self.claim_rules.iter().cloned();
        let (list_names, requirements): (Vec<String>, Vec<Vec<ClaimRule>>) = claim_rules.unzip();
        if (1..list_names.len()).any(|index| list_names[..index].contains(&list_names[index])) {
            return Err(BuildError::DuplicateSetting("claim_rules"));
        }
        let documents: Vec<Option<Discovery>> = self.pools.iter().map(Pool::discovery).collect::<Result<_, _>>()?;
        let pools = self.pools.iter().cloned().map(|pool| pool.into_wit(self.allow_http_loopback));
        let pools: Vec<PoolConfig> = pools.collect::<Result<_, _>>()?;
        let own_key_urls = pools.iter().zip(&documents).filter_map(|(pool, document)| match &pool.keys {
            KeyOrigin::Url(url) if document.is_none() => Some(url.clone()),
            _ => None,
        });
        let own_key_urls: Vec<String> = own_key_urls.collect();
        let limits =
            DocumentLimits { json_depth: self.limits.json_depth, min_lifetime: self.key_policy.soft_ttl_min.into() };
        let discovered = DiscoveredIssuers::new(documents.into_iter().flatten(), &own_key_urls, limits)?;
        let config = Config {
            pools,
            limits: Some(self.limits),
            key_policy: Some(self.key_policy),
            cache: Some(self.cache),
            requirements: requirements
                .into_iter()
                .map(|rules| rules.into_iter().map(|rule| rule.0).collect())
                .collect(),
        };
        // A fetch may need the document too.
        let requests = if discovered.is_empty() { 1 } else { 2 };
        let key_wait = self.fetch_timeout.saturating_mul(2 * requests).saturating_add(KEY_WAIT_MARGIN);
        let parts = Parts {
            configuration: Configuration::Verifier(config),
            sandbox: self.sandbox().await?,
            discovered,
            fetch_timeout: self.fetch_timeout,
            key_wait: key_wait.min(KEY_WAIT_MAX),
            jwks_bytes: self.limits.jwks_bytes,
            token_bytes: self.limits.token_bytes as usize,
            list_names,
            rule_names,
        };
        self.start(parts).await
    }

    /// Checks that the deadline for the revocation store is longer than the store's own time-out.
    pub(crate) fn check_revocation_deadline(&self) -> Result<(), BuildError> {
        let deadline = self.revocation_deadline;
        let timeout = self.revocations.as_ref().and_then(|(Store(store), _)| store.timeout());
        match timeout.filter(|timeout| *timeout >= deadline) {
            Some(timeout) => Err(BuildError::RevocationDeadline { timeout, deadline }),
            None => Ok(()),
        }
    }

    /// Compiles the component.
    pub(crate) async fn sandbox(&self) -> Result<Sandbox, BuildError> {
        let limits = ResourceLimits { memory_bytes: self.memory_limit, call_deadline: self.call_deadline };
        Sandbox::compile(Arc::clone(&self.component.0), self.compilation_cache.clone(), limits).await
    }

    /// Starts the instances and the background task.
    pub(crate) async fn start(self, parts: Parts) -> Result<Verifier, BuildError> {
        let http = HttpKeySource::new(HttpSettings {
            connect_timeout: self.connect_timeout,
            timeout: parts.fetch_timeout,
            body_limit: parts.jwks_bytes,
            allow_http_loopback: self.allow_http_loopback,
            roots: self.roots,
        });
        let (event_log, metrics, clock) = (Arc::new(KeyEventLog::new()), Arc::new(Metrics::new()), self.clock);
        let fetches =
            Fetches::new(http, parts.discovered, Arc::clone(&clock), Arc::clone(&event_log), Arc::clone(&metrics));
        let shared = Shared { clock, fetches: Arc::new(fetches), event_log, generations: Default::default(), metrics };
        let deadline = self.revocation_deadline;
        let revocation = self.revocations.map(|(Store(store), mode)| RevocationChecker::new(store, mode, deadline));
        let mode = revocation.as_ref().map(|checker| checker.mode);
        let count = self.instances.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let pool = InstancePool::start(parts.sandbox, parts.configuration, mode, shared.clone(), count, self.queue)?;
        let inner = Arc::new(Inner {
            pool,
            shared,
            revocation,
            list_names: parts.list_names.into(),
            rule_names: parts.rule_names,
            token_limit: parts.token_bytes,
            key_wait: parts.key_wait,
            last_reports: Default::default(),
        });
        let reports = inner.key_reports().await.map_err(|denial| BuildError::Sandbox(denial.to_string()))?;
        inner.shared.metrics.set_issuer_labels(&reports);
        inner.add_claim_rules_to_metrics();
        if let Some(interval) = self.refresh_check_interval {
            tokio::spawn(refresh_in_background(Arc::downgrade(&inner), interval));
        }
        Ok(Verifier { inner })
    }
}

/// Refreshes the key sets until the verifier is dropped or shut down.
async fn refresh_in_background(inner: Weak<Inner>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade().filter(|inner| !inner.pool.queue().is_closing()) else {
            return;
        };
        if let Err(denial) = inner.maintain().await {
            tracing::warn!(
                reason = denial.reason.name(),
                "could not check for due key fetches; the next attempt follows"
            );
        }
    }
}
