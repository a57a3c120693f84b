//! The checks of the claim rules.

use super::{
    accepted,
    explanation::{Check, CheckResult, Stage},
    json_text::{self, string},
};
use crate::{
    claims::RuleResult,
    config::{ClaimRule, ClaimSelector},
    json::Object,
    policy::Policy,
    reason::Reason,
};
use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};

/// Returns one check for each claim rule of the pool.
#[cold]
pub(crate) fn rule_checks(object: &Object<'_>, policy: &Policy) -> Vec<Check> {
    policy.claims.iter().enumerate().map(|(number, rule)| check(object, number, rule)).collect()
}

#[cold]
fn check(object: &Object<'_>, number: usize, rule: &ClaimRule) -> Check {
    let result = rule.judge(object);
    let outcome = match result {
        RuleResult::Fits => CheckResult::Passed,
        RuleResult::Mismatch | RuleResult::Absent => CheckResult::Failed(Reason::ClaimMismatch),
    };
    let mut detail = match &rule.name {
        Some(name) => format!("Rule {}.", string(name)),
        None => format!("Rule {number}."),
    };
    detail.push_str(&selected(rule));
    if result == RuleResult::Absent {
        detail.push_str(" The token has no such claim.");
    }
    Check {
        member: Some(rule.claim.clone()),
        found: json_text::claim(object, &rule.claim),
        accepted: vec![accepted::claim(rule)],
        detail: Some(detail),
        ..Check::new(Stage::ClaimRule, outcome)
    }
}

/// Says which values of the claim are compared.
#[cold]
fn selected(rule: &ClaimRule) -> String {
    let path = match rule.path.as_slice() {
        [] => String::new(),
        steps => format!(" The value is at the path {}.", json_text::list(steps)),
    };
    let selector = match &rule.selector {
        ClaimSelector::Value => String::new(),
        ClaimSelector::Split(separator) => {
            format!(" Its parts between {} are compared.", string(&String::from(*separator)))
        }
        ClaimSelector::Keys => " The names of its members are compared.".to_owned(),
        ClaimSelector::Each(steps) => {
            format!(" In each of its elements, the value at the path {} is compared.", json_text::list(steps))
        }
    };
    [path, selector].concat()
}
