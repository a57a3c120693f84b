//! The verifier: built once, cheap to clone, and used from many tasks.

use super::inner::Inner;
use crate::{
    Denial, DiscoveryReport, Explanation, IdTokenChecks, KeyReport, LoadKeySetError, Verified,
    key_source::LocalKeySet,
    metrics,
    revocation::{FeedDocument, FeedPosition, Revocation, RevocationError},
};
use std::{fmt, sync::Arc};

/// Verifies tokens in the sandbox.
///
/// Create a verifier with [`Verifier::builder()`]. Clones are cheap, and share the sandbox instances, the keys and the caches.
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
    pub(super) inner: Arc<Inner>,
}

impl Verifier {
    /// Verifies a token in the compact serialization, without the prefix `Bearer`.
    ///
    /// If the verifier has the token's key, the call does not wait for the network, except for the revocation store if
    /// one is configured. The first token of an issuer, and a token with an unknown `kid`, may wait for a key fetch.
    /// This takes at most about the [fetch timeout](crate::VerifierBuilder::fetch_timeout), or twice that if a fetch
    /// was already in progress and did not return the key. If the key URL is [discovered](crate::Pool::discover_keys), it takes at most about
    /// twice as long.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] if the token is rejected, and also if it could not be verified, for example because the
    /// keys are unavailable or the sandbox failed. A denial contains no part of the token.
    pub async fn verify(&self, token: &str) -> Result<Verified, Denial> {
        self.inner.verify(token, None).await
    }

    /// Verifies an ID token, and compares it with the request of the client: its nonce, and the access token of the same response. The pool must
    /// accept ID tokens.
    ///
    /// ```no_run
    /// use poolgate::{Denial, IdTokenChecks, Verified, Verifier};
    ///
    /// # async fn example(verifier: Verifier, id_token: &str, access_token: &str, nonce: &str) -> Result<Verified, Denial> {
    /// verifier.verify_id_token(id_token, &IdTokenChecks::new().nonce(nonce).access_token(access_token)).await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`verify`](Self::verify), and a [`Denial`] with the reason `nonce-mismatch` or `access-token-mismatch`.
    pub async fn verify_id_token(&self, token: &str, checks: &IdTokenChecks) -> Result<Verified, Denial> {
        self.inner.verify(token, Some(checks)).await
    }

    /// Explains the verdict about a token: each check, what the token has, what the configuration accepts, and what to change.
    ///
    /// It never fetches keys and does not query the revocation store. If the keys may be missing, call [`hydrate`](Self::hydrate) before. It is not counted in the metrics.
    /// The explanation has the content of the token, verified or not: show it only to who holds the token, and only where it was asked for. Never
    /// return it with a rejection to a caller, and don't write it to a log.
    ///
    /// ```no_run
    /// # async fn example(verifier: poolgate::Verifier, token: &str) -> Result<(), poolgate::Denial> {
    /// for check in verifier.explain(token).await?.checks {
    ///     println!("{}: {:?}", check.stage.name(), check.result);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] if the token is longer than the limit, if the sandbox fails, or if no instance is free in time.
    pub async fn explain(&self, token: &str) -> Result<Explanation, Denial> {
        self.inner.explain(token).await
    }

    /// Fetches all missing key sets, waits for the fetches, and returns a report for each JWKS endpoint.
    ///
    /// Call it at startup. Afterwards, no token of an issuer whose keys were fetched waits for them. A failed fetch is
    /// in the report and does not affect the other endpoints; it is not repeated by this call. The call takes at most
    /// the [fetch timeout](crate::VerifierBuilder::fetch_timeout) for every 32 endpoints. With [discovery](crate::Pool::discover_keys), an endpoint
    /// needs two requests, and at most four.
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
    ///
    /// Returns a [`Denial`] (503) if the sandbox fails or no instance is free in time.
    pub async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        self.inner.hydrate().await
    }

    /// Starts the key fetches that are due, and does not wait for them.
    ///
    /// The verifier does this in the background. Call it only after
    /// [`VerifierBuilder::disable_background_refresh`](crate::VerifierBuilder::disable_background_refresh), about once per second.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] (503) if the sandbox fails or no instance is free in time.
    pub async fn maintain(&self) -> Result<(), Denial> {
        self.inner.maintain().await
    }

    /// Loads a JWK Set for an issuer, for example from a file.
    ///
    /// * `issuer` is the issuer of the pool, or an empty string for a pool with [`Pool::any_issuer`](crate::Pool::any_issuer).
    /// * `jwks` is the JWK Set as JSON (RFC 7517 section 5).
    /// * `fetched_at` is the time at which the key set was obtained, in seconds since the Unix epoch. The keys are used
    ///   until they are older than the hard lifetime of the [`KeyPolicy`](crate::KeyPolicy).
    ///
    /// # Errors
    ///
    /// Returns [`LoadKeySetError`] if the key set is rejected or the sandbox fails. The current keys then stay in use.
    pub async fn load_key_set(
        &self,
        issuer: impl Into<String>,
        jwks: impl Into<Vec<u8>>,
        fetched_at: u64,
    ) -> Result<KeyReport, LoadKeySetError> {
        self.inner.load_key_set(LocalKeySet { issuer: issuer.into(), jwks: jwks.into(), fetched_at }).await
    }

    /// Returns the state of the keys, with one report for each JWKS endpoint.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] (503) if the sandbox fails or no instance is free in time.
    pub async fn key_reports(&self) -> Result<Vec<KeyReport>, Denial> {
        self.inner.key_reports().await
    }

    /// Returns the state of the discovery documents, with one report for each pool of [`Pool::discover_keys`](crate::Pool::discover_keys).
    ///
    /// Together with [`key_reports`](Self::key_reports) it says which of the two has failed, the document or the key set: both have the URL of
    /// the document. The call does not wait.
    pub fn discovery_reports(&self) -> Vec<DiscoveryReport> {
        self.inner.shared.fetches.discovery_reports()
    }

    /// Returns the number of sandbox failures: traps, exceeded memory limits and exceeded deadlines. Each instance that
    /// failed was replaced.
    pub fn sandbox_failures(&self) -> u64 {
        self.inner.shared.metrics.failures()
    }

    /// Returns the number of calls that waited for a key fetch. It should stop increasing once every pool has keys.
    pub fn key_waits(&self) -> u64 {
        self.inner.shared.metrics.key_waits()
    }

    /// Returns the metrics in the OpenMetrics text format, which Prometheus reads
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`). `docs/operations.md` lists the metrics.
    ///
    /// The call does not wait and cannot fail. If all instances are in use, the age of the keys is computed from the last known report.
    pub fn metrics(&self) -> String {
        self.inner.shared.metrics.text(&self.inner.last_key_reports(), self.inner.feed_report())
    }

    /// Like [`metrics`](Self::metrics), without the counts of account flows, which reveal whether an account exists.
    pub(crate) fn public_metrics(&self) -> String {
        self.inner.shared.metrics.public_text(&self.inner.last_key_reports(), self.inner.feed_report())
    }

    /// Returns the metrics of several verifiers as one text. They have the label `verifier` with these values.
    pub(crate) fn metrics_of_all(verifiers: &[(&'static str, &Verifier)], for_clients: bool) -> String {
        let samples = verifiers.iter().map(|(name, Verifier { inner })| {
            let reports = inner.last_key_reports();
            inner.shared.metrics.samples(&reports, inner.feed_report(), Some(name), for_clients)
        });
        metrics::merged(&samples.collect::<Vec<_>>())
    }

    /// Returns the state that all clones share, for the gate.
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Returns `true` if the other verifier is a clone of this one.
    pub(crate) fn is_same(&self, other: &Verifier) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Counts a completed account flow.
    pub(crate) fn count_account(&self, flow: &'static str, response: &'static str, internal: &str) {
        self.inner.shared.metrics.count_account(flow, response, internal);
    }

    /// Adds a revocation to the store that was configured with
    /// [`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations). From then on, the revoked tokens are rejected with the reason
    /// `revoked`.
    ///
    /// A failed attempt is repeated twice, with a pause of 300 ms before each repetition. Each attempt may take the
    /// [revocation deadline](crate::VerifierBuilder::revocation_deadline).
    ///
    /// # Errors
    ///
    /// Returns [`RevocationError`] if the revocation could not be stored: the tokens are accepted until they expire. The error is
    /// [`RevocationError::NoStore`] if no store is configured.
    pub async fn revoke(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        self.inner.revoke(revocation).await
    }

    /// Returns the revocations of the store after a position as a document of the revocation feed. `None` if there is no store, or its revocations
    /// cannot be listed.
    pub(crate) async fn revocation_feed(
        &self,
        after: Option<FeedPosition>,
    ) -> Result<Option<FeedDocument>, RevocationError> {
        self.inner.revocation_feed(after).await
    }

    /// Returns `true` after a token with an issuer that differs from a configured one only by a final slash. The configuration may then be
    /// wrong.
    pub(crate) fn has_seen_issuer_slash(&self) -> bool {
        self.inner.shared.metrics.has_seen_issuer_slash()
    }

    /// Returns `true` if a revocation store is configured.
    pub(crate) fn checks_revocation(&self) -> bool {
        self.inner.revocation.is_some()
    }

    /// Returns the current time of the verifier's clock, in seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        self.inner.now()
    }

    /// Shuts the verifier down: rejects new calls with the reason `shutting-down` (503), and returns when the calls in
    /// progress have finished.
    pub async fn shut_down(&self) {
        self.inner.pool.queue().close().await;
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").finish_non_exhaustive()
    }
}
