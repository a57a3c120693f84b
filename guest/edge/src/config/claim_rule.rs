//! Rules for any claims.

use super::not_null::not_null;
use serde::Deserialize;

/// A rule for one claim. A claim with the wrong type never fits. Set exactly one of `any_of`, `all_of`, `none_of`, `prefix`, `suffix` and `exists`,
/// or `at_least` and `at_most`; and at most one of `split`, `keys` and `each`. See docs/claims.md.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimRule {
    /// A name for logs and metrics.
    pub name: Option<String>,
    /// The name of the claim: a member of the payload. `iss`, `exp`, `nbf` and `iat` are not allowed.
    pub claim: String,
    /// The members that lead from the claim to the value, if the claim is an object.
    #[serde(default)]
    pub path: Vec<String>,
    /// Tests the parts of a text between this character.
    pub split: Option<char>,
    /// Tests the names of the members of an object. A member that is `null` is absent.
    #[serde(default)]
    pub keys: bool,
    /// Tests the values at this path in each element of an array.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub each: Option<Vec<String>>,
    /// The claim, or an element of it, is one of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ClaimValue>"))]
    pub any_of: Option<Vec<ClaimValue>>,
    /// Each of these is the claim, or an element of it.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ClaimValue>"))]
    pub all_of: Option<Vec<ClaimValue>>,
    /// Neither the claim nor an element of it is one of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ClaimValue>"))]
    pub none_of: Option<Vec<ClaimValue>>,
    /// The claim is a text that begins with one of these. End a prefix with a separator.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub prefix: Option<Vec<String>>,
    /// The claim is a text that ends with one of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub suffix: Option<Vec<String>>,
    /// The claim is a number that is not smaller.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub at_least: Option<f64>,
    /// The claim is a number that is not larger.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub at_most: Option<f64>,
    /// Whether the claim is present. A claim that is `null` is absent.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "bool"))]
    pub exists: Option<bool>,
    /// Accepts tokens without the claim. By default, an absent claim does not fit.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "IfAbsent"))]
    pub if_absent: Option<IfAbsent>,
}

/// A value that a claim is compared with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ClaimValue {
    /// A boolean.
    Boolean(bool),
    /// A number between −2^53 and 2^53.
    Number(f64),
    /// A text.
    Text(String),
}

/// What happens if the claim is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IfAbsent {
    /// The token fits.
    Pass,
}

impl ClaimRule {
    /// Returns the rule of the core, or what is wrong.
    pub(super) fn to_core(&self) -> Result<poolgate_core::ClaimRule, &'static str> {
        use poolgate_core::{ClaimSelector, ClaimTest};
        let values = |values: &Option<Vec<ClaimValue>>| {
            values.as_ref().map(|values| values.iter().map(ClaimValue::to_core).collect())
        };
        let mut tests: Vec<ClaimTest> = Vec::new();
        tests.extend(values(&self.any_of).map(ClaimTest::AnyOf));
        tests.extend(values(&self.all_of).map(ClaimTest::AllOf));
        tests.extend(values(&self.none_of).map(ClaimTest::NoneOf));
        tests.extend(self.prefix.clone().map(ClaimTest::Prefix));
        tests.extend(self.suffix.clone().map(ClaimTest::Suffix));
        tests.extend(self.exists.map(ClaimTest::Exists));
        if self.at_least.is_some() || self.at_most.is_some() {
            tests.push(ClaimTest::Range { at_least: self.at_least, at_most: self.at_most });
        }
        let mut selectors: Vec<ClaimSelector> = Vec::new();
        selectors.extend(self.split.map(ClaimSelector::Split));
        selectors.extend(self.keys.then_some(ClaimSelector::Keys));
        selectors.extend(self.each.clone().map(ClaimSelector::Each));
        let (Some(test), true) = (tests.pop(), tests.is_empty()) else {
            return Err("set one of any_of, all_of, none_of, prefix, suffix, exists, and at_least or at_most");
        };
        if selectors.len() > 1 {
            return Err("set at most one of split, keys and each");
        }
        Ok(poolgate_core::ClaimRule {
            name: self.name.clone(),
            claim: self.claim.clone(),
            path: self.path.clone(),
            selector: selectors.pop().unwrap_or(ClaimSelector::Value),
            test,
            fits_if_absent: self.if_absent.is_some(),
        })
    }
}

impl ClaimValue {
    fn to_core(&self) -> poolgate_core::ClaimValue {
        match self {
            Self::Boolean(boolean) => poolgate_core::ClaimValue::Boolean(*boolean),
            Self::Number(number) => poolgate_core::ClaimValue::Number(*number),
            Self::Text(text) => poolgate_core::ClaimValue::Text(text.clone()),
        }
    }
}
