//! What a policy accepts, for people.

use super::json_text::{list, number, string};
use crate::{
    config::{ClaimRule, ClaimTest, ClaimValue, ClientRule, Membership, ResourceRule, TokenUseRule},
    jwa::Algorithm,
    policy::Policy,
};
use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};

#[cold]
pub(super) fn types(policy: &Policy) -> Vec<String> {
    let name = |name: &String| if name.is_empty() { "no `typ`".to_owned() } else { string(name) };
    policy.types.iter().map(name).collect()
}

#[cold]
pub(super) fn algorithms(policy: &Policy) -> Vec<String> {
    let accepted = Algorithm::ALL.into_iter().filter(|algorithm| policy.algorithms.contains(*algorithm));
    accepted.map(|algorithm| string(algorithm.name())).collect()
}

#[cold]
pub(super) fn token_uses(policy: &Policy) -> Vec<String> {
    let uses: &[&str] = match policy.token_use {
        TokenUseRule::Access => &["access"],
        TokenUseRule::Id => &["id"],
        TokenUseRule::AccessOrId => &["access", "id"],
        TokenUseRule::Unchecked => return vec!["anything".to_owned()],
    };
    uses.iter().map(|token_use| string(token_use)).collect()
}

#[cold]
pub(super) fn clients(policy: &Policy) -> Vec<String> {
    match &policy.client {
        ClientRule::OneOf(clients) => strings(clients),
        ClientRule::Unchecked => vec!["any client".to_owned()],
    }
}

#[cold]
pub(super) fn resources(policy: &Policy) -> Vec<String> {
    match (&policy.resource, &policy.client) {
        (ResourceRule::OneOf(resources), _) => strings(resources),
        (ResourceRule::Unbound, ClientRule::OneOf(clients)) => {
            let mut accepted = vec!["no `aud`".to_owned()];
            accepted.extend(strings(clients));
            accepted
        }
        (ResourceRule::Unbound, ClientRule::Unchecked) => vec!["no `aud`".to_owned()],
        (ResourceRule::Unchecked, _) => vec!["any `aud`".to_owned()],
    }
}

#[cold]
pub(super) fn memberships(required: &Membership) -> Vec<String> {
    let any = required.any_of.iter().map(|names| format!("at least one of {}", list(names)));
    any.chain(required.all_of.iter().map(|names| format!("all of {}", list(names)))).collect()
}

#[cold]
pub(super) fn claim(rule: &ClaimRule) -> String {
    let test = match &rule.test {
        ClaimTest::AnyOf(wanted) => format!("one of {}", values(wanted)),
        ClaimTest::AllOf(wanted) => format!("all of {}", values(wanted)),
        ClaimTest::NoneOf(unwanted) => format!("none of {}", values(unwanted)),
        ClaimTest::Prefix(prefixes) => format!("a text that begins with {}", list(prefixes)),
        ClaimTest::Suffix(suffixes) => format!("a text that ends with {}", list(suffixes)),
        ClaimTest::Range { at_least, at_most } => {
            let least = at_least.map(|least| format!(", at least {}", number(least))).unwrap_or_default();
            let most = at_most.map(|most| format!(", at most {}", number(most))).unwrap_or_default();
            format!("a number{least}{most}")
        }
        ClaimTest::Exists(true) => "any value".to_owned(),
        ClaimTest::Exists(false) => "no value".to_owned(),
    };
    if rule.fits_if_absent { format!("{test}, or no such claim") } else { test }
}

#[cold]
fn values(values: &[ClaimValue]) -> String {
    let value = |value: &ClaimValue| match value {
        ClaimValue::Text(text) => string(text),
        ClaimValue::Number(value) => number(*value),
        ClaimValue::Boolean(boolean) => format!("{boolean}"),
    };
    values.iter().map(value).collect::<Vec<_>>().join(", ")
}

#[cold]
fn strings(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| string(text)).collect()
}
