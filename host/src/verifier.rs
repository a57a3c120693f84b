//! The verifier: built once, cheap to clone, used from many tasks.

use crate::{
    BuildError, Denial, KeyReport, Pool, SeedFailure, Verified,
    bindings::exports::poolgate::auth::verifier::{Config, Limits},
    clock::{Clock, SystemClock},
    key_source::{HttpKeySource, SharedKeySource},
    sandbox::{Bounds, Instances, Sandbox, Seed},
};
use std::{fmt, num::NonZeroUsize, path::PathBuf, sync::Arc, thread, time::Duration};

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
///     Err(denial) => println!("{} ({})", denial.answer.status(), denial.reason.name()),
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
    /// The first token of an issuer, and one with an unknown `kid`, may wait for the keys, at most the fetch timeout.
    ///
    /// # Errors
    /// A [`Denial`], which holds no part of the token. Where the sandbox fails, that is a denial too.
    pub async fn verify(&self, token: &str) -> Result<Verified, Denial> {
        self.instances.verify(token).await
    }

    /// Takes a JWK Set for an issuer (the empty string where it is not checked), got at `fetched_at` in seconds since the
    /// Unix epoch.
    ///
    /// # Errors
    /// [`SeedFailure`]; the keys held before then stay.
    pub async fn seed_keys(
        &self,
        issuer: impl Into<String>,
        jwks: impl Into<Vec<u8>>,
        fetched_at: u64,
    ) -> Result<KeyReport, SeedFailure> {
        self.instances.seed(Seed { issuer: issuer.into(), jwks: jwks.into(), fetched_at }).await
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
        self.instances.failures()
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
    allow_http_loopback: bool,
    fetch_timeout: Duration,
    call_deadline: Duration,
    memory_limit: usize,
    instances: Option<NonZeroUsize>,
    clock: Arc<dyn Clock>,
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

impl Default for VerifierBuilder {
    fn default() -> Self {
        Self {
            pools: Vec::new(),
            limits: Limits { token_bytes: 16 * 1024, json_depth: 16, jwks_bytes: 256 * 1024, jwks_keys: 100 },
            allow_http_loopback: false,
            fetch_timeout: Duration::from_secs(5),
            call_deadline: Duration::from_millis(500),
            memory_limit: 64 * 1024 * 1024,
            instances: None,
            clock: Arc::new(SystemClock),
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

    /// The deepest nesting of JSON. 16 unless stated; from 2 to 100.
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

    /// The longest that fetching a JWK Set may take. 5 seconds unless stated.
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

    /// The most instances, that is, the most calls at once; others wait. One a CPU unless stated.
    pub fn instances(mut self, count: NonZeroUsize) -> Self {
        self.instances = Some(count);
        self
    }

    /// The clock. The machine's unless stated.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A component of the world `token-verifier`, as WebAssembly. The built-in one unless stated.
    pub fn component(mut self, wasm: impl Into<Arc<[u8]>>) -> Self {
        self.component = Wasm(wasm.into());
        self
    }

    /// Keeps compiled code in this directory (an absolute path), so that the next start reads it and does not compile for
    /// a second. Whoever can write there can run code here. Not used unless stated.
    pub fn compilation_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.compilation_cache = Some(directory.into());
        self
    }

    /// Compiles and starts the sandbox, and gives it the configuration.
    ///
    /// # Errors
    /// See [`BuildError`]. Nothing is fetched yet.
    pub async fn build(self) -> Result<Verifier, BuildError> {
        let pools = self.pools.into_iter().map(|pool| pool.into_wit(self.allow_http_loopback));
        let config = Config { pools: pools.collect::<Result<_, _>>()?, limits: Some(self.limits) };
        let sandbox = compile(
            self.component.0,
            self.compilation_cache,
            Bounds { memory_bytes: self.memory_limit, call_deadline: self.call_deadline },
        )
        .await?;
        let http = HttpKeySource::new(self.fetch_timeout, self.limits.jwks_bytes, self.allow_http_loopback)
            .map_err(|error| BuildError::Sandbox(format!("the HTTP client: {error}")))?;
        let keys = Arc::new(SharedKeySource::new(http, Arc::clone(&self.clock)));
        let count = self.instances.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let instances = Instances::start(sandbox, config, self.clock, keys, count).await?;
        Ok(Verifier { instances: Arc::new(instances) })
    }
}

/// Compiling takes CPU time, which the caller's tasks must not wait for.
pub(crate) async fn compile(
    component: Arc<[u8]>,
    cache: Option<PathBuf>,
    bounds: Bounds,
) -> Result<Sandbox, BuildError> {
    tokio::task::spawn_blocking(move || Sandbox::compile(&component, cache, bounds))
        .await
        .map_err(|error| BuildError::Sandbox(error.to_string()))?
}
