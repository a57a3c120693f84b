//! The verifier: built once, cheap to clone, used from many tasks.

use crate::{
    BuildError, Denial, KeyReport, LoadKeySetError, Pool, Verified,
    bindings::exports::poolgate::auth::verifier::{CacheLimits, Config, KeyPolicy, Limits},
    clock::{Clock, SystemClock},
    key_source::{Fetches, HttpKeySource, HttpSettings, KeyEventLog, LocalKeySet},
    metrics::Metrics,
    revocation::{Revocation, RevocationChecker, RevocationError, RevocationMode, Revocations},
    sandbox::{Instances, QueueLimits, ResourceLimits, Sandbox, Shared},
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

/// How much longer than two fetches (one that began before its token came, and one more) a call waits for its keys: for its turn, and
/// for the second look at the token.
const KEY_WAIT_MARGIN: Duration = Duration::from_secs(1);
/// However long a fetch may take.
const KEY_WAIT_MAX: Duration = Duration::from_secs(86_400);

/// Verifies tokens in the sandbox.
///
/// ```no_run
/// use poolgate::{Pool, TokenUseRule, Verifier};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder()
///     .pool(
///         Pool::user_pool("eu-west-1_EXAMPLE01")
///             .token_use(TokenUseRule::Access)
///             .client_ids(["1example23456789"]),
///     )
///     .build()
///     .await?;
/// match verifier.verify("eyJraWQiOi…").await {
///     Ok(verified) => println!("hello {}", verified.username.unwrap_or_default()),
///     Err(denial) => println!("{} ({})", denial.error.status(), denial.reason.name()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    instances: Arc<Instances>,
}

impl Verifier {
    /// Starts with nothing stated.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }

    /// Judges a token in the compact serialization, without `Bearer`.
    ///
    /// A token whose key is held never waits for a fetch. The first of an issuer, and one with an unknown `kid`, may wait for
    /// the keys, not much longer than the fetch timeout; twice that if a fetch was under way before the token came and has not brought its key.
    ///
    /// # Errors
    /// A [`Denial`], which holds no part of the token. Where the sandbox fails, that is a denial too.
    pub async fn verify(&self, token: &str) -> Result<Verified, Denial> {
        self.instances.verify(token).await
    }

    /// Fetches all keys that are missing, waits once for every fetch that is under way then, and reports on each place that keys come
    /// from: one that is dead hides no other, and is not tried again here. It takes no longer than the fetch timeout for every 32 places.
    /// Afterwards no token of a pool whose keys came waits for anything.
    ///
    /// ```no_run
    /// # async fn example(verifier: poolgate::Verifier) -> Result<(), Box<dyn std::error::Error>> {
    /// for report in verifier.hydrate().await? {
    ///     if let Some(error) = report.last_error {
    ///         eprintln!("no keys from {}: {error}", report.url.unwrap_or_default());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A [`Denial`] with the answer 503 if the sandbox fails. A fetch that fails is in the report.
    pub async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        self.instances.hydrate().await
    }

    /// Begins the fetches that it is time for, and does not wait for them. The verifier does so by itself, unless
    /// [`VerifierBuilder::disable_background_refresh`] said that it should not.
    ///
    /// # Errors
    /// A [`Denial`] with the answer 503 if the sandbox fails.
    pub async fn maintain(&self) -> Result<(), Denial> {
        self.instances.maintain().await
    }

    /// Takes a JWK Set for an issuer (the empty string where it is not checked), got at `fetched_at` in seconds since the
    /// Unix epoch: an offline snapshot. It serves until it is as old as the hard lifetime of the key policy.
    ///
    /// # Errors
    /// [`LoadKeySetError`]; the keys held before then stay.
    pub async fn load_key_set(
        &self,
        issuer: impl Into<String>,
        jwks: impl Into<Vec<u8>>,
        fetched_at: u64,
    ) -> Result<KeyReport, LoadKeySetError> {
        self.instances.seed(LocalKeySet { issuer: issuer.into(), jwks: jwks.into(), fetched_at }).await
    }

    /// The state of the keys, as one of the instances sees it.
    ///
    /// # Errors
    /// A [`Denial`] with the answer 503 if the sandbox fails.
    pub async fn key_reports(&self) -> Result<Vec<KeyReport>, Denial> {
        self.instances.key_reports().await
    }

    /// How many calls ended because the sandbox failed: traps, memory, deadlines. Each was denied, and its instance
    /// replaced.
    pub fn sandbox_failures(&self) -> u64 {
        self.instances.metrics.failures()
    }

    /// How many calls waited for a fetch. Once the keys are there, it stands still.
    pub fn key_waits(&self) -> u64 {
        self.instances.metrics.key_waits()
    }

    /// What is counted, in the OpenMetrics text format that Prometheus reads
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`). docs/operations.md lists the names.
    ///
    /// It waits for nothing, and never fails: while all instances are in use, the age of the keys is reckoned from what was last known.
    pub fn metrics(&self) -> String {
        self.instances.metrics.text(&self.instances.last_key_reports())
    }

    /// The same without the counts of account flows, which tell who has an account.
    pub(crate) fn public_metrics(&self) -> String {
        self.instances.metrics.public_text(&self.instances.last_key_reports())
    }

    /// Counts the end of an account flow.
    pub(crate) fn count_account(&self, flow: &'static str, response: &'static str, internal: &str) {
        self.instances.metrics.count_account(flow, response, internal);
    }

    /// Remembers a revocation in the store that the verifier asks ([`VerifierBuilder::revocations`]): tokens that it hits are refused
    /// with `revoked` from now on. It is tried three times within
    /// some 600 ms, each time as long as the deadline allows.
    ///
    /// # Errors
    /// [`RevocationError`]: the tokens may verify until they expire. [`RevocationError::NoStore`] if the verifier has none.
    pub async fn revoke(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        self.instances.revoke(revocation).await
    }

    /// Whether a token came whose issuer differs from a configured one by a slash: the configuration may be wrong.
    pub(crate) fn has_seen_issuer_slash(&self) -> bool {
        self.instances.metrics.has_seen_issuer_slash()
    }

    /// Whether it has a store of revoked tokens.
    pub(crate) fn checks_revocation(&self) -> bool {
        self.instances.checks_revocation()
    }

    /// The time that tokens are judged by.
    pub(crate) fn now(&self) -> u64 {
        self.instances.now()
    }

    /// Ends in good order: refuses new calls (503, `shutting-down`), and returns when those under way have their verdicts.
    pub async fn shut_down(&self) {
        self.instances.close().await;
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// States what a [`Verifier`] needs.
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifierBuilder {
    pools: Vec<Pool>,
    limits: Limits,
    key_policy: KeyPolicy,
    cache: CacheLimits,
    allow_http_loopback: bool,
    connect_timeout: Duration,
    fetch_timeout: Duration,
    roots: Vec<Certificate>,
    maintenance: Option<Duration>,
    queue: QueueLimits,
    call_deadline: Duration,
    memory_limit: usize,
    instances: Option<NonZeroUsize>,
    clock: Arc<dyn Clock>,
    revocations: Option<(Store, RevocationMode)>,
    revocation_deadline: Duration,
    component: Wasm,
    compilation_cache: Option<PathBuf>,
}

/// A component, half a megabyte that no Debug output should show.
#[derive(Clone)]
struct Wasm(Arc<[u8]>);

impl fmt::Debug for Wasm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes of WebAssembly", self.0.len())
    }
}

/// Who knows what was revoked; it need not have a Debug output.
#[derive(Clone)]
struct Store(Arc<dyn Revocations>);

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a store of revoked tokens")
    }
}

impl Default for VerifierBuilder {
    fn default() -> Self {
        Self {
            pools: Vec::new(),
            limits: Limits { token_bytes: 16 * 1024, json_depth: 16, jwks_bytes: 256 * 1024, jwks_keys: 100 },
            key_policy: KeyPolicy::default(),
            cache: CacheLimits { bytes: 512 * 1024, entries: 1_024 },
            allow_http_loopback: false,
            connect_timeout: Duration::from_secs(2),
            fetch_timeout: Duration::from_secs(5),
            roots: Vec::new(),
            maintenance: Some(Duration::from_secs(1)),
            queue: QueueLimits { calls: 1_024, deadline: Duration::from_secs(1) },
            call_deadline: Duration::from_millis(500),
            memory_limit: 64 * 1024 * 1024,
            instances: None,
            clock: Arc::new(SystemClock),
            revocations: None,
            revocation_deadline: Duration::from_millis(250),
            component: Wasm(poolgate_artifacts::TOKEN_VERIFIER_WIDE.into()),
            compilation_cache: None,
        }
    }
}

impl VerifierBuilder {
    /// Adds a pool; at least one is needed.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// The longest token, in bytes. 16 KiB unless stated; at most 1 MiB.
    pub fn token_limit(mut self, bytes: u32) -> Self {
        self.limits.token_bytes = bytes;
        self
    }

    /// The deepest nesting of JSON. 16 unless stated; from 4 to 100.
    pub fn json_depth_limit(mut self, depth: u32) -> Self {
        self.limits.json_depth = depth;
        self
    }

    /// The longest JWK Set in bytes, and the most keys in one. 256 KiB and 100 unless stated; at most 16 MiB and 10,000.
    pub fn jwks_limits(mut self, bytes: u32, keys: u32) -> Self {
        self.limits.jwks_bytes = bytes;
        self.limits.jwks_keys = keys;
        self
    }

    /// Allows plain http to loopback addresses for fetching keys: for emulators and tests.
    pub fn allow_http_loopback(mut self, allow: bool) -> Self {
        self.allow_http_loopback = allow;
        self
    }

    /// The life of keys: lifetimes, retries, fetches for unknown key IDs. The usual one unless stated; see [`KeyPolicy`].
    ///
    /// ```
    /// use poolgate::{KeyPolicy, Verifier};
    ///
    /// let a_week_without_the_issuer = KeyPolicy { hard_ttl: 7 * 86_400, ..KeyPolicy::default() };
    /// let builder = Verifier::builder().key_policy(a_week_without_the_issuer);
    /// ```
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.key_policy = policy;
        self
    }

    /// Verified tokens that each instance remembers, so that one which comes again costs no signature: the most memory in bytes, and the
    /// most tokens. 512 KiB (some 250 tokens) and 1,024 unless stated; at most 64 MiB and 1,048,576. Zero of either remembers none. The
    /// host keeps what they say too, in about as much memory.
    ///
    /// A remembered token is compared byte for byte, and its key, its times and the policy are looked at again each time.
    pub fn token_cache(mut self, bytes: u32, entries: u32) -> Self {
        self.cache = CacheLimits { bytes, entries };
        self
    }

    /// Trusts this certificate authority too (PEM), for issuers that no public one vouches for.
    ///
    /// # Errors
    /// [`BuildError::Certificate`] if it is not a certificate.
    pub fn root_certificate(mut self, pem: &[u8]) -> Result<Self, BuildError> {
        let bundle = Certificate::from_pem_bundle(pem).ok().filter(|bundle| !bundle.is_empty());
        self.roots.extend(bundle.ok_or(BuildError::Certificate)?);
        Ok(self)
    }

    /// How often the verifier looks whether it is time to fetch keys, in the background. Every second unless stated; it costs
    /// microseconds.
    pub fn refresh_check_interval(mut self, interval: Duration) -> Self {
        self.maintenance = Some(interval.max(Duration::from_millis(1)));
        self
    }

    /// Fetches nothing in the background: the caller calls [`Verifier::maintain`], or lives with tokens that wait for keys,
    /// and with withdrawn keys that are trusted until their hard lifetime ends.
    pub fn disable_background_refresh(mut self) -> Self {
        self.maintenance = None;
        self
    }

    /// The most calls inside at once: running, waiting for an instance, or (a quarter of them) waiting for keys. 1,024 unless
    /// stated; others are denied at once, with `overloaded`, or with `keys-unavailable` where too many wait for keys.
    pub fn call_limit(mut self, calls: NonZeroUsize) -> Self {
        self.queue.calls = calls.get();
        self
    }

    /// The longest that a call waits for an instance. A second unless stated; then it is denied with `overloaded`.
    pub fn queue_deadline(mut self, deadline: Duration) -> Self {
        self.queue.deadline = deadline;
        self
    }

    /// The longest that connecting to fetch a JWK Set may take, TLS and all. 2 seconds unless stated.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The longest that fetching a JWK Set may take in all. 5 seconds unless stated.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// The longest that a call may run in the sandbox, not counting the wait for keys. 500 ms unless stated, in steps of
    /// 5 ms. What takes longer is denied with `sandbox-timeout`.
    pub fn call_deadline(mut self, deadline: Duration) -> Self {
        self.call_deadline = deadline;
        self
    }

    /// The most linear memory of an instance, in bytes. 64 MiB unless stated. Who asks for more traps, and is denied with
    /// `sandbox-failed`.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// The instances, that is, the most calls that run at once; others wait. One a CPU unless stated.
    pub fn instances(mut self, count: NonZeroUsize) -> Self {
        self.instances = Some(count);
        self
    }

    /// The clock. The machine's unless stated.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Asks a store about every token that is good in every other way, each time, also if the token is remembered: a revoked one is
    /// refused with `revoked` (401). What becomes of a token when the store does not answer, `mode` says: fail-open lets it through and
    /// counts it (`poolgate_revocation_fail_open_total`), fail-closed refuses it with `revocation-unavailable` (503). Unless stated,
    /// nothing is asked, and a token is good until it expires.
    ///
    /// ```
    /// use poolgate::{Verifier, revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME, RevocationMode}};
    /// use std::{num::NonZeroUsize, sync::Arc};
    ///
    /// let store = InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, NonZeroUsize::new(100_000).unwrap());
    /// let builder = Verifier::builder().revocations(Arc::new(store), RevocationMode::FailClosed);
    /// ```
    pub fn revocations(mut self, store: Arc<dyn Revocations>, mode: RevocationMode) -> Self {
        self.revocations = Some((Store(store), mode));
        self
    }

    /// The longest that the store of revoked tokens may take to answer. 250 ms unless stated; then it has not answered. A store with a
    /// time-out of its own ([`Revocations::timeout`]) needs a shorter one, or the verifier is not built.
    ///
    /// After five questions in a row that had no answer the store is left alone (a circuit breaker): one question each 250 ms tries it,
    /// all others have no answer at once, and the stated mode decides.
    pub fn revocation_deadline(mut self, deadline: Duration) -> Self {
        self.revocation_deadline = deadline;
        self
    }

    /// A component of the world `token-verifier`, as WebAssembly. The built-in one unless stated.
    pub fn component(mut self, wasm: impl Into<Arc<[u8]>>) -> Self {
        self.component = Wasm(wasm.into());
        self
    }

    /// Keeps compiled code in the folder `compiled` of this directory (an absolute path), so that the next start reads it and does not
    /// compile for a second. Not used unless stated.
    ///
    /// Whoever can write there can run code here. What is made is for this user alone (mode 0700). If the folder or a directory above it
    /// belongs to another user than this one and root, or if others can write to it (and it is no directory like `/tmp`, where nobody can
    /// rename what is someone else's), it is not used; nor if it can't be made. A warning in the log says so once, and everything is
    /// compiled.
    pub fn compilation_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.compilation_cache = Some(directory.into());
        self
    }

    /// Compiles and starts the sandbox, and gives it the configuration.
    ///
    /// # Errors
    /// See [`BuildError`]. Fetching begins in the background; [`Verifier::hydrate`] waits for it.
    ///
    /// # Panics
    /// If it is not called on a Tokio runtime with its timer and its I/O enabled.
    pub async fn build(self) -> Result<Verifier, BuildError> {
        let deadline = self.revocation_deadline;
        let timeout = self.revocations.as_ref().and_then(|(Store(store), _)| store.timeout());
        if let Some(timeout) = timeout.filter(|timeout| *timeout >= deadline) {
            return Err(BuildError::RevocationDeadline { timeout, deadline });
        }
        let pools = self.pools.into_iter().map(|pool| pool.into_wit(self.allow_http_loopback));
        let config = Config {
            pools: pools.collect::<Result<_, _>>()?,
            limits: Some(self.limits),
            key_policy: Some(self.key_policy),
            cache: Some(self.cache),
        };
        let sandbox = compile(
            self.component.0,
            self.compilation_cache,
            ResourceLimits { memory_bytes: self.memory_limit, call_deadline: self.call_deadline },
        )
        .await?;
        let http = HttpKeySource::new(HttpSettings {
            connect_timeout: self.connect_timeout,
            timeout: self.fetch_timeout,
            body_limit: self.limits.jwks_bytes,
            allow_http_loopback: self.allow_http_loopback,
            roots: self.roots,
        });
        let (event_log, metrics, clock) = (Arc::new(KeyEventLog::new()), Arc::new(Metrics::new()), self.clock);
        let fetches = Fetches::new(http, Arc::clone(&clock), Arc::clone(&event_log), Arc::clone(&metrics));
        let checker = self.revocations.map(|(Store(store), mode)| RevocationChecker::new(store, mode, deadline));
        let shared = Shared { clock, fetches: Arc::new(fetches), event_log, metrics, checker };
        let count = self.instances.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let key_wait = self.fetch_timeout.saturating_mul(2).saturating_add(KEY_WAIT_MARGIN).min(KEY_WAIT_MAX);
        let instances = Instances::start(sandbox, config, shared, count, self.queue, key_wait)?;
        let instances = Arc::new(instances);
        let reports = instances.key_reports().await.map_err(|denial| BuildError::Sandbox(denial.to_string()))?;
        instances.metrics.set_issuer_labels(&reports);
        if let Some(interval) = self.maintenance {
            tokio::spawn(maintain(Arc::downgrade(&instances), interval));
        }
        Ok(Verifier { instances })
    }
}

/// Looks after the keys for as long as there is a verifier.
async fn maintain(instances: Weak<Instances>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(instances) = instances.upgrade().filter(|instances| !instances.is_closing()) else {
            return;
        };
        if let Err(denial) = instances.maintain().await {
            tracing::warn!(reason = denial.reason.name(), "the keys could not be looked after; another try follows");
        }
    }
}

/// Compiling takes CPU time, which the caller's tasks must not wait for.
pub(crate) async fn compile(
    component: Arc<[u8]>,
    cache: Option<PathBuf>,
    limits: ResourceLimits,
) -> Result<Sandbox, BuildError> {
    tokio::task::spawn_blocking(move || Sandbox::compile(&component, cache, limits))
        .await
        .map_err(|error| BuildError::Sandbox(error.to_string()))?
}
