//! The cache lookup, before a token is verified.

use super::{
    interrupt::Interrupt,
    steps::Verification,
    verdict::{CacheHit, VerifyOutcome},
};
use crate::{keys::Freshness, reason::Reason};

impl Verification<'_> {
    /// Looks a token up in the cache, and verifies it if it is not there.
    pub(super) fn lookup_or_verify(&mut self, token: &str) -> Result<VerifyOutcome, Interrupt> {
        match self.lookup(token)? {
            Some(hit) => Ok(VerifyOutcome::Cached(hit)),
            None => self.verify(token),
        }
    }

    /// Looks a token up in the cache, and checks again what may have changed since: the key, the time claims and the policy.
    fn lookup(&mut self, token: &str) -> Result<Option<CacheHit>, Interrupt> {
        let instant = self.keys.advance(self.now);
        let Some((handle, entry)) = self.cache.find(token) else {
            return Ok(None);
        };
        let policy = self.policies.get(entry.policy).ok_or(Reason::NotConfigured)?;
        let hit = policy.check_times(&entry.claims, self.now).and_then(|()| {
            let freshness = self.keys.freshness(entry.endpoint, entry.generation, instant);
            let Some(keys_are_stale) = freshness.map(Freshness::is_stale) else {
                return Ok(None);
            };
            if !policy.algorithms.contains(entry.algorithm) {
                return Err(Reason::AlgorithmNotAllowed);
            }
            // The claim rules need not be checked again: when they change, the cache is emptied.
            let is_the_same = entry.matches(&policy.check(&entry.claims)?);
            policy.check_membership(&entry.claims)?;
            Ok(is_the_same.then_some(CacheHit { handle, keys_are_stale }))
        });
        // An expired token stays expired. A token whose keys or client have changed is verified again.
        if matches!(hit, Ok(None) | Err(Reason::Expired)) {
            self.cache.remove(handle.slot);
        } else if self.checks_revocation && hit.is_ok() {
            return Err(Interrupt::pending_revocation(policy, &entry.claims));
        }
        Ok(hit?)
    }
}
