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
            (Located::Absent | Located::NotAnObject, ClaimTest::Exists(false)) => true,
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
            Value::Number(number) => (number.abs() < EXACT_MAX).then_some(Self::Number(*number)),
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
