//! Selects the requirement of the original request.

use super::{once_a_minute::OnceAMinute, original::Original};
use crate::{Requirement, problem_response::ProblemResponse};
use axum::http::StatusCode;
use poolgate_path::{Case, Pattern, Rule, Rules, RulesError};
use std::collections::BTreeSet;

/// Any client can cause this warning.
static WARNING: OnceAMinute = OnceAMinute::new();

/// The requirement of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// No token is required, and none is verified.
    Public,
    /// A valid token.
    Token,
    /// A valid token with at least one of these groups.
    AnyOfGroups(BTreeSet<String>),
}

/// The rules in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct RouteTable {
    /// The longest prefix first.
    rules: Rules<Access>,
    /// They all have the same effect, so their order does not matter.
    preflights: Rules<()>,
}

impl RouteTable {
    pub(crate) fn new(
        rules: impl Iterator<Item = (Pattern, Access)>,
        preflights: impl Iterator<Item = Pattern>,
    ) -> Self {
        let rules = Rules::new(rules.map(|(pattern, access)| Rule::new(pattern, access)));
        Self { rules, preflights: Rules::new(preflights.map(|pattern| Rule::new(pattern, ()))) }
    }

    /// The requirement of a request. `None` if it needs no token.
    pub(crate) fn requirement(&self, original: &Original<'_>) -> Result<Option<Requirement>, ProblemResponse> {
        if original.is_preflight && selected(&self.preflights, &original.targets)?.is_some() {
            return Ok(None);
        }
        match selected(&self.rules, &original.targets)? {
            Some(Access::Public) => Ok(None),
            Some(Access::Token) | None => Ok(Some(Requirement::new())),
            Some(Access::AnyOfGroups(groups)) => Ok(Some(Requirement::new().any_of_groups(groups))),
        }
    }
}

/// The effect of the rule that all interpretations of all targets select.
fn selected<'r, E: PartialEq>(rules: &'r Rules<E>, targets: &[&str]) -> Result<Option<&'r E>, ProblemResponse> {
    let mut first = None;
    for target in targets {
        // The rules apply to all methods.
        let number = rules.choose("", target, Case::Either).map_err(|error| rejected(rules, error))?;
        let first = *first.get_or_insert(number);
        if rules.effect(first) != rules.effect(number) {
            return Err(rejected(rules, RulesError::Ambiguous { first, second: number }));
        }
    }
    Ok(rules.effect(first.flatten()))
}

/// Logs the rules between which the path is ambiguous. The response does not name them. The log does not contain the path, which comes
/// from the client.
fn rejected<E: PartialEq>(rules: &Rules<E>, error: RulesError) -> ProblemResponse {
    if let RulesError::Ambiguous { first, second } = error {
        let name = |number: Option<usize>| {
            number.and_then(|number| rules.get(number)).map_or_else(|| "none".into(), |rule| rule.pattern.to_string())
        };
        if WARNING.is_due() {
            tracing::warn!(
                first = name(first),
                second = name(second),
                "a path was rejected: two interpretations of it select different rules"
            );
        }
    } else {
        tracing::info!(%error, "a path was rejected");
    }
    ProblemResponse::request(StatusCode::BAD_REQUEST, "the path of the original request is ambiguous")
}
