//! The scopes that a client should request, for `scope` of `WWW-Authenticate` (RFC 6750 section 3).

use crate::{
    config::{Config, Membership, Policy, Route},
    routes::Chosen,
};

/// The scopes that each rule requires, by its index in `routes`. A rule that requires none, or is not enforced, has an empty list.
#[derive(Debug)]
pub(crate) struct ChallengeScopes(Vec<Vec<String>>);

impl ChallengeScopes {
    pub(crate) fn new(config: &Config) -> Self {
        Self(config.routes.iter().map(|route| scopes(route, &config.policies)).collect())
    }

    /// Returns the scopes that the rules for a request require, separated by spaces. Empty if they require none.
    pub(crate) fn of(&self, chosen: Chosen) -> String {
        let mut all = Vec::new();
        chosen.rules().filter_map(|rule| self.0.get(rule)).for_each(|scopes| add(&mut all, scopes));
        all.join(" ")
    }
}

/// Returns the scopes of all policies of `all_of`, or of the first policy of `any_of` that has some.
fn scopes(route: &Route, policies: &[Policy]) -> Vec<String> {
    let mut scopes = Vec::new();
    if route.report_only {
        return scopes;
    }
    for name in [&route.any_of, &route.all_of].into_iter().flatten().flatten() {
        let policy = policies.iter().find(|policy| policy.name == *name);
        let Some(membership) = policy.and_then(|policy| policy.scopes.as_ref()) else { continue };
        add_required(&mut scopes, membership);
        if route.any_of.is_some() {
            break;
        }
    }
    scopes
}

/// Adds what satisfies a membership: all of `all_of`, and the first of `any_of` unless another of them is already among the scopes.
fn add_required(scopes: &mut Vec<String>, membership: &Membership) {
    add(scopes, membership.all_of.as_deref().unwrap_or_default());
    let any_of = membership.any_of.as_deref().unwrap_or_default();
    if !any_of.iter().any(|scope| scopes.contains(scope)) {
        add(scopes, any_of.get(..1).unwrap_or_default());
    }
}

fn add(scopes: &mut Vec<String>, more: &[String]) {
    for scope in more {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
}
