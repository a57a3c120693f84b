//! Converts the claim rules of the contract to those of the core. Both have the same names.

use crate::bindings::exports::poolgate::auth::verifier as wit;
use poolgate_core::{ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientClaim};

pub fn claim_rules(rules: Vec<wit::ClaimRule>) -> Vec<ClaimRule> {
    rules.into_iter().map(claim_rule).collect()
}

pub fn client_claim(claim: wit::ClientClaim) -> ClientClaim {
    match claim {
        wit::ClientClaim::Aud => ClientClaim::Aud,
        wit::ClientClaim::ClientId => ClientClaim::ClientId,
        wit::ClientClaim::Azp => ClientClaim::Azp,
        wit::ClientClaim::Appid => ClientClaim::Appid,
        wit::ClientClaim::Cid => ClientClaim::Cid,
    }
}

fn claim_rule(rule: wit::ClaimRule) -> ClaimRule {
    ClaimRule {
        name: rule.name,
        claim: rule.claim,
        path: rule.path,
        selector: match rule.selector {
            wit::ClaimSelector::Value => ClaimSelector::Value,
            wit::ClaimSelector::Split(separator) => ClaimSelector::Split(separator),
            wit::ClaimSelector::Keys => ClaimSelector::Keys,
            wit::ClaimSelector::Each(path) => ClaimSelector::Each(path),
        },
        test: match rule.test {
            wit::ClaimTest::AnyOf(wanted) => ClaimTest::AnyOf(values(wanted)),
            wit::ClaimTest::AllOf(wanted) => ClaimTest::AllOf(values(wanted)),
            wit::ClaimTest::NoneOf(unwanted) => ClaimTest::NoneOf(values(unwanted)),
            wit::ClaimTest::Prefix(prefixes) => ClaimTest::Prefix(prefixes),
            wit::ClaimTest::Suffix(suffixes) => ClaimTest::Suffix(suffixes),
            wit::ClaimTest::Range(wit::ClaimRange { at_least, at_most }) => {
                ClaimTest::Range { at_least: at_least.as_deref().map(number), at_most: at_most.as_deref().map(number) }
            }
            wit::ClaimTest::Exists(exists) => ClaimTest::Exists(exists),
        },
        fits_if_absent: rule.fits_if_absent,
    }
}

fn values(values: Vec<wit::ClaimValue>) -> Vec<ClaimValue> {
    let value = |value| match value {
        wit::ClaimValue::Text(text) => ClaimValue::Text(text),
        wit::ClaimValue::Number(text) => ClaimValue::Number(number(&text)),
        wit::ClaimValue::Boolean(boolean) => ClaimValue::Boolean(boolean),
    };
    values.into_iter().map(value).collect()
}

/// Reads a number. The core rejects a rule with a number that is not finite.
fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}
