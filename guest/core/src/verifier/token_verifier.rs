//! The verifier: configuration, keys and cache.

#[cfg(feature = "ecdsa")]
use super::load_balancer_index::LoadBalancerIndex;
use super::{
    interrupt::Interrupt,
    issuer_index::{IssuerEntry, IssuerIndex},
    steps::Verification,
    verdict::{Misfit, Step, Verified, VerifyOutcome},
};
use crate::{
    cache::TokenCache,
    claims::{Claims, Read, RuleResult, parse_payload},
    compact::CompactJws,
    config::{ClaimRule, Config, ConfigError, KeyPolicy, Limits, Pool},
    json::Object,
    keys::{
        Fetch, FetchError, Instant, JwksEndpointId, KeyReport, KeySetError, KeyStore, LogicalTime, MissingKey,
        MissingKeyAction, Response,
    },
    policy::Policy,
    reason::{Hint, Reason},
    revocation::{RevocationMode, RevocationStatus},
};
use alloc::vec::Vec;

/// Verifies tokens. It holds the configuration, the keys and the cache; the time and the token are passed to each call.
#[derive(Debug)]
pub struct Verifier {
    pub(super) limits: Limits,
    pub(super) policies: Vec<Policy>,
    /// Lists of claim rules that the caller asks for.
    requirements: Vec<Vec<ClaimRule>>,
    pub(super) issuers: IssuerIndex,
    #[cfg(feature = "ecdsa")]
    pub(super) load_balancers: LoadBalancerIndex,
    pub(super) keys: KeyStore,
    cache: TokenCache,
    /// Set if revocation is checked.
    revocation: Option<RevocationMode>,
}

impl Verifier {
    /// Creates a verifier with this configuration.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.limits.check()?;
        config.key_policy.check()?;
        config.cache.check()?;
        check_requirements(&config.requirements)?;
        let policies = config.pools.iter().map(Policy::new).collect::<Result<_, _>>()?;
        let mut keys = KeyStore::new(config.limits, config.key_policy);
        let issuers = IssuerIndex::new(&config.pools, &mut keys)?;
        #[cfg(feature = "ecdsa")]
        let load_balancers = LoadBalancerIndex::new(&config.pools, &config.key_policy, &mut keys)?;
        let cache = TokenCache::new(config.cache);
        Ok(Self {
            limits: config.limits,
            policies,
            requirements: config.requirements,
            issuers,
            #[cfg(feature = "ecdsa")]
            load_balancers,
            keys,
            cache,
            revocation: None,
        })
    }

    /// Enables the revocation check: from now on, no token is accepted before its revocation status is known. `mode` decides about tokens
    /// whose status is unavailable.
    pub fn enable_revocation_check(&mut self, mode: RevocationMode) {
        self.revocation = Some(mode);
    }

    /// Verifies a token in the compact serialization (RFC 7515 section 7.1) at the time `now`, in seconds since the Unix epoch.
    ///
    /// A token whose key is in the current key set never causes a fetch.
    pub fn verify(&mut self, now: u64, token: &str) -> Step {
        self.verify_cached(now, token).map(|outcome| outcome.into_verified(&self.cache))
    }

    /// Verifies a token for a caller that stores the claims of cached tokens itself. On a cache hit, it returns only the cache handle, and
    /// copies no claims.
    pub fn verify_cached(&mut self, now: u64, token: &str) -> Step<VerifyOutcome> {
        match self.verification(now).lookup_or_verify(token) {
            Ok(outcome) => Step::Done(Ok(outcome)),
            Err(interrupt) => self.step(interrupt, KeyStore::on_missing_key),
        }
    }

    /// Verifies a token after the fetch of its keys has ended. `received_at` is a point in time before the call of [`Verifier::verify`] that
    /// required the fetch.
    ///
    /// If the key set still does not have the `kid` and the fetch started after `received_at`, the `kid` is unknown, and enters the negative
    /// cache. If the fetch started earlier, the key may have been published since. Then the step requires one more fetch, or refers to one
    /// that is in progress; or the token is rejected without caching its `kid`, if no fetch may start now.
    pub fn verify_after_fetch(&mut self, now: u64, token: &str, received_at: LogicalTime) -> Step {
        match self.verification(now).lookup_or_verify(token) {
            Ok(outcome) => Step::Done(outcome.into_verified(&self.cache)),
            Err(interrupt) => self.step(interrupt, |keys, endpoint, key_id, error, now| {
                keys.after_fetch_missing_key(endpoint, key_id, error, received_at, now)
            }),
        }
    }

    /// Verifies a token whose revocation status the caller has queried ([`Step::PendingRevocation`]). All other checks are repeated, because
    /// time has passed. This never requires a fetch.
    ///
    /// # Errors
    /// The reason for the rejection. [`Reason::NotConfigured`] if the revocation check is not enabled.
    pub fn verify_with_revocation_status(
        &mut self,
        now: u64,
        token: &str,
        status: RevocationStatus,
    ) -> Result<Verified, Reason> {
        let mode = self.revocation.ok_or(Reason::NotConfigured)?;
        let mut verification = Verification { checks_revocation: false, ..self.verification(now) };
        let outcome = verification.lookup_or_verify(token);
        let outcome = outcome.map_err(|interrupt| self.reason(&interrupt))?;
        mode.check(status)?;
        outcome.into_verified(&self.cache)
    }

    /// Returns more about a rejection, for the operator: which claim has the wrong type, or what may be wrong with the configured issuer. It
    /// reads the token again. The token is not verified, so a hint proves nothing. It contains no part of the token.
    pub fn hint(&self, token: &str, reason: Reason) -> Option<Hint> {
        if !matches!(reason, Reason::ClaimInvalid | Reason::IssuerUnknown) {
            return None;
        }
        self.with_payload(token, |object| {
            let read = Read::from(object);
            let Ok(issuer) = self.find_issuer(token, &read) else {
                let issuer = read.issuer().ok()??;
                let differs_by_slash = self.issuers.differs_by_slash(issuer);
                #[cfg(feature = "ecdsa")]
                let differs_by_slash = differs_by_slash || self.load_balancers.differs_by_slash(issuer);
                return differs_by_slash.then_some(Hint::IssuerSlash);
            };
            let policy = self.policies.get(issuer.policy)?;
            Claims::read(&read, object, &policy.claim_names).err()?.hint
        })
    }

    /// Returns the claim rule because of which a token was rejected ([`Reason::ClaimMismatch`]), for the operator. It reads the token again.
    pub fn misfit(&self, token: &str, reason: Reason) -> Option<Misfit> {
        if reason != Reason::ClaimMismatch {
            return None;
        }
        self.with_payload(token, |object| {
            let issuer = self.find_issuer(token, &Read::from(object)).ok()?;
            let (rule, result) = self.policies.get(issuer.policy)?.first_misfit(object)?;
            let (pool, rule) = (u32::try_from(issuer.policy).ok()?, u32::try_from(rule).ok()?);
            Some(Misfit { pool, rule, is_absent: result == RuleResult::Absent })
        })
    }

    fn find_issuer(&self, token: &str, read: &Read<'_>) -> Result<IssuerEntry, Reason> {
        #[cfg(feature = "ecdsa")]
        if self.is_of_load_balancer(token) {
            return self.load_balancers.find_for_token(token, read, &self.limits);
        }
        #[cfg(not(feature = "ecdsa"))]
        let _ = token;
        self.issuers.find(read)
    }

    /// Splits a token by the grammar of its kind.
    pub(super) fn split<'t>(&self, token: &'t str) -> Result<CompactJws<'t>, Reason> {
        let limit = self.limits.token_bytes as usize;
        #[cfg(feature = "ecdsa")]
        if self.is_of_load_balancer(token) {
            return CompactJws::split_padded(token, limit);
        }
        CompactJws::split(token, limit)
    }

    /// Returns whether a token is in the grammar of load balancers.
    #[cfg(feature = "ecdsa")]
    pub(super) fn is_of_load_balancer(&self, token: &str) -> bool {
        self.load_balancers.is_grammar_of(token)
    }

    /// This build has no load balancers, which sign with ES256.
    #[cfg(not(feature = "ecdsa"))]
    pub(super) fn is_of_load_balancer(&self, _token: &str) -> bool {
        false
    }

    fn with_payload<T>(&self, token: &str, read: impl FnOnce(&Object<'_>) -> Option<T>) -> Option<T> {
        let payload = self.split(token).ok()?.payload().ok()?;
        let object = parse_payload(core::str::from_utf8(&payload).ok()?, self.limits.json_depth).ok()?;
        read(&object)
    }

    /// Replaces the policy of each pool, and the claim rules that the caller asks for. The pools must have the same issuers in the same order.
    /// Where their keys come from does not change. No token stays in the cache.
    ///
    /// # Errors
    /// See [`ConfigError`]. The policy then stays as it was.
    pub fn change_policy(&mut self, pools: &[Pool], requirements: &[Vec<ClaimRule>]) -> Result<(), ConfigError> {
        check_requirements(requirements)?;
        let mut keys = KeyStore::new(self.limits, KeyPolicy::default());
        let issuers = IssuerIndex::new(pools, &mut keys)?;
        if !self.issuers.is_equivalent(&issuers) {
            return Err(ConfigError::OtherIssuers);
        }
        #[cfg(feature = "ecdsa")]
        if !self.load_balancers.is_equivalent(&LoadBalancerIndex::new(pools, &KeyPolicy::default(), &mut keys)?) {
            return Err(ConfigError::OtherIssuers);
        }
        self.policies = pools.iter().map(Policy::new).collect::<Result<_, _>>()?;
        self.issuers.replace_tenants(issuers);
        self.requirements = requirements.to_vec();
        // The cached claims were read and judged under the earlier policy.
        self.cache.clear_all();
        Ok(())
    }

    /// Returns the number of cached tokens, and their memory in bytes. Neither exceeds its limit.
    pub fn cached_tokens(&self) -> (usize, usize) {
        self.cache.size()
    }

    /// Returns the number of key IDs in the negative cache. It never exceeds the limit of the key policy.
    pub fn negative_cache_len(&self) -> usize {
        self.keys.negative_cache_len()
    }

    /// Starts the fetches that are due, and returns them: of endpoints without keys, and of those whose keys are past their soft lifetime.
    /// Report each result to [`Verifier::fetched`].
    ///
    /// Call this about once per second, so that no token has to wait for keys.
    #[must_use]
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        let now = self.keys.advance(now);
        self.keys.start_due_fetches(now)
    }

    /// Reduces the token bucket for unknown key IDs to at most `left` fetches, at each endpoint. It gains one fetch per
    /// `unknown_key_interval`, up to its capacity.
    ///
    /// Use it in a host that creates a verifier every few seconds. Otherwise each verifier would start with a full token bucket.
    pub fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.keys.leave_unknown_key_fetches(left);
    }

    /// Applies the result of a fetch that ended at `ended_at`, in seconds since the Unix epoch. Another verifier may have required the fetch:
    /// `url` and `key_id` are those of the [`Fetch`]. `started_at` is when the request was made, in the order of `received_at` of
    /// [`Verifier::verify_after_fetch`]; pass [`LogicalTime::UNKNOWN`] if it is not known.
    ///
    /// If the fetched key set does not have `key_id`, the key ID enters the negative cache.
    ///
    /// # Errors
    /// See [`KeySetError`]. The current key set then stays in use.
    pub fn fetched(
        &mut self,
        now: u64,
        url: &str,
        key_id: Option<&str>,
        started_at: LogicalTime,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchError>,
    ) -> Result<(), KeySetError> {
        self.keys.advance(now);
        let endpoint = self.keys.endpoint_for(url).ok_or(KeySetError::UnknownUrl)?;
        let generation = self.keys.generation(endpoint);
        let result = self.keys.fetched(url, key_id, started_at, ended_at, outcome);
        self.invalidate_if_rotated(endpoint, generation);
        result
    }

    /// Loads a JWK Set for an issuer that the caller obtained at `fetched_at`, in seconds since the Unix epoch. Its lifetimes start then.
    /// `issuer` is empty if the issuer is not checked. For a load balancer, it is its ARN.
    ///
    /// # Errors
    /// See [`KeySetError`]. The current key set then stays in use.
    pub fn load_key_set(
        &mut self,
        now: u64,
        issuer: &str,
        jwks: &[u8],
        fetched_at: u64,
    ) -> Result<KeyReport, KeySetError> {
        let endpoint = self.issuers.get(issuer).map(|entry| entry.endpoint);
        #[cfg(feature = "ecdsa")]
        let endpoint = endpoint.or_else(|| self.load_balancers.local_keys(issuer));
        let endpoint = endpoint.ok_or(KeySetError::UnknownIssuer)?;
        self.keys.advance(now);
        let generation = self.keys.generation(endpoint);
        let report = self.keys.load(endpoint, jwks, fetched_at);
        self.invalidate_if_rotated(endpoint, generation);
        report
    }

    /// Returns the state of the keys at the time `now`, with one entry for each JWKS endpoint.
    pub fn key_reports(&mut self, now: u64) -> Vec<KeyReport> {
        self.keys.advance(now);
        self.keys.reports()
    }

    pub(super) fn verification(&mut self, now: u64) -> Verification<'_> {
        Verification {
            now,
            limits: &self.limits,
            policies: &self.policies,
            requirements: &self.requirements,
            issuers: &self.issuers,
            #[cfg(feature = "ecdsa")]
            load_balancers: &self.load_balancers,
            keys: &mut self.keys,
            cache: &mut self.cache,
            checks_revocation: self.revocation.is_some(),
        }
    }

    /// Returns the step that follows an interrupted verification. `on_missing_key` decides about a missing key.
    fn step<T>(
        &mut self,
        interrupt: Interrupt,
        on_missing_key: impl FnOnce(&mut KeyStore, JwksEndpointId, &str, MissingKey, Instant) -> MissingKeyAction,
    ) -> Step<T> {
        match interrupt {
            Interrupt::Rejected(reason) => Step::Done(Err(reason)),
            Interrupt::PendingRevocation(claims) => Step::PendingRevocation(claims),
            Interrupt::KeyMissing { endpoint, key_id, error, now } => {
                match on_missing_key(&mut self.keys, endpoint, &key_id, error, now) {
                    MissingKeyAction::Reject(reason) => Step::Done(Err(reason)),
                    MissingKeyAction::Fetch(fetch) => Step::NeedsKeys(fetch),
                    MissingKeyAction::Await(url) => Step::PendingFetch(url),
                }
            }
        }
    }

    /// Verifies a token without a lookup in the cache, and returns the reason for its rejection if no fetch and no query follow.
    pub(super) fn reason_without_fetch(&mut self, now: u64, token: &str) -> Option<Reason> {
        self.verification(now).verify(token).err().map(|interrupt| self.reason(&interrupt))
    }

    /// Returns the reason for rejecting a token if no fetch and no query follow.
    pub(super) fn reason(&self, interrupt: &Interrupt) -> Reason {
        match interrupt {
            Interrupt::Rejected(reason) => *reason,
            Interrupt::KeyMissing { endpoint, error, .. } => self.keys.reason(*endpoint, *error),
            Interrupt::PendingRevocation(_) => Reason::RevocationUnavailable,
        }
    }

    /// Removes the cached tokens of an endpoint if its keys have changed, so that no token outlives its key.
    fn invalidate_if_rotated(&mut self, endpoint: JwksEndpointId, generation: u64) {
        if self.keys.generation(endpoint) != generation {
            self.cache.invalidate_endpoint(endpoint);
        }
    }
}

/// The lists of claim rules are numbered in a word of 64 bits. Every token would fit a list without rules.
fn check_requirements(lists: &[Vec<ClaimRule>]) -> Result<(), ConfigError> {
    if lists.len() > u64::BITS as usize {
        return Err(ConfigError::InvalidClaimRule);
    }
    if lists.iter().any(Vec::is_empty) {
        return Err(ConfigError::EmptyList);
    }
    lists.iter().try_for_each(|rules| ClaimRule::check_list(rules))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ClaimSelector, ClaimTest};
    use alloc::{borrow::ToOwned, vec};

    #[test]
    fn a_caller_asks_for_at_most_64_lists_and_none_of_them_is_empty() {
        let rule = ClaimRule {
            name: None,
            claim: "role".to_owned(),
            path: Vec::new(),
            selector: ClaimSelector::Value,
            test: ClaimTest::Exists(true),
            fits_if_absent: false,
        };
        let lists = |count: usize| vec![vec![rule.clone()]; count];
        assert_eq!(check_requirements(&[]), Ok(()));
        assert_eq!(check_requirements(&lists(64)), Ok(()));
        assert_eq!(check_requirements(&lists(65)), Err(ConfigError::InvalidClaimRule));
        assert_eq!(check_requirements(&[vec![rule.clone()], Vec::new()]), Err(ConfigError::EmptyList));
    }
}
