//! The cache lookup, before a token is verified.

use super::{
    interrupt::Interrupt,
    steps::Verification,
    verdict::{CacheHit, VerifyOutcome},
};
use crate::reason::Reason;

impl Verification<'_> {
    /// Looks a token up in the cache, and verifies it if it is not there.
    pub(super) fn lookup_or_verify(&mut self, token: &str) -> Result<VerifyOutcome, Interrupt> {
        match self.lookup(token)? {
            Some(hit) => Ok(VerifyOutcome::Cached(hit)),
            None => self.verify(token),
        }
    }

    /// Looks a token up in the cache, and checks again what may have changed since: the key and the time claims. The policy has not changed,
    /// because a change of the policy empties the cache.
    fn lookup(&mut self, token: &str) -> Result<Option<CacheHit>, Interrupt> {
        let instant = self.keys.advance(self.now);
        let Some((handle, entry)) = self.cache.find(token) else {
            return Ok(None);
        };
        let policy = self.policies.get(entry.policy).ok_or(Reason::NotConfigured)?;
        let hit = policy.check_times(&entry.claims, self.now).map(|()| {
            let freshness = self.keys.freshness(entry.endpoint, entry.generation, instant);
            freshness.map(|freshness| CacheHit { handle, keys_are_stale: freshness.is_stale() })
        });
        // An expired token stays expired. A token whose keys have changed is verified again.
        if matches!(hit, Ok(None) | Err(Reason::Expired)) {
            self.cache.remove(handle.slot);
        } else if self.checks_revocation && hit.is_ok() {
            return Err(Interrupt::pending_revocation(policy, &entry.claims));
        }
        Ok(hit?)
    }
}
