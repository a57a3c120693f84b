//! Verifies tokens, and caches the claims to forward of each cached token.

use crate::{
    claims::{ClaimMapping, ForwardedClaims},
    config::Config,
    pool_keys::{self, PoolKeys},
};
use poolgate_core::{
    CacheHandle, CacheHit, Fetch, LogicalTime, Reason, RevocationClaims, RevocationStatus, Step, Verified, Verifier,
    VerifyOutcome,
};
use serde_json::Value;
use std::{cell::Cell, collections::HashMap, rc::Rc};

/// The core's verifier, and the claims that are forwarded.
#[derive(Debug)]
pub(crate) struct Verification {
    pub(crate) verifier: Verifier,
    /// The names of the pools.
    pools: Vec<String>,
    /// The index of the pool of each issuer. A pool that accepts any issuer is stored under the empty issuer.
    pub(crate) by_issuer: HashMap<String, usize>,
    headers: Vec<(String, ClaimMapping)>,
    state: Vec<(String, ClaimMapping)>,
    /// The claims of cached tokens, by slot, each with the version of its cache handle.
    claims_by_handle: Vec<Option<(u64, Rc<ForwardedClaims>)>>,
    /// Whether the adapter takes the payload of each token.
    pub(crate) keeps_payloads: bool,
}

/// Why there are no claims.
pub(crate) enum Unverified {
    Rejected(Reason),
    /// The keys of `url` are needed first. If `fetch` is present, the fetch must be started.
    PendingKeys {
        url: String,
        fetch: Option<Fetch>,
    },
    /// Whether the token is revoked must be known first. Only if the check of revocations is enabled.
    PendingRevocation(Box<RevocationClaims>),
}

impl Verification {
    pub(crate) fn new(config: &Config, verifier: Verifier) -> Self {
        let pools = config.pools.iter().enumerate();
        let by_issuer =
            pools.flat_map(|(number, pool)| pool.issuer_names().into_iter().map(move |issuer| (issuer, number)));
        let headers = config.claims_to_headers.iter();
        let state = config.claims_to_filter_state.iter();
        Self {
            verifier,
            pools: config.pools.iter().map(|pool| pool.name.clone()).collect(),
            by_issuer: by_issuer.collect(),
            headers: headers.map(|it| (it.header.clone(), ClaimMapping::new(&it.claim, &it.path))).collect(),
            state: state.map(|it| (it.name.clone(), ClaimMapping::new(&it.claim, &it.path))).collect(),
            claims_by_handle: Vec::new(),
            keeps_payloads: false,
        }
    }

    /// Verifies a token, or finds it in the cache.
    pub(crate) fn verify(&mut self, now: u64, token: &str) -> Result<Rc<ForwardedClaims>, Unverified> {
        match self.verifier.verify_cached(now, token) {
            Step::Done(Ok(VerifyOutcome::Cached(CacheHit { handle, keys_are_stale }))) => {
                match self.cached_claims(handle) {
                    Some(claims) => {
                        claims.keys_are_stale.set(keys_are_stale);
                        Ok(claims)
                    }
                    None => {
                        // The token was in the cache a moment ago, so its key is known and no fetch is needed.
                        let verified = self
                            .verifier
                            .verify_after_fetch(now, token, LogicalTime::UNKNOWN)
                            .verdict()
                            .map_err(Unverified::Rejected)?;
                        Ok(self.store_claims(Some(handle), verified))
                    }
                }
            }
            Step::Done(Ok(VerifyOutcome::Verified(verified, handle))) => Ok(self.store_claims(handle, verified)),
            Step::Done(Err(reason)) => Err(Unverified::Rejected(reason)),
            Step::PendingRevocation(claims) => Err(Unverified::PendingRevocation(claims)),
            Step::NeedsKeys(fetch) => Err(Unverified::PendingKeys { url: fetch.url.clone(), fetch: Some(fetch) }),
            Step::PendingFetch(url) => Err(Unverified::PendingKeys { url, fetch: None }),
        }
    }

    /// Verifies a token after a fetch of its keys has ended; see [`Verifier::verify_after_fetch`].
    pub(crate) fn verify_after_fetch(
        &mut self,
        now: u64,
        token: &str,
        received_at: LogicalTime,
    ) -> Result<Rc<ForwardedClaims>, Unverified> {
        match self.verifier.verify_after_fetch(now, token, received_at) {
            Step::NeedsKeys(fetch) => Err(Unverified::PendingKeys { url: fetch.url.clone(), fetch: Some(fetch) }),
            Step::PendingFetch(url) => Err(Unverified::PendingKeys { url, fetch: None }),
            Step::PendingRevocation(claims) => Err(Unverified::PendingRevocation(claims)),
            Step::Done(Ok(verified)) => Ok(Rc::new(self.forwarded_claims(None, verified))),
            Step::Done(Err(reason)) => Err(Unverified::Rejected(reason)),
        }
    }

    /// Verifies a token whose revocation status is known; see [`Verifier::verify_with_revocation_status`].
    pub(crate) fn verify_with_revocation_status(
        &mut self,
        now: u64,
        token: &str,
        status: RevocationStatus,
    ) -> Result<Rc<ForwardedClaims>, Unverified> {
        match self.verifier.verify_with_revocation_status(now, token, status) {
            Ok(verified) => Ok(Rc::new(self.forwarded_claims(None, verified))),
            Err(reason) => Err(Unverified::Rejected(reason)),
        }
    }

    /// Returns the names of the headers with the values that these claims give them.
    pub(crate) fn headers<'a>(
        &'a self,
        claims: Option<&'a ForwardedClaims>,
    ) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let value = move |number: usize| claims.and_then(|claims| claims.headers.get(number)?.as_deref());
        self.headers.iter().enumerate().map(move |(number, (name, _))| (name.as_str(), value(number)))
    }

    /// Returns the names in the filter state with the values that these claims give them. Absent claims are omitted.
    pub(crate) fn filter_state<'a>(
        &'a self,
        claims: Option<&'a ForwardedClaims>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let value = move |number: usize| claims.and_then(|claims| claims.state.get(number)?.as_deref());
        let states = self.state.iter().enumerate();
        states.filter_map(move |(number, (name, _))| value(number).map(|value| (name.as_str(), value)))
    }

    /// Returns the state of each pool's keys.
    pub(crate) fn pool_keys(&mut self, now: u64) -> Vec<PoolKeys> {
        pool_keys::of_each(&self.pools, &self.by_issuer, &mut self.verifier, now)
    }

    fn cached_claims(&self, handle: CacheHandle) -> Option<Rc<ForwardedClaims>> {
        let (version, claims) = self.claims_by_handle.get(handle.slot as usize)?.as_ref()?;
        (*version == handle.version).then(|| Rc::clone(claims))
    }

    fn store_claims(&mut self, handle: Option<CacheHandle>, verified: Verified) -> Rc<ForwardedClaims> {
        let claims = Rc::new(self.forwarded_claims(handle, verified));
        if let Some(handle) = handle {
            let slot = handle.slot as usize;
            if self.claims_by_handle.len() <= slot {
                self.claims_by_handle.resize_with(slot.saturating_add(1), || None);
            }
            if let Some(entry) = self.claims_by_handle.get_mut(slot) {
                *entry = Some((handle.version, Rc::clone(&claims)));
            }
        }
        claims
    }

    fn forwarded_claims(&self, handle: Option<CacheHandle>, mut verified: Verified) -> ForwardedClaims {
        let text = std::mem::take(&mut verified.payload);
        let payload = match self.headers.is_empty() && self.state.is_empty() {
            true => Value::Null,
            // The payload of a verified token is JSON.
            false => serde_json::from_str(&text).unwrap_or_default(),
        };
        let texts = |mappings: &[(String, ClaimMapping)]| {
            mappings.iter().map(|(_, mapping)| mapping.text_in(&payload)).collect::<Vec<_>>()
        };
        ForwardedClaims {
            headers: texts(&self.headers),
            state: texts(&self.state),
            payload: Cell::new(self.keeps_payloads.then_some(text)),
            handle,
            keys_are_stale: Cell::new(verified.keys_are_stale),
            verified,
        }
    }
}
