//! The checks of the claims by the rules of the pool.

use super::{
    accepted,
    explanation::{Check, CheckResult, Stage},
    json_text,
};
use crate::{
    claims::{Claims, TokenUse, TokenUseClaim},
    config::{ClientClaim, ConfirmationRule, Membership, ResourceRule, SubjectRule, TokenUseRule},
    json::Object,
    policy::Policy,
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// Returns the checks of `token_use`, `cnf`, `sub`, the client and the resource server.
#[cold]
pub(crate) fn recipient_checks(object: &Object<'_>, claims: &Claims, policy: &Policy) -> Vec<Check> {
    let token_use = policy.check_token_use(claims);
    let (client, resource) = match known_use(claims, token_use) {
        Some(token_use) => recipient_results(policy, claims, token_use),
        None => (CheckResult::NotChecked, CheckResult::NotChecked),
    };
    let client_claim = client_claim(policy, token_use.ok().flatten().or_else(|| of_claims(claims)));
    let unchecked_if = |is_unchecked: bool, result: Result<(), Reason>| {
        if is_unchecked { CheckResult::NotChecked } else { result.into() }
    };
    let uses = unchecked_if(policy.token_use == TokenUseRule::Unchecked, token_use.map(drop));
    let is_ignored = policy.confirmation == ConfirmationRule::Ignore;
    let any_subject = policy.subject == SubjectRule::Unchecked;
    [
        with(Stage::TokenUse, uses, "token_use", accepted::token_uses(policy)),
        with(Stage::Confirmation, unchecked_if(is_ignored, policy.check_confirmation(claims)), "cnf", Vec::new()),
        with(Stage::Subject, unchecked_if(any_subject, policy.check_subject(claims)), "sub", Vec::new()),
        with(Stage::Client, client, client_claim, accepted::clients(policy)),
        with(Stage::Resource, resource, "aud", accepted::resources(policy)),
    ]
    .into_iter()
    .map(|check| Check { found: check.member.as_deref().and_then(|claim| json_text::claim(object, claim)), ..check })
    .collect()
}

/// Returns the checks of the groups and the scopes.
#[cold]
pub(crate) fn membership_checks(object: &Object<'_>, claims: &Claims, policy: &Policy) -> [Check; 2] {
    let check = |stage, required: &Membership, names: &[String], reason, claim: &str| {
        let result = match required {
            Membership { any_of: None, all_of: None } => CheckResult::NotChecked,
            required if required.fits(names) => CheckResult::Passed,
            _ => CheckResult::Failed(reason),
        };
        Check { found: json_text::claim(object, claim), ..with(stage, result, claim, accepted::memberships(required)) }
    };
    let scope_claim = policy.scope_claim(object);
    let mut scopes = check(Stage::Scopes, &policy.scopes, &claims.scopes, Reason::ScopeMissing, scope_claim);
    if claims.token_use == Some(TokenUseClaim::Known(TokenUse::Id)) && scopes.result != CheckResult::NotChecked {
        scopes.detail = Some("The scopes of an ID token are not used, because a trigger can set them.".to_owned());
    }
    [check(Stage::Groups, &policy.groups, &claims.groups, Reason::GroupMissing, "cognito:groups"), scopes]
}

#[cold]
fn recipient_results(policy: &Policy, claims: &Claims, token_use: Option<TokenUse>) -> (CheckResult, CheckResult) {
    let checks_resource = !matches!(policy.resource, ResourceRule::Unchecked) && token_use != Some(TokenUse::Id);
    let resource = if checks_resource { CheckResult::Passed } else { CheckResult::NotChecked };
    match policy.check_recipient(claims, token_use) {
        Ok(_) => (CheckResult::Passed, resource),
        Err(reason @ (Reason::ResourceMissing | Reason::ResourceMismatch)) => {
            (CheckResult::Passed, CheckResult::Failed(reason))
        }
        Err(reason) => (CheckResult::Failed(reason), CheckResult::NotChecked),
    }
}

/// Returns the use by whose rules the client is checked, also of a token whose use is refused. `None` if it is not known.
#[cold]
fn known_use(claims: &Claims, checked: Result<Option<TokenUse>, Reason>) -> Option<Option<TokenUse>> {
    match checked {
        Ok(token_use) => Some(token_use),
        Err(_) => of_claims(claims).map(Some),
    }
}

#[cold]
fn of_claims(claims: &Claims) -> Option<TokenUse> {
    match claims.token_use {
        Some(TokenUseClaim::Known(token_use)) => Some(token_use),
        Some(TokenUseClaim::Other) | None => None,
    }
}

/// Returns the claim that names the client.
#[cold]
fn client_claim(policy: &Policy, token_use: Option<TokenUse>) -> &'static str {
    match (policy.token_use, token_use) {
        (TokenUseRule::Unchecked, _) => policy.client_claim.unwrap_or(ClientClaim::Aud).name(),
        (_, Some(TokenUse::Id)) => "aud",
        _ => "client_id",
    }
}

#[cold]
fn with(stage: Stage, result: CheckResult, claim: &str, accepted: Vec<String>) -> Check {
    Check { member: Some(claim.to_owned()), accepted, ..Check::new(stage, result) }
}
