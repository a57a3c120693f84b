//! The steps of verifying a token of an Application Load Balancer (`x-amzn-oidc-data`) that is not in the cache.
//!
//! AWS documents the token in "Authenticate users using an Application Load Balancer", section "User claims encoding and signature verification".
//! All checks that need no key come first, so that a key is fetched only for a token of a configured load balancer, issuer and client.

use super::{interrupt::Interrupt, steps::Verification, verdict::VerifyOutcome};
use crate::{
    cache::CacheEntry,
    claims::{Claims, Read, parse_payload},
    compact::CompactJws,
    header::{Header, parse_header},
    issuer::is_uuid,
    json::{Object, Value},
    keys::KeyLookupError,
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String};

impl Verification<'_> {
    /// Verifies a token whose parts are padded, and inserts it into the cache if it is valid.
    #[inline(never)]
    pub(super) fn verify_of_load_balancer(&mut self, token: &str) -> Result<VerifyOutcome, Interrupt> {
        let jws = CompactJws::split_padded(token, self.limits.token_bytes as usize)?;
        let header_json = jws.header()?;
        let header_object = parse_header(&header_json, self.limits.json_depth)?;
        let header = Header::read(&header_object)?;
        let payload = String::from_utf8(jws.payload()?).map_err(|_| Reason::PayloadMalformed)?;
        let signature = jws.signature()?;
        let object = parse_payload(&payload, self.limits.json_depth)?;
        let read = Read::from(&object);

        let issuer = read.issuer()?.ok_or(Reason::IssuerMissing)?;
        let found = self.load_balancers.find(issuer, &header_object);
        let entry = found.map_err(|reason| match self.issuers.find(&read) {
            // In the grammar of that issuer, no part is padded.
            Ok(_) if reason == Reason::IssuerUnknown => Reason::EncodingPadded,
            _ => reason,
        })?;
        let policy = self.policies.get(entry.policy).ok_or(Reason::NotConfigured)?;
        policy.check_type(&header.token_type)?;
        let key_id = header.key_id.ok_or(Reason::KeyIdMissing)?;
        // The key ID becomes a part of a URL.
        if !is_uuid(&key_id) {
            return Err(Reason::KeyIdInvalid.into());
        }
        let mut claims = Claims::read(&read, &object, &policy.claim_names).map_err(|error| error.reason)?;
        if !policy.algorithms.contains(header.algorithm) {
            return Err(Reason::AlgorithmNotAllowed.into());
        }
        check_copies(&header_object, &object)?;
        policy.check_times(&claims, self.now)?;
        // In the order of `Policy::check`, in which an explanation lists the checks.
        policy.check_confirmation(&claims)?;
        policy.check_subject(&claims)?;
        claims.client_id = client(&header_object)?;
        let accepted = policy.check(&claims)?;

        let instant = self.keys.advance(self.now);
        let found = self.keys.find_in_directory(entry.endpoint, &key_id, header.algorithm, instant);
        let (key, freshness, generation) = match found {
            Ok(found) => found,
            Err(KeyLookupError::Final(reason)) => return Err(reason.into()),
            Err(KeyLookupError::Missing(error)) => {
                return Err(Interrupt::KeyMissing { endpoint: entry.endpoint, key_id, error, now: instant });
            }
        };
        key.verify(header.algorithm, jws.signing_input(), &signature)?;
        self.keys.used_in_directory(entry.endpoint, &key_id, instant);

        let requirements = self.check_rules(policy, &claims, &object)?;
        let entry = CacheEntry {
            policy: entry.policy,
            endpoint: entry.endpoint,
            generation,
            token_use: accepted.token_use,
            client_id: accepted.client_id.map(Into::into),
            requirements,
            claims,
            payload,
        };
        self.accept(token, policy, entry, freshness)
    }
}

/// Checks that `iss` and `exp` are in the header too, with the same values (RFC 7519 section 5.3).
pub(super) fn check_copies(header: &Object<'_>, payload: &Object<'_>) -> Result<(), Reason> {
    let is_copied = |name| header.get(name).is_some_and(|value| Some(value) == payload.get(name));
    if is_copied("iss") && is_copied("exp") { Ok(()) } else { Err(Reason::HeaderMismatch) }
}

/// Returns the client, at which the user signed in.
pub(super) fn client(header: &Object<'_>) -> Result<Option<String>, Reason> {
    match header.get("client") {
        None => Ok(None),
        Some(Value::String(client)) => Ok(Some(client.as_ref().to_owned())),
        Some(_) => Err(Reason::ClientInvalid),
    }
}
