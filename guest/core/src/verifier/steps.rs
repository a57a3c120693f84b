//! The steps of verifying a token that is not in the cache.

#[cfg(feature = "ecdsa")]
use super::load_balancer_index::LoadBalancerIndex;
use super::{
    interrupt::Interrupt,
    issuer_index::IssuerIndex,
    tenants::is_key_for,
    verdict::{Verified, VerifyOutcome},
};
use crate::{
    cache::{CacheEntry, TokenCache},
    claims::{Claims, Read, RuleResult, parse_payload},
    compact::CompactJws,
    config::{ClaimRule, Limits},
    header::Header,
    json::Object,
    keys::{Freshness, KeyLookupError, KeyStore},
    policy::Policy,
    reason::Reason,
};
use alloc::{string::String, vec::Vec};

/// One verification: the time, and the parts of the verifier that it uses.
pub(super) struct Verification<'v> {
    /// Seconds since the Unix epoch.
    pub(super) now: u64,
    pub(super) limits: &'v Limits,
    pub(super) policies: &'v [Policy],
    pub(super) requirements: &'v [Vec<ClaimRule>],
    pub(super) issuers: &'v IssuerIndex,
    #[cfg(feature = "ecdsa")]
    pub(super) load_balancers: &'v LoadBalancerIndex,
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
        #[cfg(feature = "ecdsa")]
        if self.load_balancers.is_grammar_of(token) {
            return self.verify_of_load_balancer(token);
        }
        let jws = CompactJws::split(token, self.limits.token_bytes as usize)?;
        let header = Header::parse(&jws.header()?, self.limits.json_depth)?;
        let payload = String::from_utf8(jws.payload()?).map_err(|_| Reason::PayloadMalformed)?;
        let signature = jws.signature()?;
        let object = parse_payload(&payload, self.limits.json_depth)?;
        let read = Read::from(&object);

        #[cfg(feature = "ecdsa")]
        let issuer = self.issuers.find(&read).map_err(|reason| self.load_balancers.reason(reason, &read))?;
        #[cfg(not(feature = "ecdsa"))]
        let issuer = self.issuers.find(&read)?;
        let policy = self.policies.get(issuer.policy).ok_or(Reason::NotConfigured)?;
        policy.check_type(&header.token_type)?;
        if policy.requires_key_id && header.key_id.is_none() {
            return Err(Reason::KeyIdMissing.into());
        }
        let claims = Claims::read(&read, &object, &policy.claim_names).map_err(|error| error.reason)?;
        if !policy.algorithms.contains(header.algorithm) {
            return Err(Reason::AlgorithmNotAllowed.into());
        }
        policy.check_times(&claims, self.now)?;

        let instant = self.keys.advance(self.now);
        let found = self.keys.find(issuer.endpoint, header.key_id.as_deref(), header.algorithm, instant);
        let (key, freshness) = match found {
            Ok(found) => found,
            Err(KeyLookupError::Final(reason)) => return Err(reason.into()),
            Err(KeyLookupError::Missing(error)) => {
                // Without a `kid`, only a missing key set causes a fetch, and the name does not matter.
                let key_id = header.key_id.unwrap_or_default();
                return Err(Interrupt::KeyMissing { endpoint: issuer.endpoint, key_id, error, now: instant });
            }
        };
        if let (Some(template), Some(issuer)) = (&policy.template, &claims.issuer)
            && !is_key_for(key.issuer.as_deref(), template, issuer)
        {
            return Err(Reason::KeyRefused.into());
        }
        key.verify(header.algorithm, jws.signing_input(), &signature)?;

        let accepted = policy.check(&claims)?;
        let requirements = self.check_rules(policy, &claims, &object)?;
        let entry = CacheEntry {
            policy: issuer.policy,
            endpoint: issuer.endpoint,
            generation: self.keys.generation(issuer.endpoint),
            token_use: accepted.token_use,
            client_id: accepted.client_id.map(Into::into),
            requirements,
            claims,
            payload,
        };
        self.accept(token, policy, entry, freshness)
    }

    /// Checks the claim rules of the pool, the groups and the scopes, which come last. Returns the lists of claim rules that the payload fits:
    /// bit n is set for list n.
    pub(super) fn check_rules(&self, policy: &Policy, claims: &Claims, payload: &Object<'_>) -> Result<u64, Reason> {
        if policy.first_misfit(payload).is_some() {
            return Err(Reason::ClaimMismatch);
        }
        policy.check_membership(claims)?;
        Ok(fitting(self.requirements, payload))
    }

    /// Inserts a valid token into the cache.
    pub(super) fn accept(
        &mut self,
        token: &str,
        policy: &Policy,
        entry: CacheEntry,
        freshness: Freshness,
    ) -> Result<VerifyOutcome, Interrupt> {
        if self.checks_revocation {
            let pending = Interrupt::pending_revocation(policy, &entry.claims);
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

/// Returns the lists of claim rules that a payload fits: bit n is set for list n.
fn fitting(lists: &[Vec<ClaimRule>], payload: &Object<'_>) -> u64 {
    let fits = |rules: &Vec<ClaimRule>| rules.iter().all(|rule| rule.judge(payload) == RuleResult::Fits);
    (0..u64::BITS).zip(lists).filter(|(_, rules)| fits(rules)).fold(0, |bits, (list, _)| bits | 1u64.wrapping_shl(list))
}
