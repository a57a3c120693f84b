//! Explains the verdict about a token of an Application Load Balancer, in the order of the steps in `load_balancer_steps`.

use super::{
    explained::{Readable, ok},
    issuer_index::IssuerEntry,
    load_balancer_steps::{check_copies, client},
    token_verifier::Verifier,
};
use crate::{
    claims::{Claims, Read},
    explain::{
        Check, Explanation, algorithm_check, claim_types_check, client_of_header, copies_check, issuer_check,
        membership_checks, recipient_checks, rule_checks, signer_check, time_checks, type_check, uuid_check,
    },
    issuer::is_uuid,
    json::Object,
    reason::Reason,
};
use alloc::vec::Vec;

impl Verifier {
    #[cold]
    pub(super) fn explain_signer(
        &mut self,
        now: u64,
        readable: &Readable<'_>,
        object: &Object<'_>,
        explanation: &mut Explanation,
    ) {
        let read = Read::from(object);
        let found = read.issuer().and_then(|issuer| issuer.ok_or(Reason::IssuerMissing));
        let found = found.and_then(|issuer| self.load_balancers.find(issuer, readable.header_object));
        let found = found.map_err(|reason| match self.issuers.find(&read) {
            Ok(_) if reason == Reason::IssuerUnknown => Reason::EncodingPadded,
            _ => reason,
        });
        let issuer = if ok(&found) == Err(Reason::SignerMismatch) { Ok(()) } else { ok(&found) };
        explanation.checks.push(issuer_check(&read, object, issuer, &self.load_balancers.issuers()));
        if issuer.is_ok() {
            let signers = self.load_balancers.signers(read.issuer().ok().flatten().unwrap_or_default());
            explanation.checks.push(signer_check(readable.header_object, ok(&found), &signers));
        }
        if let Ok(entry) = found {
            explanation.pool = Some(entry.policy);
            self.explain_by_policy(now, entry, readable, object, explanation);
        }
    }

    #[cold]
    fn explain_by_policy(
        &mut self,
        now: u64,
        entry: IssuerEntry,
        readable: &Readable<'_>,
        object: &Object<'_>,
        explanation: &mut Explanation,
    ) {
        let Readable { header, header_object, .. } = readable;
        let keys = self.explain_published_key(now, entry, readable, explanation);
        let Some(policy) = self.policies.get(entry.policy) else {
            return;
        };
        let checks = &mut explanation.checks;
        checks.extend([type_check(header, policy), uuid_check(header), algorithm_check(header, policy)]);
        let claims = Claims::read(&Read::from(object), object, &policy.claim_names);
        checks.push(claim_types_check(object, policy, ok(&claims)));
        checks.push(copies_check(header_object, check_copies(header_object, object)));
        if let Ok(mut claims) = claims {
            checks.extend(time_checks(object, &claims, policy, now));
            let client = client(header_object);
            claims.client_id = client.clone().unwrap_or_default();
            let recipient = recipient_checks(object, &claims, policy).into_iter();
            checks.extend(recipient.map(|check| client_of_header(check, header_object, ok(&client))));
            checks.extend(membership_checks(object, &claims, policy));
        }
        checks.extend(keys);
        checks.extend(rule_checks(object, policy));
    }

    #[cold]
    fn explain_published_key(
        &mut self,
        now: u64,
        entry: IssuerEntry,
        readable: &Readable<'_>,
        explanation: &mut Explanation,
    ) -> Vec<Check> {
        let header = &readable.header;
        let Some(key_id) = header.key_id.as_deref().filter(|key_id| is_uuid(key_id)) else {
            return Vec::new();
        };
        let instant = self.keys.advance(now);
        let report = self.keys.report(entry.endpoint).unwrap_or_default();
        let found = self.keys.find_in_directory(entry.endpoint, key_id, header.algorithm, instant);
        let found = found.map(|(key, ..)| key).map_err(|error| self.keys.final_reason(entry.endpoint, error));
        readable.key_checks(&report, found, explanation)
    }
}
