//! Rules for any claims of a token.

use crate::{bindings::exports::poolgate::auth::verifier as wit, strict_json::parse_object};
use serde_json::{Map, Value};
use std::fmt;

/// The maximum nesting of a rule in JSON: the default of a verifier for tokens.
const JSON_DEPTH: u32 = 16;

/// A rule for one claim of a token.
///
/// A claim with the wrong type never fits, whatever the test. Texts are compared byte by byte, with case: `"1"` is not `1`, and `"true"` is not
/// `true`. A claim that is `null` is absent. An absent claim does not fit, unless [`fits_if_absent`](Self::fits_if_absent) is called.
///
/// Each constructor names the claim, and the test is set by one of [`any_of`](Self::any_of), [`all_of`](Self::all_of),
/// [`none_of`](Self::none_of), [`prefix`](Self::prefix), [`suffix`](Self::suffix), [`at_least`](Self::at_least), [`at_most`](Self::at_most),
/// [`present`](Self::present) and [`absent`](Self::absent). If several are called, the last one counts, except that `at_least` and `at_most`
/// make one range. `docs/claims.md` has the whole language, its limits, and examples.
///
/// [`VerifierBuilder::build`](crate::VerifierBuilder::build) rejects a rule without a test, and one that exceeds a limit.
///
/// ```
/// use poolgate::ClaimRule;
///
/// // Keycloak: {"realm_access": {"roles": ["editor"]}}
/// let editors = ClaimRule::new("realm_access").path(["roles"]).any_of(["editor"]);
/// // GitHub Actions: end a prefix with a separator.
/// let repository = ClaimRule::new("sub").prefix(["repo:octo-org@123456/"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ClaimRule(pub(crate) wit::ClaimRule);

/// A value that a claim is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimValue(wit::ClaimValue);

/// Why a claim rule could not be read from JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRuleError(String);

impl ClaimRule {
    /// Creates a rule for a claim, which is a member of the payload. `iss`, `exp`, `nbf` and `iat` have checks of their own and are not allowed.
    pub fn new(claim: impl Into<String>) -> Self {
        Self(wit::ClaimRule {
            name: None,
            claim: claim.into(),
            path: Vec::new(),
            selector: wit::ClaimSelector::Value,
            // A list without values is rejected when the verifier is built.
            test: wit::ClaimTest::AnyOf(Vec::new()),
            fits_if_absent: false,
        })
    }

    /// Sets a name for logs and metrics. Without it, the number of the rule is used.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// Sets the members that lead from the claim to the value, if the claim is an object. At most 8.
    pub fn path(mut self, steps: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.path = texts(steps);
        self
    }

    /// Tests the parts of a text between these characters. Empty parts are left out.
    pub fn split(mut self, separator: char) -> Self {
        self.0.selector = wit::ClaimSelector::Split(separator);
        self
    }

    /// Tests the names of the members of an object. A member that is `null` is absent.
    pub fn keys(mut self) -> Self {
        self.0.selector = wit::ClaimSelector::Keys;
        self
    }

    /// Tests the values at this path in each element of an array. If one element has none, the claim does not fit.
    pub fn each(mut self, steps: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.selector = wit::ClaimSelector::Each(texts(steps));
        self
    }

    /// Requires that the claim, or an element of it, is one of these values.
    pub fn any_of(self, values: impl IntoIterator<Item = impl Into<ClaimValue>>) -> Self {
        self.test(wit::ClaimTest::AnyOf(self::values(values)))
    }

    /// Requires that each of these values is the claim, or an element of it.
    pub fn all_of(self, values: impl IntoIterator<Item = impl Into<ClaimValue>>) -> Self {
        self.test(wit::ClaimTest::AllOf(self::values(values)))
    }

    /// Requires that neither the claim nor an element of it is one of these values.
    ///
    /// A value of another type than all of these does not fit either, and an absent claim does not.
    pub fn none_of(self, values: impl IntoIterator<Item = impl Into<ClaimValue>>) -> Self {
        self.test(wit::ClaimTest::NoneOf(self::values(values)))
    }

    /// Requires a text that begins with one of these. End a prefix with a separator: `repo:octo-org` also fits `repo:octo-org-evil`.
    pub fn prefix(self, prefixes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.test(wit::ClaimTest::Prefix(texts(prefixes)))
    }

    /// Requires a text that ends with one of these.
    pub fn suffix(self, suffixes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.test(wit::ClaimTest::Suffix(texts(suffixes)))
    }

    /// Requires a number that is not smaller.
    pub fn at_least(self, number: impl Into<f64>) -> Self {
        let at_most = self.range().at_most;
        self.test(wit::ClaimTest::Range(wit::ClaimRange { at_least: Some(number.into().to_string()), at_most }))
    }

    /// Requires a number that is not larger.
    pub fn at_most(self, number: impl Into<f64>) -> Self {
        let at_least = self.range().at_least;
        self.test(wit::ClaimTest::Range(wit::ClaimRange { at_least, at_most: Some(number.into().to_string()) }))
    }

    /// Requires that the claim is present, with any value except `null`.
    pub fn present(self) -> Self {
        self.test(wit::ClaimTest::Exists(true))
    }

    /// Requires that the claim is absent or `null`.
    pub fn absent(self) -> Self {
        self.test(wit::ClaimTest::Exists(false))
    }

    /// Accepts a token without the claim.
    pub fn fits_if_absent(mut self) -> Self {
        self.0.fits_if_absent = true;
        self
    }

    /// Reads a rule from JSON, in the same form as in the configuration of the filter and the middleware (`docs/claims.md`).
    ///
    /// ```
    /// use poolgate::ClaimRule;
    ///
    /// let rule = ClaimRule::from_json(r#"{"claim": "o", "path": ["per"], "split": ",", "any_of": ["manage"]}"#)?;
    /// assert_eq!(rule, ClaimRule::new("o").path(["per"]).split(',').any_of(["manage"]));
    /// # Ok::<(), poolgate::ClaimRuleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`ClaimRuleError`] that says which member is wrong. No member may occur twice.
    pub fn from_json(json: &str) -> Result<Self, ClaimRuleError> {
        // serde_json would keep the last of two members, and drop a test that looks as if it applied.
        let members = parse_object(json.as_bytes(), JSON_DEPTH)
            .map_err(|error| ClaimRuleError(format!("it is not a JSON object: {error}")))?;
        Self::from_members(&members)
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, ClaimRuleError> {
        let mut rule = Self::new(text(members, "claim")?.ok_or_else(|| fault("claim", "is missing"))?);
        rule.0.name = text(members, "name")?.map(str::to_owned);
        rule.0.path = list(members, "path")?.unwrap_or_default();
        let (mut selectors, mut tests, mut range) = (0, 0, wit::ClaimRange { at_least: None, at_most: None });
        for (member, value) in members {
            let test = match member.as_str() {
                "claim" | "name" | "path" => continue,
                "split" => {
                    let mut characters = text(members, "split")?.unwrap_or_default().chars();
                    let (Some(separator), None) = (characters.next(), characters.next()) else {
                        return Err(fault("split", "must be one character"));
                    };
                    (rule.0.selector, selectors) = (wit::ClaimSelector::Split(separator), selectors + 1);
                    continue;
                }
                "keys" if *value == Value::Bool(true) => {
                    (rule.0.selector, selectors) = (wit::ClaimSelector::Keys, selectors + 1);
                    continue;
                }
                "keys" => return Err(fault("keys", "must be true")),
                "each" => {
                    let steps = list(members, "each")?.unwrap_or_default();
                    (rule.0.selector, selectors) = (wit::ClaimSelector::Each(steps), selectors + 1);
                    continue;
                }
                "if_absent" if value == "pass" => {
                    rule.0.fits_if_absent = true;
                    continue;
                }
                "if_absent" => return Err(fault("if_absent", "must be \"pass\"")),
                "any_of" => wit::ClaimTest::AnyOf(scalars("any_of", value)?),
                "all_of" => wit::ClaimTest::AllOf(scalars("all_of", value)?),
                "none_of" => wit::ClaimTest::NoneOf(scalars("none_of", value)?),
                "prefix" => wit::ClaimTest::Prefix(list(members, "prefix")?.unwrap_or_default()),
                "suffix" => wit::ClaimTest::Suffix(list(members, "suffix")?.unwrap_or_default()),
                "at_least" | "at_most" => {
                    let Value::Number(number) = value else { return Err(fault(member, "must be a number")) };
                    let had_none = range.at_least.is_none() && range.at_most.is_none();
                    match member.as_str() {
                        "at_least" => range.at_least = Some(number.to_string()),
                        _ => range.at_most = Some(number.to_string()),
                    }
                    tests -= i32::from(!had_none);
                    wit::ClaimTest::Range(range.clone())
                }
                "exists" => match value {
                    Value::Bool(exists) => wit::ClaimTest::Exists(*exists),
                    _ => return Err(fault("exists", "must be true or false")),
                },
                _ => return Err(fault(member, "is not known")),
            };
            (rule.0.test, tests) = (test, tests + 1);
        }
        if selectors > 1 {
            return Err(ClaimRuleError("set at most one of split, keys and each".into()));
        }
        if tests != 1 {
            return Err(ClaimRuleError(
                "set one of any_of, all_of, none_of, prefix, suffix, exists, and at_least or at_most".into(),
            ));
        }
        Ok(rule)
    }

    fn test(mut self, test: wit::ClaimTest) -> Self {
        self.0.test = test;
        self
    }

    /// Returns the range that has been set so far.
    fn range(&self) -> wit::ClaimRange {
        match &self.0.test {
            wit::ClaimTest::Range(range) => range.clone(),
            _ => wit::ClaimRange { at_least: None, at_most: None },
        }
    }
}

impl From<&str> for ClaimValue {
    fn from(text: &str) -> Self {
        Self(wit::ClaimValue::Text(text.to_owned()))
    }
}

impl From<String> for ClaimValue {
    fn from(text: String) -> Self {
        Self(wit::ClaimValue::Text(text))
    }
}

impl From<bool> for ClaimValue {
    fn from(boolean: bool) -> Self {
        Self(wit::ClaimValue::Boolean(boolean))
    }
}

impl From<i64> for ClaimValue {
    /// A number from 2^53 on, or down to −2^53, makes [`VerifierBuilder::build`](crate::VerifierBuilder::build) fail.
    fn from(number: i64) -> Self {
        Self(wit::ClaimValue::Number(number.to_string()))
    }
}

impl From<f64> for ClaimValue {
    /// A number from 2^53 on, or down to −2^53, makes [`VerifierBuilder::build`](crate::VerifierBuilder::build) fail.
    fn from(number: f64) -> Self {
        Self(wit::ClaimValue::Number(number.to_string()))
    }
}

impl fmt::Display for ClaimRuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the claim rule is invalid: {}", self.0)
    }
}

impl std::error::Error for ClaimRuleError {}

fn fault(member: &str, problem: &str) -> ClaimRuleError {
    ClaimRuleError(format!("{member} {problem}"))
}

fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

fn values(values: impl IntoIterator<Item = impl Into<ClaimValue>>) -> Vec<wit::ClaimValue> {
    values.into_iter().map(|value| value.into().0).collect()
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, ClaimRuleError> {
    members.get(name).map(|value| value.as_str().ok_or_else(|| fault(name, "must be a text"))).transpose()
}

fn list(members: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, ClaimRuleError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let elements = value.as_array().ok_or_else(|| fault(name, "must be an array of texts"))?;
    let read =
        |element: &Value| element.as_str().map(str::to_owned).ok_or_else(|| fault(name, "must be an array of texts"));
    elements.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn scalars(name: &str, value: &Value) -> Result<Vec<wit::ClaimValue>, ClaimRuleError> {
    let elements = value.as_array().ok_or_else(|| fault(name, "must be an array"))?;
    let read = |element: &Value| match element {
        Value::String(text) => Ok(wit::ClaimValue::Text(text.clone())),
        Value::Number(number) => Ok(wit::ClaimValue::Number(number.to_string())),
        Value::Bool(boolean) => Ok(wit::ClaimValue::Boolean(*boolean)),
        _ => Err(fault(name, "must have texts, numbers and booleans only")),
    };
    elements.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_in_json_is_read_in_one_way_only() {
        for json in [
            r#"{"claim": "role", "none_of": ["blocked"], "none_of": ["x"]}"#,
            r#"{"claim": "role", "any_of": ["admin"], "claim": "name"}"#,
            r#"{"claim": "role", "any_of": ["admin"], "any\u005fof": ["user"]}"#,
            r#"{"claim": "role", "at_least": 2, "at_least": 1}"#,
        ] {
            let error = ClaimRule::from_json(json).expect_err(json).to_string();
            assert!(error.contains("occurs twice"), "{json}: {error}");
        }
        for json in [
            r#"{"claim": "role", "any_of": ["admin"], "none_of": ["x"]}"#,
            r#"{"claim": "role", "at_least": 1, "any_of": [1], "at_most": 2}"#,
            r#"{"claim": "role"}"#,
            r#"["role"]"#,
            r#"{"claim": "role", "any_of": ["admin"]} {}"#,
        ] {
            assert!(ClaimRule::from_json(json).is_err(), "{json}");
        }
        let range = ClaimRule::from_json(r#"{"at_most": 2, "claim": "age", "at_least": 1}"#);
        assert_eq!(range, Ok(ClaimRule::new("age").at_least(1).at_most(2)));
    }
}
