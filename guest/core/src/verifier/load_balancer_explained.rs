//! Explains the verdict about a token of an Application Load Balancer, in the order of the steps in `load_balancer_steps`.

use super::{
    explained::ok,
    issuer_index::IssuerEntry,
    load_balancer_steps::{check_copies, client},
    token_verifier::Verifier,
};
use crate::{
    claims::{Claims, Read, parse_payload},
    compact::{CompactJws, PaddedPart},
    explain::{
        Check, Explanation, Stage, algorithm_check, claim_types_check, client_of_header, copies_check, form_check,
        issuer_check, key_check, membership_checks, recipient_checks, rule_checks, signature_check, signer_check,
        time_checks, type_check, uuid_check,
    },
    header::{Header, parse_header},
    issuer::is_uuid,
    json::Object,
    reason::Reason,
};
use alloc::{string::String, vec::Vec};

/// The decoded parts of a token.
struct Parts<'t> {
    jws: CompactJws<'t>,
    header: Header,
    header_object: &'t Object<'t>,
    signature: Result<Vec<u8>, Reason>,
}

impl Verifier {
    #[cold]
    pub(super) fn explain_of_load_balancer(&mut self, now: u64, token: &str, explanation: &mut Explanation) {
        let limits = self.limits;
        let split = CompactJws::split(token, limits.token_bytes as usize);
        explanation.checks.push(form_check(token, limits.token_bytes, ok(&split)));
        let Ok(jws) = split else {
            return;
        };
        let header = jws.decode_padded(PaddedPart::Header);
        explanation.header = header.as_ref().ok().and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        let object =
            header.as_deref().map_err(|reason| *reason).and_then(|bytes| parse_header(bytes, limits.json_depth));
        let read = object.as_ref().map_err(|reason| *reason).and_then(Header::read);
        explanation.checks.push(Check::new(Stage::Header, ok(&read).into()));
        let payload = jws
            .decode_padded(PaddedPart::Payload)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| Reason::PayloadMalformed));
        let signature = jws.decode_padded(PaddedPart::Signature);
        explanation.checks.push(Check::new(Stage::Encoding, ok(&payload).and(ok(&signature)).into()));
        let Ok(payload) = payload else {
            return;
        };
        let claims = parse_payload(&payload, limits.json_depth);
        explanation.checks.push(Check::new(Stage::Payload, ok(&claims).into()));
        if let (Ok(claims), Ok(header), Ok(header_object)) = (&claims, read, &object) {
            self.explain_signer(now, Parts { jws, header, header_object, signature }, claims, explanation);
        }
        explanation.payload = Some(payload);
    }

    #[cold]
    fn explain_signer(&mut self, now: u64, parts: Parts<'_>, object: &Object<'_>, explanation: &mut Explanation) {
        let read = Read::from(object);
        let found = read.issuer().and_then(|issuer| issuer.ok_or(Reason::IssuerMissing));
        let found = found.and_then(|issuer| self.load_balancers.find(issuer, parts.header_object));
        let found = found.map_err(|reason| match self.issuers.find(&read) {
            Ok(_) if reason == Reason::IssuerUnknown => Reason::EncodingPadded,
            _ => reason,
        });
        let issuer = if ok(&found) == Err(Reason::SignerMismatch) { Ok(()) } else { ok(&found) };
        explanation.checks.push(issuer_check(&read, object, issuer, &self.load_balancers.issuers()));
        if issuer.is_ok() {
            let signers = self.load_balancers.signers(read.issuer().ok().flatten().unwrap_or_default());
            explanation.checks.push(signer_check(parts.header_object, ok(&found), &signers));
        }
        if let Ok(entry) = found {
            explanation.pool = Some(entry.policy);
            self.explain_by_policy(now, entry, &parts, object, explanation);
        }
    }

    #[cold]
    fn explain_by_policy(
        &mut self,
        now: u64,
        entry: IssuerEntry,
        parts: &Parts<'_>,
        object: &Object<'_>,
        explanation: &mut Explanation,
    ) {
        let Parts { header, header_object, .. } = parts;
        let keys = self.explain_published_key(now, entry, parts, explanation);
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
        parts: &Parts<'_>,
        explanation: &mut Explanation,
    ) -> Vec<Check> {
        let Parts { jws, header, signature, .. } = parts;
        let Some(key_id) = header.key_id.as_deref().filter(|key_id| is_uuid(key_id)) else {
            return Vec::new();
        };
        let instant = self.keys.advance(now);
        let report = self.keys.report(entry.endpoint).unwrap_or_default();
        let found = self.keys.find_in_directory(entry.endpoint, key_id, header.algorithm, instant);
        let found = found.map(|(key, ..)| key).map_err(|error| self.keys.final_reason(entry.endpoint, error));
        let verified = match (&found, signature) {
            (Ok(key), Ok(signature)) => Some(key.verify(header.algorithm, jws.signing_input(), signature)),
            _ => None,
        };
        explanation.is_signature_valid = verified == Some(Ok(()));
        [key_check(header, &report, ok(&found)), signature_check(header, verified)].into()
    }
}
