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
/// The largest number that can be compared: 2^53 − 1. From 2^53 on, a double stands for several integers.
pub(crate) const EXACT_MAX: f64 = 9_007_199_254_740_991.0;
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
    /// The parts of a text between these characters. Empty parts are left out, so the test must not list an empty text, a text with the
    /// separator, or a value that is no text.
    Split(char),
    /// The names of the members of an object. A member that is `null` is absent. The test must list texts.
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
    /// A number between −2^53 and 2^53. A larger number in a token fits nothing, because a double can't represent it exactly.
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
            ClaimTest::AnyOf(values) | ClaimTest::AllOf(values) | ClaimTest::NoneOf(values)
                if !values.iter().all(|value| self.can_be_selected(value)) =>
            {
                Err(
                    "keys and the parts of a split text are texts, and a part is not empty and does not contain the separator",
                )
            }
            ClaimTest::AnyOf(values) | ClaimTest::AllOf(values) | ClaimTest::NoneOf(values) => {
                let fits = (1..=VALUES_MAX).contains(&values.len()) && values.iter().all(ClaimValue::is_valid);
                let limits =
                    "a list must have from 1 to 128 values, texts at most 256 bytes, and numbers less than 2^53";
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
                    Err("at_least and at_most must be numbers between -2^53 and 2^53")
                }
            }
            ClaimTest::Exists(_) => Ok(()),
        }
    }

    /// Returns whether the selector can find a value. Otherwise `none_of` would never reject it.
    fn can_be_selected(&self, value: &ClaimValue) -> bool {
        match (&self.selector, value) {
            (ClaimSelector::Split(separator), ClaimValue::Text(part)) => !part.is_empty() && !part.contains(*separator),
            (ClaimSelector::Split(_) | ClaimSelector::Keys, value) => matches!(value, ClaimValue::Text(_)),
            (ClaimSelector::Value | ClaimSelector::Each(_), _) => true,
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{borrow::ToOwned, vec};

    fn rule(test: ClaimTest) -> ClaimRule {
        ClaimRule {
            name: None,
            claim: "role".to_owned(),
            path: Vec::new(),
            selector: ClaimSelector::Value,
            test,
            fits_if_absent: false,
        }
    }

    fn texts(count: usize, length: usize) -> Vec<String> {
        vec!["x".repeat(length); count]
    }

    fn values(count: usize, length: usize) -> Vec<ClaimValue> {
        texts(count, length).into_iter().map(ClaimValue::Text).collect()
    }

    fn range(at_least: Option<f64>, at_most: Option<f64>) -> ClaimRule {
        rule(ClaimTest::Range { at_least, at_most })
    }

    fn at(path: Vec<String>) -> ClaimRule {
        ClaimRule { path, ..rule(ClaimTest::Exists(true)) }
    }

    fn selecting(selector: ClaimSelector, test: ClaimTest) -> ClaimRule {
        ClaimRule { selector, ..rule(test) }
    }

    fn is_valid(rule: &ClaimRule) -> bool {
        rule.check().is_ok()
    }

    #[test]
    fn lists_have_limits() {
        for test in [ClaimTest::AnyOf, ClaimTest::AllOf, ClaimTest::NoneOf] {
            for (list, expected) in [
                (values(0, 1), false),
                (values(1, 0), true),
                (values(128, 256), true),
                (values(129, 1), false),
                (values(1, 257), false),
                (vec![ClaimValue::Number(EXACT_MAX), ClaimValue::Number(-EXACT_MAX), ClaimValue::Boolean(false)], true),
                (vec![ClaimValue::Number(EXACT_MAX * 2.0)], false),
                (vec![ClaimValue::Number(f64::NAN)], false),
                (vec![ClaimValue::Boolean(true), ClaimValue::Number(f64::INFINITY)], false),
            ] {
                assert_eq!(is_valid(&rule(test(list.clone()))), expected, "{list:?}");
            }
        }
        for test in [ClaimTest::Prefix, ClaimTest::Suffix] {
            for (count, length, expected) in
                [(0, 1, false), (1, 0, false), (1, 1, true), (16, 256, true), (17, 1, false), (1, 257, false)]
            {
                assert_eq!(is_valid(&rule(test(texts(count, length)))), expected, "{count} {length}");
            }
        }
        let rules = |count: usize| vec![rule(ClaimTest::Exists(true)); count];
        assert_eq!(ClaimRule::check_list(&[]), Ok(()));
        assert_eq!(ClaimRule::check_list(&rules(32)), Ok(()));
        assert_eq!(ClaimRule::check_list(&rules(33)), Err(ConfigError::InvalidClaimRule));
        let mut last = rules(2);
        last.push(rule(ClaimTest::AnyOf(Vec::new())));
        assert_eq!(ClaimRule::check_list(&last), Err(ConfigError::InvalidClaimRule));
    }

    #[test]
    fn a_range_has_a_bound_that_is_exact() {
        assert!(is_valid(&range(Some(1.0), None)) && is_valid(&range(None, Some(-1.5))));
        assert!(is_valid(&range(Some(-EXACT_MAX), Some(EXACT_MAX))));
        assert!(!is_valid(&range(None, None)));
        assert!(!is_valid(&range(Some(f64::NAN), None)) && !is_valid(&range(Some(0.0), Some(f64::INFINITY))));
        assert!(!is_valid(&range(Some(EXACT_MAX * 2.0), None)));
    }

    #[test]
    fn claims_with_checks_of_their_own_and_names_over_the_limit_are_rejected() {
        let of = |claim: &str| ClaimRule { claim: claim.to_owned(), ..rule(ClaimTest::Exists(true)) };
        for claim in ["aud", "client_id", "azp", "sub", "scope", "token_use", "kubernetes.io", "https://example.com/a"]
        {
            assert!(is_valid(&of(claim)), "{claim}");
        }
        for claim in ["iss", "exp", "nbf", "iat", "", &"x".repeat(257)] {
            assert!(!is_valid(&of(claim)), "{claim}");
        }
        for (steps, length, expected) in [(8, 256, true), (9, 1, false), (1, 0, false), (1, 257, false)] {
            assert_eq!(is_valid(&at(texts(steps, length))), expected, "{steps} {length}");
        }
        for (name, expected) in [("x".repeat(256), true), (String::new(), false), ("x".repeat(257), false)] {
            assert_eq!(is_valid(&ClaimRule { name: Some(name), ..rule(ClaimTest::Exists(true)) }), expected);
        }
    }

    #[test]
    fn a_test_lists_only_values_that_its_selector_can_find() {
        let split = || ClaimSelector::Split(',');
        let text = |text: &str| ClaimValue::Text(text.to_owned());
        for test in [ClaimTest::AnyOf, ClaimTest::AllOf, ClaimTest::NoneOf] {
            for (selector, value, expected) in [
                (split(), text("a"), true),
                (split(), text("a b"), true),
                (split(), text("a,b"), false),
                (split(), text(","), false),
                (split(), text(""), false),
                (split(), ClaimValue::Number(1.0), false),
                (ClaimSelector::Keys, text("a,b"), true),
                (ClaimSelector::Keys, text(""), true),
                (ClaimSelector::Keys, ClaimValue::Boolean(true), false),
                (ClaimSelector::Each(texts(1, 1)), ClaimValue::Number(1.0), true),
                (ClaimSelector::Value, text("a,b"), true),
            ] {
                let rule = selecting(selector, test(vec![text("x"), value]));
                assert_eq!(is_valid(&rule), expected, "{rule:?}");
            }
        }
    }

    #[test]
    fn selectors_are_for_lists_and_absence_passes_no_test_of_existence() {
        let selectors = [ClaimSelector::Split(','), ClaimSelector::Keys, ClaimSelector::Each(texts(8, 256))];
        for selector in selectors {
            for test in [ClaimTest::AnyOf, ClaimTest::AllOf, ClaimTest::NoneOf] {
                assert!(is_valid(&selecting(selector.clone(), test(values(1, 1)))), "{selector:?}");
            }
            for test in [
                ClaimTest::Prefix(texts(1, 1)),
                ClaimTest::Suffix(texts(1, 1)),
                ClaimTest::Range { at_least: Some(0.0), at_most: None },
                ClaimTest::Exists(true),
                ClaimTest::Exists(false),
            ] {
                assert!(!is_valid(&selecting(selector.clone(), test.clone())), "{selector:?} {test:?}");
            }
        }
        for path in [texts(0, 1), texts(9, 1), texts(1, 0), texts(1, 257)] {
            assert!(!is_valid(&selecting(ClaimSelector::Each(path), ClaimTest::AnyOf(values(1, 1)))));
        }
        let or_absent = |test| ClaimRule { fits_if_absent: true, ..rule(test) };
        assert!(is_valid(&or_absent(ClaimTest::NoneOf(values(1, 1)))));
        assert!(!is_valid(&or_absent(ClaimTest::Exists(true))) && !is_valid(&or_absent(ClaimTest::Exists(false))));
    }
}
