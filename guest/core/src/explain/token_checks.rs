//! The checks of the token itself: its form, its header, and its issuer.

use super::{
    accepted,
    explanation::{Check, CheckResult, Stage},
    json_text::{self, string},
    nearest::nearest,
};
use crate::{
    claims::{ClaimError, Read},
    header::{Header, TokenType},
    json::{Object, Value},
    policy::Policy,
    reason::{Hint, Reason},
};
use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};

#[cold]
pub(crate) fn form_check(token: &str, limit: u32, result: Result<(), Reason>) -> Check {
    let parts = token.split('.').count();
    let detail = format!("The token has {} bytes and {parts} parts. The limit is {limit} bytes.", token.len());
    Check { detail: Some(detail), ..Check::new(Stage::Form, result.into()) }
}

/// `accepted` has all configured issuers.
#[cold]
pub(crate) fn issuer_check(
    read: &Read<'_>,
    object: &Object<'_>,
    result: Result<(), Reason>,
    accepted: &[String],
) -> Check {
    let found = read.issuer().ok().flatten();
    let near = || nearest(found?, accepted.iter().map(String::as_str));
    let of_template = || {
        let is_template = accepted.iter().any(|issuer| issuer.contains("{tid}"));
        let text = "For an issuer template, `tid` must be an accepted tenant in lower case, and stand in `iss`.";
        is_template.then(|| text.to_owned())
    };
    let detail = if result == Err(Reason::IssuerUnknown) { of_template().or_else(near) } else { None };
    let accepted = match accepted {
        [] => vec!["any issuer".to_owned()],
        issuers => issuers.iter().map(|issuer| string(issuer)).collect(),
    };
    let found = json_text::claim(object, "iss");
    Check { member: named("iss"), found, accepted, detail, ..Check::new(Stage::Issuer, result.into()) }
}

#[cold]
pub(crate) fn type_check(header: &Header, policy: &Policy) -> Check {
    let result = policy.check_type(&header.token_type).into();
    let found = match &header.token_type {
        TokenType::Named(name) => Some(string(name)),
        TokenType::Absent | TokenType::Invalid => None,
    };
    Check { member: named("typ"), found, accepted: accepted::types(policy), ..Check::new(Stage::Type, result) }
}

#[cold]
pub(crate) fn key_id_check(header: &Header, policy: &Policy) -> Check {
    let is_missing = policy.requires_key_id && header.key_id.is_none();
    let result = if is_missing { CheckResult::Failed(Reason::KeyIdMissing) } else { CheckResult::Passed };
    let found = header.key_id.as_deref().map(string);
    Check { member: named("kid"), found, ..Check::new(Stage::KeyId, result) }
}

#[cold]
pub(crate) fn algorithm_check(header: &Header, policy: &Policy) -> Check {
    let is_accepted = policy.algorithms.contains(header.algorithm);
    let result = if is_accepted { CheckResult::Passed } else { CheckResult::Failed(Reason::AlgorithmNotAllowed) };
    let (found, accepted) = (Some(string(header.algorithm.name())), accepted::algorithms(policy));
    Check { member: named("alg"), found, accepted, ..Check::new(Stage::Algorithm, result) }
}

/// Names the claim with the wrong type.
#[cold]
pub(crate) fn claim_types_check(object: &Object<'_>, policy: &Policy, result: Result<(), ClaimError>) -> Check {
    let Err(ClaimError { reason, hint }) = result else {
        return Check::new(Stage::ClaimTypes, CheckResult::Passed);
    };
    let (claim, wanted) = wanted_type(object, policy, reason, hint);
    let member = claim.map(ToOwned::to_owned);
    let found = claim.and_then(|claim| json_text::claim(object, claim));
    let accepted: Vec<String> = wanted.map(ToOwned::to_owned).into_iter().collect();
    Check { member, found, accepted, ..Check::new(Stage::ClaimTypes, CheckResult::Failed(reason)) }
}

/// Returns the claim because of which the types are wrong, and the right type.
#[cold]
fn wanted_type<'p>(
    object: &Object<'_>,
    policy: &'p Policy,
    reason: Reason,
    hint: Option<Hint>,
) -> (Option<&'p str>, Option<&'static str>) {
    const TEXT: &str = "a text";
    const TEXTS: &str = "an array of texts";
    const DATE: &str = "a number of seconds from 1970 to 9999";
    let (claim, wanted) = match (reason, hint) {
        (Reason::ExpiryMissing | Reason::ExpiryInvalid | Reason::ExpiryOutOfRange, _) => ("exp", DATE),
        (Reason::NotBeforeInvalid, _) => ("nbf", DATE),
        (Reason::IssuedAtInvalid, _) => ("iat", DATE),
        (Reason::IssuerInvalid, _) => ("iss", TEXT),
        (Reason::TokenUseInvalid, _) => ("token_use", TEXT),
        (Reason::AudienceInvalid, _) => ("aud", "a text, or an array of texts"),
        (Reason::GroupsInvalid, _) => ("cognito:groups", TEXTS),
        (Reason::ClientInvalid, _) => {
            let client = policy.claim_names.client;
            let is_text = object.get(client).is_none_or(|value| matches!(value, Value::String(_) | Value::Null));
            // The client is a text, so the other claim that can name it is wrong.
            (if is_text { "azp" } else { client }, TEXT)
        }
        (Reason::ScopeInvalid, _) => {
            return (Some(policy.scope_claim(object)), Some("a text with spaces, or an array of texts"));
        }
        (_, Some(Hint::SubInvalid)) => ("sub", TEXT),
        (_, Some(Hint::UsernameInvalid)) => ("username", TEXT),
        (_, Some(Hint::CognitoUsernameInvalid)) => ("cognito:username", TEXT),
        (_, Some(Hint::AuthTimeInvalid)) => ("auth_time", DATE),
        (_, Some(Hint::JtiInvalid)) => ("jti", TEXT),
        (_, Some(Hint::OriginJtiInvalid)) => ("origin_jti", TEXT),
        _ => return (None, None),
    };
    (Some(claim), Some(wanted))
}

#[cold]
fn named(member: &str) -> Option<String> {
    Some(member.to_owned())
}
