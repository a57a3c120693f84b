//! Judges a payload by claim rules.

use crate::{
    config::{ClaimRule, ClaimSelector, ClaimTest, ClaimValue, EXACT_MAX},
    json::{Object, Value},
};
use alloc::{string::String, vec::Vec};

/// The maximum number of values of one claim that are looked at. A claim with more does not fit.
const VALUES_MAX: usize = 1_024;

/// How a claim rule fits a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleResult {
    Fits,
    /// The claim is present and does not fit.
    Mismatch,
    /// The claim is absent, and the rule requires it.
    Absent,
}

/// A value that can be compared.
#[derive(Clone, Copy, PartialEq)]
enum Scalar<'o> {
    Text(&'o str),
    Number(f64),
    Boolean(bool),
}

/// What a path leads to.
enum Located<'o> {
    Value(&'o Value<'o>),
    Absent,
    /// A step leads into a value that is not an object.
    NotAnObject,
}

impl ClaimRule {
    /// Judges a payload.
    pub(crate) fn judge(&self, payload: &Object<'_>) -> RuleResult {
        let first = payload.get(&self.claim).filter(|value| !matches!(value, Value::Null));
        let located = first.map_or(Located::Absent, |value| locate(value, &self.path));
        let fits = match (located, &self.test) {
            (Located::Value(_), ClaimTest::Exists(exists)) => *exists,
            (Located::Absent, ClaimTest::Exists(false)) => true,
            (Located::Absent, _) if self.fits_if_absent => true,
            (Located::Absent, _) => return RuleResult::Absent,
            (Located::NotAnObject, _) => false,
            (Located::Value(value), ClaimTest::Prefix(prefixes)) => {
                value.as_str().is_some_and(|text| prefixes.iter().any(|prefix| text.starts_with(prefix.as_str())))
            }
            (Located::Value(value), ClaimTest::Suffix(suffixes)) => {
                value.as_str().is_some_and(|text| suffixes.iter().any(|suffix| text.ends_with(suffix.as_str())))
            }
            (Located::Value(value), ClaimTest::Range { at_least, at_most }) => match Scalar::of(value) {
                Some(Scalar::Number(number)) => {
                    at_least.is_none_or(|least| number >= least) && at_most.is_none_or(|most| number <= most)
                }
                _ => false,
            },
            (Located::Value(value), ClaimTest::AnyOf(wanted)) => {
                self.values(value).is_some_and(|values| wanted.iter().any(|wanted| contains(&values, wanted)))
            }
            (Located::Value(value), ClaimTest::AllOf(wanted)) => {
                self.values(value).is_some_and(|values| wanted.iter().all(|wanted| contains(&values, wanted)))
            }
            (Located::Value(value), ClaimTest::NoneOf(unwanted)) => {
                // A value of another type than all of the list can't be compared, so it does not fit either.
                let is_other = |value: &Scalar<'_>| {
                    unwanted.iter().any(|unwanted| value.has_type_of(unwanted))
                        && !unwanted.iter().any(|unwanted| value.is(unwanted))
                };
                self.values(value).is_some_and(|values| values.iter().all(is_other))
            }
        };
        if fits { RuleResult::Fits } else { RuleResult::Mismatch }
    }

    /// Returns the values that are tested, or `None` if the claim has the wrong type or too many values.
    fn values<'o>(&self, value: &'o Value<'o>) -> Option<Vec<Scalar<'o>>> {
        match (&self.selector, value) {
            (ClaimSelector::Value, Value::Array(elements)) => collect(elements.iter().map(Scalar::of)),
            (ClaimSelector::Value, value) => collect([Scalar::of(value)].into_iter()),
            (ClaimSelector::Split(separator), Value::String(text)) => {
                collect(text.split(*separator).filter(|part| !part.is_empty()).map(|part| Some(Scalar::Text(part))))
            }
            (ClaimSelector::Keys, Value::Object(object)) => {
                let present = object.iter().filter(|(_, value)| !matches!(value, Value::Null));
                collect(present.map(|(name, _)| Some(Scalar::Text(name))))
            }
            (ClaimSelector::Each(path), Value::Array(elements)) => {
                collect(elements.iter().map(|element| match locate(element, path) {
                    Located::Value(value) => Scalar::of(value),
                    Located::Absent | Located::NotAnObject => None,
                }))
            }
            _ => None,
        }
    }
}

impl<'o> Scalar<'o> {
    fn of(value: &'o Value<'o>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Bool(boolean) => Some(Self::Boolean(*boolean)),
            // An integer from 2^53 on may have been rounded when it became a double, so it is not compared.
            Value::Unsigned(number) => (*number <= EXACT_MAX as u64).then_some(Self::Number(*number as f64)),
            Value::Number(number) => (number.abs() <= EXACT_MAX).then_some(Self::Number(*number)),
            Value::Null | Value::Array(_) | Value::Object(_) | Value::Ambiguous => None,
        }
    }

    fn is(&self, other: &ClaimValue) -> bool {
        match (self, other) {
            (Self::Text(text), ClaimValue::Text(other)) => text == other,
            (Self::Number(number), ClaimValue::Number(other)) => number == other,
            (Self::Boolean(boolean), ClaimValue::Boolean(other)) => boolean == other,
            _ => false,
        }
    }

    fn has_type_of(&self, other: &ClaimValue) -> bool {
        matches!(
            (self, other),
            (Self::Text(_), ClaimValue::Text(_))
                | (Self::Number(_), ClaimValue::Number(_))
                | (Self::Boolean(_), ClaimValue::Boolean(_))
        )
    }
}

fn locate<'o>(value: &'o Value<'o>, path: &[String]) -> Located<'o> {
    let mut value = value;
    for step in path {
        let Value::Object(object) = value else {
            return Located::NotAnObject;
        };
        match object.get(step) {
            None | Some(Value::Null) => return Located::Absent,
            Some(next) => value = next,
        }
    }
    match value {
        Value::Null => Located::Absent,
        value => Located::Value(value),
    }
}

fn collect<'o>(values: impl Iterator<Item = Option<Scalar<'o>>>) -> Option<Vec<Scalar<'o>>> {
    let mut collected = Vec::new();
    for value in values {
        if collected.len() == VALUES_MAX {
            return None;
        }
        collected.push(value?);
    }
    Some(collected)
}

fn contains(values: &[Scalar<'_>], wanted: &ClaimValue) -> bool {
    values.iter().any(|value| value.is(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::parse_payload;
    use alloc::{borrow::ToOwned, format, vec};

    fn rule(test: ClaimTest) -> ClaimRule {
        ClaimRule {
            name: None,
            claim: "c".to_owned(),
            path: Vec::new(),
            selector: ClaimSelector::Value,
            test,
            fits_if_absent: false,
        }
    }

    fn judge(rule: &ClaimRule, claim: &str) -> RuleResult {
        rule.judge(&parse_payload(&format!("{{\"x\":1,\"c\":{claim}}}"), 16).unwrap())
    }

    fn all_tests() -> [ClaimTest; 6] {
        let value = || vec![ClaimValue::Text("v".to_owned())];
        [
            ClaimTest::AnyOf(value()),
            ClaimTest::AllOf(value()),
            ClaimTest::NoneOf(value()),
            ClaimTest::Prefix(vec!["v".to_owned()]),
            ClaimTest::Suffix(vec!["v".to_owned()]),
            ClaimTest::Range { at_least: Some(0.0), at_most: None },
        ]
    }

    fn all_selectors() -> [ClaimSelector; 4] {
        [
            ClaimSelector::Value,
            ClaimSelector::Split(','),
            ClaimSelector::Keys,
            ClaimSelector::Each(vec!["v".to_owned()]),
        ]
    }

    #[test]
    fn an_absent_claim_is_reported_as_absent_unless_absence_passes() {
        for test in all_tests() {
            let required = rule(test);
            let optional = ClaimRule { fits_if_absent: true, ..required.clone() };
            let nested = ClaimRule { path: vec!["a".to_owned(), "b".to_owned()], ..required.clone() };
            let object = parse_payload("{\"C\":\"v\"}", 16).unwrap();
            assert_eq!(required.judge(&object), RuleResult::Absent, "{required:?}");
            assert_eq!(optional.judge(&object), RuleResult::Fits, "{required:?}");
            assert_eq!((judge(&required, "null"), judge(&optional, "null")), (RuleResult::Absent, RuleResult::Fits));
            for claim in ["{}", "{\"a\":{}}", "{\"a\":null}", "{\"a\":{\"b\":null}}"] {
                assert_eq!(judge(&nested, claim), RuleResult::Absent, "{claim}");
            }
        }
    }

    #[test]
    fn no_test_fits_a_value_of_no_type_that_can_be_compared() {
        for test in all_tests() {
            for selector in all_selectors() {
                let rule = ClaimRule { selector, fits_if_absent: true, ..rule(test.clone()) };
                for claim in ["[null]", "[[]]", "[{}]", "[\"w\",[\"w\"]]", "[{\"v\":null}]", "[{\"v\":[\"w\"]}]"] {
                    assert_eq!(judge(&rule, claim), RuleResult::Mismatch, "{rule:?} {claim}");
                }
                let nested = ClaimRule { path: vec!["a".to_owned()], ..rule };
                for claim in ["\"w\"", "1", "true", "[]", "[{\"a\":\"w\"}]"] {
                    assert_eq!(judge(&nested, claim), RuleResult::Mismatch, "{nested:?} {claim}");
                }
            }
        }
    }

    #[test]
    fn values_are_compared_with_values_of_their_own_type() {
        let one = [ClaimValue::Text("1".to_owned()), ClaimValue::Number(1.0), ClaimValue::Boolean(true)];
        let spelled = ["\"1\"", "1", "true"];
        for (value, own) in one.iter().zip(spelled) {
            for claim in spelled {
                let expected = if claim == own { RuleResult::Fits } else { RuleResult::Mismatch };
                assert_eq!(judge(&rule(ClaimTest::AnyOf(vec![value.clone()])), claim), expected, "{value:?} {claim}");
                // Neither the value itself nor one of another type.
                let none_of = rule(ClaimTest::NoneOf(vec![value.clone()]));
                assert_eq!(judge(&none_of, claim), RuleResult::Mismatch, "{value:?} {claim}");
            }
        }
    }

    #[test]
    fn a_number_that_may_have_been_rounded_is_compared_with_nothing() {
        let near = |number: f64| rule(ClaimTest::AnyOf(vec![ClaimValue::Number(number)]));
        for (number, claim, expected) in [
            (EXACT_MAX, "9007199254740991", RuleResult::Fits),
            (EXACT_MAX + 1.0, "9007199254740992", RuleResult::Mismatch),
            (EXACT_MAX + 1.0, "9007199254740993", RuleResult::Mismatch),
            (EXACT_MAX + 1.0, "9007199254740992.0", RuleResult::Mismatch),
            (-EXACT_MAX - 1.0, "-9007199254740993", RuleResult::Mismatch),
            (-EXACT_MAX, "-9007199254740991", RuleResult::Fits),
            (0.0, "-0", RuleResult::Fits),
            (0.5, "5e-1", RuleResult::Fits),
        ] {
            assert_eq!(judge(&near(number), claim), expected, "{claim}");
        }
        let any = rule(ClaimTest::Range { at_least: Some(-EXACT_MAX), at_most: Some(EXACT_MAX) });
        assert_eq!(judge(&any, "9007199254740993"), RuleResult::Mismatch);
    }

    #[test]
    fn at_most_1024_values_are_looked_at() {
        let value = || vec![ClaimValue::Text("v".to_owned())];
        let array = |count: usize, element: &str| format!("[{}]", vec![element; count].join(","));
        let members = |count: usize| -> String {
            let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        let claim = |selector: &ClaimSelector, count: usize| match selector {
            ClaimSelector::Value => array(count, "\"w\""),
            ClaimSelector::Split(_) => format!("\"{}\"", vec!["w"; count].join(",")),
            ClaimSelector::Keys => members(count),
            ClaimSelector::Each(_) => array(count, "{\"v\":\"w\"}"),
        };
        for selector in all_selectors() {
            let rule = ClaimRule { selector, ..rule(ClaimTest::NoneOf(value())) };
            assert_eq!(judge(&rule, &claim(&rule.selector, 1_024)), RuleResult::Fits, "{rule:?}");
            assert_eq!(judge(&rule, &claim(&rule.selector, 1_025)), RuleResult::Mismatch, "{rule:?}");
        }
    }

    #[test]
    fn a_member_that_is_null_is_no_key() {
        let keys = |test| ClaimRule { selector: ClaimSelector::Keys, ..rule(test) };
        let admin = || vec![ClaimValue::Text("admin".to_owned())];
        assert_eq!(judge(&keys(ClaimTest::AnyOf(admin())), r#"{"admin":null}"#), RuleResult::Mismatch);
        assert_eq!(judge(&keys(ClaimTest::NoneOf(admin())), r#"{"admin":null}"#), RuleResult::Fits);
        assert_eq!(judge(&keys(ClaimTest::AnyOf(admin())), r#"{"user":null,"admin":0}"#), RuleResult::Fits);
    }
}
