//! Configures and builds a gate.

use super::{
    config_error::GateConfigError,
    handle::{Configured, Gate},
};
use crate::{
    BuildError, KeyPolicy, VerifierBuilder,
    bindings::exports::poolgate::auth::gate::Settings,
    clock::Clock,
    key_source::{DiscoveredIssuers, Discovery, DocumentLimits, KeyUrl},
    metrics::SandboxGauges,
    revocation::{RevocationMode, Revocations},
    sandbox::{Configuration, Instance, Sandbox},
    verifier::Parts,
};
use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

impl Gate {
    /// The JSON Schema (2020-12) of the configuration.
    pub const SCHEMA: &str = poolgate_artifacts::POLICY_SCHEMA;

    /// Returns a builder. `json` is the configuration: `docs/gate.md` describes it, and `docs/envoy-reference.md` each of its members.
    pub fn builder(json: impl Into<Arc<str>>) -> GateBuilder {
        let settings = VerifierBuilder::default().component(poolgate_artifacts::REQUEST_GATE_WIDE);
        GateBuilder { json: json.into(), settings }
    }
}

/// Configures and builds a [`Gate`].
///
/// What the configuration has is not set here: pools, limits of tokens and key sets, the times of keys, the cache, and the timeouts of fetches. The
/// defaults of the rest are those of [`VerifierBuilder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct GateBuilder {
    json: Arc<str>,
    settings: VerifierBuilder,
}

impl GateBuilder {
    /// Sets the number of sandbox instances; see [`VerifierBuilder::instances`].
    pub fn instances(self, count: NonZeroUsize) -> Self {
        self.with(|settings| settings.instances(count))
    }

    /// Sets the maximum number of requests in progress; see [`VerifierBuilder::call_limit`].
    pub fn call_limit(self, calls: NonZeroUsize) -> Self {
        self.with(|settings| settings.call_limit(calls))
    }

    /// Sets the maximum time that a request waits for an instance; see [`VerifierBuilder::queue_deadline`].
    pub fn queue_deadline(self, deadline: Duration) -> Self {
        self.with(|settings| settings.queue_deadline(deadline))
    }

    /// Sets the maximum time of one call in the sandbox; see [`VerifierBuilder::call_deadline`].
    pub fn call_deadline(self, deadline: Duration) -> Self {
        self.with(|settings| settings.call_deadline(deadline))
    }

    /// Sets the maximum memory of an instance, in bytes; see [`VerifierBuilder::memory_limit`].
    pub fn memory_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.memory_limit(bytes))
    }

    /// Sets the clock; see [`VerifierBuilder::clock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|settings| settings.clock(clock))
    }

    /// Sets the store of revoked tokens; see [`VerifierBuilder::revocations`].
    pub fn revocations(self, store: Arc<dyn Revocations>, mode: RevocationMode) -> Self {
        self.with(|settings| settings.revocations(store, mode))
    }

    /// Sets the maximum time of a query to the revocation store; see [`VerifierBuilder::revocation_deadline`].
    pub fn revocation_deadline(self, deadline: Duration) -> Self {
        self.with(|settings| settings.revocation_deadline(deadline))
    }

    /// Trusts additional certificate authorities for key fetches; see [`VerifierBuilder::root_certificate`].
    ///
    /// # Errors
    ///
    /// Returns [`BuildError::Certificate`] if `pem` contains no certificate or an invalid one.
    pub fn root_certificate(self, pem: &[u8]) -> Result<Self, BuildError> {
        Ok(Self { settings: self.settings.root_certificate(pem)?, json: self.json })
    }

    /// Allows plain HTTP for JWKS endpoints on loopback addresses; see [`VerifierBuilder::allow_http_loopback`].
    pub fn allow_http_loopback(self, allow: bool) -> Self {
        self.with(|settings| settings.allow_http_loopback(allow))
    }

    /// Sets the maximum time to connect to a JWKS endpoint; see [`VerifierBuilder::connect_timeout`].
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.connect_timeout(timeout))
    }

    /// Sets how often the background task checks whether a fetch is due; see [`VerifierBuilder::refresh_check_interval`].
    pub fn refresh_check_interval(self, interval: Duration) -> Self {
        self.with(|settings| settings.refresh_check_interval(interval))
    }

    /// Disables the background task; see [`VerifierBuilder::disable_background_refresh`].
    pub fn disable_background_refresh(self) -> Self {
        self.with(VerifierBuilder::disable_background_refresh)
    }

    /// Caches compiled code in a folder; see [`VerifierBuilder::compilation_cache`].
    pub fn compilation_cache(self, directory: impl Into<PathBuf>) -> Self {
        self.with(|settings| settings.compilation_cache(directory))
    }

    /// Sets the component, as WebAssembly bytes. It must implement the world `request-gate`.
    pub fn component(self, wasm: impl Into<Arc<[u8]>>) -> Self {
        self.with(|settings| settings.component(wasm))
    }

    fn with(self, set: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Self {
        Self { settings: set(self.settings), json: self.json }
    }

    /// Checks the whole configuration, and returns its warnings. Nothing is fetched, and no task is started.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    pub async fn check(&self) -> Result<Vec<GateConfigError>, BuildError> {
        let (checked, key_urls) = check(&self.settings.sandbox().await?, &self.settings, &self.json)?;
        discovered(&checked, &key_urls)?;
        Ok(checked.warnings.into_iter().map(GateConfigError::from).collect())
    }

    /// Builds the gate: checks the whole configuration, compiles the component, starts the instances, and starts fetching keys in the background.
    ///
    /// # Errors
    ///
    /// * [`BuildError::Gate`]: the configuration is invalid.
    /// * [`BuildError::KeyUrl`]: a key URL is not `https` and not an allowed loopback address.
    /// * [`BuildError::RevocationDeadline`]: the revocation store has a time-out that is not shorter than the deadline.
    /// * [`BuildError::Sandbox`]: the component could not be compiled or started.
    ///
    /// # Panics
    ///
    /// Panics if it is not called within a Tokio runtime that has its timer and I/O drivers enabled.
    pub async fn build(self) -> Result<Gate, BuildError> {
        let Self { json, settings } = self;
        settings.check_revocation_deadline()?;
        let sandbox = settings.sandbox().await?;
        let (checked, key_urls) = check(&sandbox, &settings, &json)?;
        let parts = Parts {
            discovered: discovered(&checked, &key_urls)?,
            configuration: Configuration::Gate { json, jitter_seed: KeyPolicy::default().jitter_seed },
            sandbox,
            fetch_timeout: Duration::from_millis(checked.fetch_timeout_ms.into()),
            key_wait: Duration::from_millis(checked.wait_ms.into()),
            jwks_bytes: checked.jwks_bytes,
            token_bytes: usize::MAX,
            list_names: Vec::new(),
            rule_names: Vec::new(),
        };
        Ok(Gate::of(Configured {
            verifier: settings.start(parts).await?,
            warnings: checked.warnings.into_iter().map(GateConfigError::from).collect(),
            claim_headers: checked.claim_headers,
            token_headers: checked.token_headers,
            forwards_tokens: checked.forwards_tokens,
        }))
    }
}

/// Checks a configuration in an instance of its own, and returns what the host must know of it, with the
/// URLs of the key sets that need no discovery document.
fn check(sandbox: &Sandbox, settings: &VerifierBuilder, json: &str) -> Result<(Settings, Vec<String>), BuildError> {
    let failed = |_| BuildError::Sandbox("the component failed while it read the configuration".to_owned());
    let clock = Arc::clone(&settings.clock);
    let mut instance = Instance::start(sandbox, clock, None, SandboxGauges::default()).map_err(failed)?;
    let configured = instance.configure_gate(json, 0).map_err(failed)?;
    let checked = configured.map_err(|problem| BuildError::Gate(problem.into()))?;
    let mut key_urls = Vec::new();
    for url in instance.key_reports().map_err(failed)?.into_iter().filter_map(|report| report.url) {
        KeyUrl::parse(&url, settings.allow_http_loopback)?;
        if checked.discovery_documents.iter().all(|document| document.url != url) {
            key_urls.push(url);
        }
    }
    Ok((checked, key_urls))
}

/// Returns the discovery documents that the host must follow.
fn discovered(checked: &Settings, key_urls: &[String]) -> Result<DiscoveredIssuers, BuildError> {
    let documents = checked.discovery_documents.iter();
    let documents =
        documents.map(|document| Discovery::at(&document.url, &document.issuers).key_hosts(&document.key_hosts));
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    let limits = DocumentLimits { json_depth: checked.json_depth, min_lifetime: checked.soft_ttl_min.into() };
    Ok(DiscoveredIssuers::new(documents, key_urls, limits)?)
}
