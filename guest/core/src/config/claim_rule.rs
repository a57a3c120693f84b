//! Rules for any claims.

use super::error::ConfigError;
use alloc::{string::String, vec::Vec};

/// The maximum number of rules in a list.
pub const CLAIM_RULES_MAX: usize = 32;
/// The maximum number of values in one rule.
const VALUES_MAX: usize = 128;
/// The maximum number of prefixes or suffixes in one rule.
const AFFIXES_MAX: usize = 16;
/// The maximum length of a name or a value, in bytes.
const TEXT_MAX: usize = 256;
/// The maximum number of steps of a path.
const STEPS_MAX: usize = 8;
/// The largest integer up to which a double represents every integer: 2^53.
pub(crate) const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Claims that have checks of their own.
const CHECKED_CLAIMS: [&str; 4] = ["iss", "exp", "nbf", "iat"];

/// A rule for one claim. A claim with the wrong type never fits, whatever the test.
///
/// Texts are compared byte by byte, with case. `"1"` is not `1`, and `"true"` is not `true`. A claim that is `null` is absent.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRule {
    /// A name for logs and metrics. Without it, the number of the rule is used.
    pub name: Option<String>,
    /// The name of the claim: a member of the payload. `iss`, `exp`, `nbf` and `iat` are not allowed, because they have checks of their own.
    pub claim: String,
    /// The members that lead from the claim to the value, if the claim is an object. At most 8.
    pub path: Vec<String>,
    /// Which values are tested.
    pub selector: ClaimSelector,
    /// The test.
    pub test: ClaimTest,
    /// Whether a token without the claim fits. Not allowed with [`ClaimTest::Exists`].
    pub fits_if_absent: bool,
}

/// Which values of a claim are tested.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimSelector {
    /// The value, or the elements of an array of texts, numbers and booleans. An array with any other element does not fit.
    Value,
    /// The parts of a text between these characters. Empty parts are left out.
    Split(char),
    /// The names of the members of an object. A member that is `null` is absent.
    Keys,
    /// The values at this path in each element of an array. If one element has none, the claim does not fit. At most 8 steps.
    Each(Vec<String>),
}

/// The test of a claim rule. A list must not be empty.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// At least one value is one of these. At most 128.
    AnyOf(Vec<ClaimValue>),
    /// Each of these is one of the values. At most 128.
    AllOf(Vec<ClaimValue>),
    /// No value is one of these, and each has the type of at least one of these. At most 128. An absent claim does not fit.
    NoneOf(Vec<ClaimValue>),
    /// The claim is a text that begins with one of these. At most 16. End a prefix with a separator: `repo:octo-org` also fits
    /// `repo:octo-org-evil`.
    Prefix(Vec<String>),
    /// The claim is a text that ends with one of these. At most 16.
    Suffix(Vec<String>),
    /// The claim is a number in this range. At least one bound is required.
    Range {
        /// The smallest number that fits.
        at_least: Option<f64>,
        /// The largest number that fits.
        at_most: Option<f64>,
    },
    /// Whether the claim is present.
    Exists(bool),
}

/// A value that a claim is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimValue {
    /// A text.
    Text(String),
    /// A number, from −2^53 to 2^53. A larger number in a token fits nothing, because a double can't represent it exactly.
    Number(f64),
    /// A boolean.
    Boolean(bool),
}

impl ClaimRule {
    /// Checks a list of rules, which may be empty.
    pub(crate) fn check_list(rules: &[Self]) -> Result<(), ConfigError> {
        if rules.len() <= CLAIM_RULES_MAX && rules.iter().all(|rule| rule.check().is_ok()) {
            Ok(())
        } else {
            Err(ConfigError::InvalidClaimRule)
        }
    }

    /// Checks whether the rule is complete and consistent.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        let is_path_valid = match &self.selector {
            ClaimSelector::Each(path) => !path.is_empty() && is_path(path) && is_path(&self.path),
            ClaimSelector::Value | ClaimSelector::Split(_) | ClaimSelector::Keys => is_path(&self.path),
        };
        let tests_many = self.selector != ClaimSelector::Value;
        if CHECKED_CLAIMS.contains(&self.claim.as_str()) {
            return Err("iss, exp, nbf and iat have checks of their own");
        }
        if !is_name(&self.claim) || !is_path_valid || self.name.as_ref().is_some_and(|name| !is_name(name)) {
            return Err("a name must have from 1 to 256 bytes, and a path at most 8 steps");
        }
        match &self.test {
            ClaimTest::AnyOf(values) | ClaimTest::AllOf(values) | ClaimTest::NoneOf(values) => {
                let fits = (1..=VALUES_MAX).contains(&values.len()) && values.iter().all(ClaimValue::is_valid);
                let limits = "a list must have from 1 to 128 values, texts at most 256 bytes, and numbers at most 2^53";
                if fits { Ok(()) } else { Err(limits) }
            }
            ClaimTest::Exists(_) if self.fits_if_absent => Err("if_absent is not allowed with exists"),
            ClaimTest::Prefix(_) | ClaimTest::Suffix(_) | ClaimTest::Range { .. } | ClaimTest::Exists(_)
                if tests_many =>
            {
                Err("split, keys and each are only allowed with any_of, all_of and none_of")
            }
            ClaimTest::Prefix(texts) | ClaimTest::Suffix(texts) => {
                let fits = (1..=AFFIXES_MAX).contains(&texts.len()) && texts.iter().all(|text| is_name(text));
                if fits { Ok(()) } else { Err("prefix and suffix must have from 1 to 16 texts of 1 to 256 bytes") }
            }
            ClaimTest::Range { at_least, at_most } => {
                let fits = [at_least, at_most].into_iter().flatten().all(|bound| is_exact(*bound));
                if fits && (at_least.is_some() || at_most.is_some()) {
                    Ok(())
                } else {
                    Err("at_least and at_most must be numbers from -2^53 to 2^53")
                }
            }
            ClaimTest::Exists(_) => Ok(()),
        }
    }
}

impl ClaimValue {
    fn is_valid(&self) -> bool {
        match self {
            ClaimValue::Text(text) => text.len() <= TEXT_MAX,
            ClaimValue::Number(number) => is_exact(*number),
            ClaimValue::Boolean(_) => true,
        }
    }
}

fn is_path(steps: &[String]) -> bool {
    steps.len() <= STEPS_MAX && steps.iter().all(|step| is_name(step))
}

fn is_name(text: &str) -> bool {
    (1..=TEXT_MAX).contains(&text.len())
}

fn is_exact(number: f64) -> bool {
    (-EXACT_MAX..=EXACT_MAX).contains(&number)
}
