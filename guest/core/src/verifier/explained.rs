//! Explains the verdict about a token. It repeats each step of a verification by itself, and goes on after a failure.

use super::{issuer_index::IssuerEntry, tenants::is_key_for, token_verifier::Verifier};
use crate::{
    claims::{Claims, Read, parse_payload},
    compact::CompactJws,
    explain::{
        Check, CheckResult, Explanation, Stage, algorithm_check, claim_types_check, form_check, issuer_check,
        key_check, key_id_check, membership_checks, recipient_checks, rule_checks, signature_check, time_checks,
        type_check,
    },
    header::{Header, parse_header},
    json::Object,
    keys::KeyReport,
    policy::Policy,
    reason::Reason,
    signature::PreparedKey,
};
use alloc::{string::String, vec::Vec};

/// A token whose header can be used.
pub(super) struct Readable<'t> {
    jws: CompactJws<'t>,
    pub(super) header: Header,
    /// The header as JSON, which load balancers add members to.
    #[cfg_attr(not(feature = "ecdsa"), allow(dead_code, reason = "load balancers sign with ES256"))]
    pub(super) header_object: &'t Object<'t>,
    signature: Result<Vec<u8>, Reason>,
}

impl Verifier {
    /// Explains the verdict about a token at the time `now`, in seconds since the Unix epoch. It never requires a fetch, and it does not ask
    /// whether the token was revoked.
    ///
    /// The explanation contains the content of the token. Return it only to who sent the token or operates the service, and only if they ask.
    #[cold]
    pub fn explain(&mut self, now: u64, token: &str) -> Explanation {
        let reason = self.reason_without_fetch(now, token).filter(|reason| *reason != Reason::RevocationUnavailable);
        let mut explanation = Explanation {
            reason,
            header: None,
            payload: None,
            is_signature_valid: false,
            pool: None,
            checks: Vec::with_capacity(Stage::ALL.len()),
        };
        self.explain_parts(now, token, &mut explanation);
        let is_of_load_balancer = self.is_of_load_balancer(token);
        complete(&mut explanation, |stage| match stage {
            // A load balancer's key is fetched only for a token of a configured client.
            Stage::TokenUse | Stage::Confirmation | Stage::Subject | Stage::Client | Stage::Resource
                if is_of_load_balancer =>
            {
                Stage::Age
            }
            stage => stage,
        });
        explanation
    }

    #[cold]
    fn explain_parts(&mut self, now: u64, token: &str, explanation: &mut Explanation) {
        let limits = self.limits;
        let split = self.split(token);
        explanation.checks.push(form_check(token, limits.token_bytes, ok(&split)));
        let Ok(jws) = split else {
            return;
        };
        let bytes = jws.header();
        explanation.header = bytes.as_ref().ok().and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        let bytes = bytes.as_deref().map_err(|reason| *reason);
        let header_object = bytes.and_then(|bytes| parse_header(bytes, limits.json_depth));
        let header = header_object.as_ref().map_err(|reason| *reason).and_then(Header::read);
        let signature = jws.signature();
        let payload = jws.payload().and_then(|bytes| String::from_utf8(bytes).map_err(|_| Reason::PayloadMalformed));
        explanation.checks.push(Check::new(Stage::Header, ok(&header).into()));
        explanation.checks.push(Check::new(Stage::Encoding, ok(&payload).and(ok(&signature)).into()));
        let Ok(payload) = payload else {
            return;
        };
        let object = parse_payload(&payload, limits.json_depth);
        explanation.checks.push(Check::new(Stage::Payload, ok(&object).into()));
        let readable = header.ok().zip(header_object.as_ref().ok());
        let readable = readable.map(|(header, header_object)| Readable { jws, header, header_object, signature });
        if let Ok(object) = &object {
            self.explain_object(now, token, readable.as_ref(), object, explanation);
        }
        explanation.payload = Some(payload);
    }

    #[cold]
    fn explain_object(
        &mut self,
        now: u64,
        token: &str,
        readable: Option<&Readable<'_>>,
        object: &Object<'_>,
        explanation: &mut Explanation,
    ) {
        match readable {
            #[cfg(feature = "ecdsa")]
            Some(readable) if self.is_of_load_balancer(token) => {
                self.explain_signer(now, readable, object, explanation);
            }
            // Who signed it is in the header.
            None if self.is_of_load_balancer(token) => {}
            readable => self.explain_claims(now, readable, object, explanation),
        }
    }

    #[cold]
    fn explain_claims(
        &mut self,
        now: u64,
        readable: Option<&Readable<'_>>,
        object: &Object<'_>,
        explanation: &mut Explanation,
    ) {
        let read = Read::from(object);
        let issuer = self.issuers.find(&read);
        #[cfg(feature = "ecdsa")]
        let issuer = issuer.map_err(|reason| self.load_balancers.reason(reason, &read));
        let accepted = self.issuers.names();
        explanation.checks.push(issuer_check(&read, object, ok(&issuer), &accepted));
        // With only one pool, the token was probably meant for it.
        let pool = match &issuer {
            Ok(entry) => Some(entry.policy),
            Err(_) => (self.policies.len() == 1).then_some(0),
        };
        explanation.pool = pool;
        let Some(pool) = pool.filter(|pool| *pool < self.policies.len()) else {
            return;
        };
        let keys = match (&issuer, readable) {
            (Ok(entry), Some(readable)) => self.explain_keys(now, *entry, readable, object, explanation),
            _ => Vec::new(),
        };
        let Some(policy) = self.policies.get(pool) else {
            return;
        };
        let checks = &mut explanation.checks;
        if let Some(Readable { header, .. }) = readable {
            checks.extend([type_check(header, policy), key_id_check(header, policy), algorithm_check(header, policy)]);
        }
        let claims = Claims::read(&read, object, &policy.claim_names);
        checks.push(claim_types_check(object, policy, ok(&claims)));
        checks.extend(keys);
        checks.extend(rule_checks(object, policy));
        if let Ok(claims) = claims {
            checks.extend(time_checks(object, &claims, policy, now));
            checks.extend(recipient_checks(object, &claims, policy));
            checks.extend(membership_checks(object, &claims, policy));
        }
    }

    #[cold]
    fn explain_keys(
        &mut self,
        now: u64,
        entry: IssuerEntry,
        readable: &Readable<'_>,
        object: &Object<'_>,
        explanation: &mut Explanation,
    ) -> Vec<Check> {
        let header = &readable.header;
        let template = self.policies.get(entry.policy).and_then(|policy: &Policy| policy.template.clone());
        let issuer = Read::from(object).issuer().ok().flatten().unwrap_or_default();
        let instant = self.keys.advance(now);
        let keys = &self.keys;
        let report = keys.report(entry.endpoint).unwrap_or_default();
        let found = keys.find(entry.endpoint, header.key_id.as_deref(), header.algorithm, instant);
        let found = found.map_err(|error| keys.final_reason(entry.endpoint, error));
        let found = found.and_then(|(key, _)| match &template {
            Some(template) if !is_key_for(key.issuer.as_deref(), template, issuer) => Err(Reason::KeyRefused),
            _ => Ok(key),
        });
        readable.key_checks(&report, found, explanation)
    }
}

impl Readable<'_> {
    /// Returns the checks of the key and of the signature.
    #[cold]
    pub(super) fn key_checks(
        &self,
        report: &KeyReport,
        found: Result<&PreparedKey, Reason>,
        explanation: &mut Explanation,
    ) -> Vec<Check> {
        let Self { jws, header, signature, .. } = self;
        let verified = match (&found, signature) {
            (Ok(key), Ok(signature)) => Some(key.verify(header.algorithm, jws.signing_input(), signature)),
            _ => None,
        };
        explanation.is_signature_valid = verified == Some(Ok(()));
        [key_check(header, report, found.map(drop)), signature_check(header, verified)].into()
    }
}

/// Sorts the checks by stage, and adds those that could not be made. `place` returns the stage at which a stage stands.
#[cold]
fn complete(explanation: &mut Explanation, place: impl Fn(Stage) -> Stage) {
    let made = |stage: Stage| explanation.checks.iter().any(|check| check.stage == stage);
    // Not every token has these.
    let is_optional = |stage: Stage| matches!(stage, Stage::ClaimRule | Stage::Signer | Stage::HeaderCopies);
    let missing = Stage::ALL.iter().filter(|stage| !is_optional(**stage) && !made(**stage));
    let missing: Vec<Check> = missing.map(|stage| Check::new(*stage, CheckResult::NotChecked)).collect();
    explanation.checks.extend(missing);
    explanation.checks.sort_by_key(|check| (place(check.stage) as usize, check.stage as usize));
}

/// Returns a result without its value.
#[cold]
pub(super) fn ok<T, E: Copy>(result: &Result<T, E>) -> Result<(), E> {
    match result {
        Ok(_) => Ok(()),
        Err(error) => Err(*error),
    }
}
