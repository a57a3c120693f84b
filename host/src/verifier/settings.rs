//! The settings of [`VerifierBuilder`].

use super::builder::{ComponentBytes, Store, VerifierBuilder};
use crate::{
    BuildError, ClaimRule, Pool,
    bindings::exports::poolgate::auth::verifier::{CacheLimits, KeyPolicy},
    clock::Clock,
    revocation::{RevocationMode, Revocations},
};
use reqwest::Certificate;
use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

impl VerifierBuilder {
    /// Adds a pool whose tokens the verifier accepts.
    ///
    /// Call this once for each issuer. A token's `iss` claim selects the pool, and with it the keys and the policy.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Sets the maximum length of a token, in bytes.
    ///
    /// Longer tokens are rejected with the reason `token-too-large`. The default is 16 KiB. Values above 1 MiB make
    /// [`build`](Self::build) fail.
    pub fn token_limit(mut self, bytes: u32) -> Self {
        self.limits.token_bytes = bytes;
        self
    }

    /// Sets the maximum nesting depth of JSON in tokens and key sets.
    ///
    /// The default is 16. Values below 4 or above 100 make [`build`](Self::build) fail.
    pub fn json_depth_limit(mut self, depth: u32) -> Self {
        self.limits.json_depth = depth;
        self
    }

    /// Sets the maximum size of a key set: its length in bytes, and the number of its keys.
    ///
    /// A larger key set is rejected, and the current keys stay in use. The defaults are 256 KiB and 100 keys. Values
    /// above 16 MiB or 10,000 keys make [`build`](Self::build) fail.
    pub fn jwks_limits(mut self, bytes: u32, keys: u32) -> Self {
        self.limits.jwks_bytes = bytes;
        self.limits.jwks_keys = keys;
        self
    }

    /// Allows plain HTTP for JWKS endpoints on loopback addresses.
    ///
    /// Use this for emulators and tests. By default, only `https` URLs are allowed.
    pub fn allow_http_loopback(mut self, allow: bool) -> Self {
        self.allow_http_loopback = allow;
        self
    }

    /// Sets when key sets are refreshed and expire, how failed fetches are retried, and how many fetches unknown key IDs can cause.
    ///
    /// The default is [`KeyPolicy::default`].
    ///
    /// ```
    /// use poolgate::{KeyPolicy, Verifier};
    ///
    /// // Keep using the keys for a week if the JWKS endpoint fails.
    /// let policy = KeyPolicy { hard_ttl: 7 * 86_400, ..KeyPolicy::default() };
    /// let builder = Verifier::builder().key_policy(policy);
    /// ```
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.key_policy = policy;
        self
    }

    /// Sets the size of the verified-token cache of each instance.
    ///
    /// On a cache hit, the verifier skips the signature check. It still compares the complete token, and rechecks the key, the time claims
    /// and the policy. A cached token is not accepted after its key has been removed from the key set.
    ///
    /// `bytes` is the maximum memory and `entries` the maximum number of tokens. The defaults are 512 KiB (about 250
    /// tokens) and 1,024; the maxima are 64 MiB and 1,048,576, and larger values make [`build`](Self::build) fail. Set
    /// either to zero to disable the cache. The host keeps the claims of cached tokens in about the same amount of
    /// memory again.
    pub fn token_cache(mut self, bytes: u32, entries: u32) -> Self {
        self.cache = CacheLimits { bytes, entries };
        self
    }

    /// Trusts additional certificate authorities for key fetches. `pem` contains one or more certificates in PEM format.
    ///
    /// Use this for issuers whose certificates are not issued by a public authority. Each call adds to the previous ones.
    ///
    /// # Errors
    ///
    /// Returns [`BuildError::Certificate`] if `pem` contains no certificate or an invalid one.
    pub fn root_certificate(mut self, pem: &[u8]) -> Result<Self, BuildError> {
        let bundle = Certificate::from_pem_bundle(pem).ok().filter(|bundle| !bundle.is_empty());
        self.roots.extend(bundle.ok_or(BuildError::Certificate)?);
        Ok(self)
    }

    /// Adds a named list of claim rules, which is not required of every token, but by a [`Requirement`](crate::Requirement) or by
    /// [`Verified::fits_claim_rules`](crate::Verified::fits_claim_rules).
    ///
    /// All rules of a list must fit. A token is judged when it is verified, and the result is cached with it. At most 64 lists of 1 to 32 rules;
    /// each name may occur once. Otherwise, and if a list is empty, [`build`](Self::build) fails.
    pub fn claim_rules(mut self, name: impl Into<String>, rules: impl IntoIterator<Item = ClaimRule>) -> Self {
        self.claim_rules.push((name.into(), rules.into_iter().collect()));
        self
    }

    /// Sets how often the background task checks whether a key fetch is due.
    ///
    /// The default is 1 second, and the minimum is 1 ms. A check takes microseconds.
    pub fn refresh_check_interval(mut self, interval: Duration) -> Self {
        self.refresh_check_interval = Some(interval.max(Duration::from_millis(1)));
        self
    }

    /// Disables the background task that refreshes key sets.
    ///
    /// Without it, call [`Verifier::maintain`](crate::Verifier::maintain) about once per second. If you do not, tokens
    /// wait for a fetch when keys expire, and a key that the issuer has withdrawn is accepted until the hard lifetime
    /// of its key set ends.
    pub fn disable_background_refresh(mut self) -> Self {
        self.refresh_check_interval = None;
        self
    }

    /// Sets the maximum number of calls in progress.
    ///
    /// A call counts while it runs, waits for an instance, or waits for keys. At most a quarter of the calls may wait
    /// for keys. Calls above the limit are denied immediately with the reason `overloaded`, or `keys-unavailable` if
    /// too many calls wait for keys (both 503). The default is 1,024.
    pub fn call_limit(mut self, calls: NonZeroUsize) -> Self {
        self.queue.calls = calls.get();
        self
    }

    /// Sets the maximum time that a call waits for an instance.
    ///
    /// A call that waits longer is denied with the reason `overloaded` (503). The default is 1 second.
    pub fn queue_deadline(mut self, deadline: Duration) -> Self {
        self.queue.deadline = deadline;
        self
    }

    /// Sets the maximum time to connect to a JWKS endpoint, including the TLS handshake.
    ///
    /// The default is 2 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the maximum time of a key fetch, including connecting and reading the response.
    ///
    /// The default is 5 seconds.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// Sets the maximum time that a call may run in the sandbox, excluding the wait for keys.
    ///
    /// A call that exceeds it is denied with the reason `sandbox-timeout` (503), and its instance is replaced. The default is 500 ms. The
    /// resolution is 5 ms.
    pub fn call_deadline(mut self, deadline: Duration) -> Self {
        self.call_deadline = deadline;
        self
    }

    /// Sets the maximum linear memory of an instance, in bytes.
    ///
    /// A call that needs more traps. It is denied with the reason `sandbox-failed` (503), and its instance is replaced.
    /// The default is 64 MiB.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Sets the number of instances, which is the maximum number of calls that run at the same time. Other calls wait.
    ///
    /// The default is the number of available CPUs.
    pub fn instances(mut self, count: NonZeroUsize) -> Self {
        self.instances = Some(count);
        self
    }

    /// Sets the clock. The default is [`SystemClock`](crate::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the store of revoked tokens, and the behavior while the store does not respond.
    ///
    /// The verifier queries the store for every token that passes all other checks, including cached tokens. A revoked
    /// token is rejected with the reason `revoked` (401). If the store does not respond within
    /// [`revocation_deadline`](Self::revocation_deadline):
    ///
    /// * [`RevocationMode::FailClosed`] denies the token with the reason `revocation-unavailable` (503);
    /// * [`RevocationMode::FailOpen`] accepts it and increments `poolgate_revocation_fail_open_total`.
    ///
    /// By default, no store is configured, and a token is accepted until it expires.
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

    /// Sets the maximum time of a query to the revocation store.
    ///
    /// The default is 250 ms. If the store has a time-out ([`Revocations::timeout`]), this deadline must be longer; otherwise
    /// [`build`](Self::build) fails.
    ///
    /// After five consecutive queries without a response, a circuit breaker opens: the store gets one trial query per
    /// 250 ms, and the mode decides about all other tokens without a query. The circuit closes with the first response.
    pub fn revocation_deadline(mut self, deadline: Duration) -> Self {
        self.revocation_deadline = deadline;
        self
    }

    /// Sets the component, as WebAssembly bytes. It must implement the world `token-verifier`.
    ///
    /// The default is the component that is built into this crate.
    pub fn component(mut self, wasm: impl Into<Arc<[u8]>>) -> Self {
        self.component = ComponentBytes(wasm.into());
        self
    }

    /// Caches compiled code in the folder `compiled` of `directory`, so that later builds take milliseconds instead of a second.
    ///
    /// `directory` must be an absolute path. **Anyone who can write to it can run code in this process.** By default, nothing is cached.
    ///
    /// Missing folders are created with mode 0700. The cache is not used if a folder belongs to a user other than this
    /// one and root, or if other users can write to it. This includes the folders above it, except those with the
    /// sticky bit, such as `/tmp`. If the cache cannot be used, the verifier logs a warning, once, and compiles the
    /// component.
    pub fn compilation_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.compilation_cache = Some(directory.into());
        self
    }
}
