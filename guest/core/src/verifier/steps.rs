//! The steps of verifying a token that is not in the cache.

use super::{
    interrupt::Interrupt,
    issuer_index::IssuerIndex,
    verdict::{Verified, VerifyOutcome},
};
use crate::{
    cache::{CacheEntry, TokenCache},
    claims::Claims,
    compact::CompactJws,
    config::Limits,
    header::Header,
    keys::KeyStore,
    policy::Policy,
    reason::Reason,
};
use alloc::string::String;

/// One verification: the time, and the parts of the verifier that it uses.
pub(super) struct Verification<'v> {
    /// Seconds since the Unix epoch.
    pub(super) now: u64,
    pub(super) limits: &'v Limits,
    pub(super) policies: &'v [Policy],
    pub(super) issuers: &'v IssuerIndex,
    pub(super) keys: &'v mut KeyStore,
    pub(super) cache: &'v mut TokenCache,
    /// Whether a valid token stops at [`Interrupt::PendingRevocation`].
    pub(super) checks_revocation: bool,
}

impl Verification<'_> {
    /// Verifies a token, and inserts it into the cache if it is valid.
    // `lookup_or_verify` may be inlined into each of its callers. This keeps one copy of the code below.
    #[inline(never)]
    pub(super) fn verify(&mut self, token: &str) -> Result<VerifyOutcome, Interrupt> {
        let jws = CompactJws::split(token, self.limits.token_bytes as usize)?;
        let header = Header::parse(&jws.header()?, self.limits.json_depth)?;
        if !header.is_token_type {
            return Err(Reason::TypeNotAllowed.into());
        }
        let key_id = header.key_id.ok_or(Reason::KeyIdMissing)?;
        let payload = String::from_utf8(jws.payload()?).map_err(|_| Reason::PayloadMalformed)?;
        let signature = jws.signature()?;
        let claims = Claims::parse(&payload, self.limits.json_depth)?;

        let issuer = self.issuers.find(&claims)?;
        let policy = self.policies.get(issuer.policy).ok_or(Reason::NotConfigured)?;
        if !policy.algorithms.contains(header.algorithm) {
            return Err(Reason::AlgorithmNotAllowed.into());
        }
        policy.check_times(&claims, self.now)?;

        let instant = self.keys.advance(self.now);
        let (key, freshness) = match self.keys.find(issuer.endpoint, &key_id, instant) {
            Ok(found) => found,
            Err(error) => {
                return Err(Interrupt::KeyMissing { endpoint: issuer.endpoint, key_id, error, now: instant });
            }
        };
        key.verify(header.algorithm, jws.signing_input(), &signature)?;

        let accepted = policy.check(&claims)?;
        let pending = self.checks_revocation.then(|| Interrupt::pending_revocation(policy, &claims));
        let entry = CacheEntry {
            policy: issuer.policy,
            endpoint: issuer.endpoint,
            generation: self.keys.generation(issuer.endpoint),
            algorithm: header.algorithm,
            token_use: accepted.token_use,
            client_id: accepted.client_id.map(Into::into),
            claims,
            payload,
        };
        if let Some(pending) = pending {
            // The signature need not be verified again, whatever the revocation status is.
            self.cache.insert(token, entry);
            return Err(pending);
        }
        if self.cache.is_disabled() {
            return Ok(VerifyOutcome::Verified(Verified::from_entry(entry, freshness.is_stale()), None));
        }
        let verified = Verified::copy_of(&entry, freshness.is_stale());
        Ok(VerifyOutcome::Verified(verified, self.cache.insert(token, entry)))
    }
}
