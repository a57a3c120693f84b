//! Finds the rule for a request.

use crate::{
    config::{self, Config, ConfigError},
    policies::RouteRequirement,
    rejection::{Conflict, Rejection},
};
use poolgate_path::{Case, Rule, Rules, RulesError};

/// What a rule requires. A path is not ambiguous between two rules with equal effects.
#[derive(Debug, PartialEq)]
pub(crate) struct Effect {
    pub(crate) requirement: RouteRequirement,
    pub(crate) is_optional: bool,
    pub(crate) is_report_only: bool,
}

/// All rules of a configuration.
#[derive(Debug)]
pub(crate) struct Routes {
    rules: Rules<Effect>,
    ignores_case: bool,
}

/// The rules that a request must satisfy: one, or up to two if the application ignores case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    rule: usize,
    also: Option<usize>,
}

impl Routes {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let rule = |(number, route): (usize, &config::Route)| {
            let pattern = route.pattern(&format!("routes[{number}]"))?;
            Ok(Rule {
                pattern,
                methods: route.methods.clone().unwrap_or_default(),
                effect: Effect::new(route, &config.policies),
            })
        };
        let rules = config.routes.iter().enumerate().map(rule).collect::<Result<Vec<_>, ConfigError>>()?;
        Ok(Self { rules: Rules::new(rules), ignores_case: config.case_insensitive_paths })
    }

    /// Returns the rules for a request.
    ///
    /// # Errors
    /// [`Rejection::NoRule`] if no rule matches, [`Rejection::MalformedPath`] and [`Rejection::AmbiguousPath`].
    pub(crate) fn choose(&self, method: &str, target: &str) -> Result<Chosen, Rejection> {
        let choose = |case| match self.rules.choose(method, target, case) {
            Ok(rule) => rule.ok_or(Rejection::NoRule),
            Err(RulesError::Malformed) => Err(Rejection::MalformedPath),
            Err(RulesError::TooManyReadings) => Err(Rejection::AmbiguousPath(Conflict::default())),
            Err(RulesError::Ambiguous { first, second }) => Err(Rejection::AmbiguousPath(Conflict { first, second })),
        };
        if !self.ignores_case {
            return choose(Case::Either).map(|rule| Chosen { rule, also: None });
        }
        // The proxy's router may distinguish case and route the request to what the other rule protects. So it must satisfy both rules.
        let (rule, exact) = (choose(Case::Ignored)?, choose(Case::Exact)?);
        Ok(Chosen { rule, also: (exact != rule).then_some(exact) })
    }

    /// Returns the effects that must all be satisfied.
    pub(crate) fn effects(&self, chosen: Chosen) -> impl Iterator<Item = Option<&Effect>> {
        [Some(chosen.rule), chosen.also].into_iter().flatten().map(|number| self.rules.effect(Some(number)))
    }

    /// Returns the name of a rule for logs.
    pub(crate) fn name(&self, number: Option<usize>) -> String {
        match number.and_then(|number| Some((number, self.rules.get(number)?))) {
            Some((number, rule)) => format!("routes[{number}] ({})", rule.pattern),
            None => "no rule".to_owned(),
        }
    }

    /// Returns warnings about rules that never match, or whose own paths are ambiguous.
    pub(crate) fn warnings(&self) -> Vec<ConfigError> {
        let mut warnings = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let at = format!("routes[{number}]");
            if let Some(wider) = self.rules.iter().take(number).position(|before| before.covers(rule)) {
                let before = self.name(Some(wider));
                warnings.push(ConfigError::new(at, format!("never matches: {before} comes first and covers it")));
                continue;
            }
            let method = rule.methods.first().map_or("GET", String::as_str);
            if let Err(RulesError::Ambiguous { first, second }) =
                self.rules.choose(method, &rule.pattern.example("x"), Case::Either)
            {
                let (first, second) = (self.name(first), self.name(second));
                let message = format!(
                    "requests for its path are rejected (400): servers that ignore case, a slash at the end or a suffix read it as the path of \
                     {first}, others as that of {second}"
                );
                warnings.push(ConfigError::new(at, message));
            }
        }
        warnings
    }
}

impl Effect {
    fn new(route: &config::Route, policies: &[config::Policy]) -> Self {
        let numbers = |names: &Vec<String>| {
            names.iter().filter_map(|name| policies.iter().position(|policy| policy.name == *name)).collect()
        };
        Self {
            requirement: match (&route.any_of, &route.all_of) {
                (Some(names), _) => RouteRequirement::AnyOf(numbers(names)),
                (None, Some(names)) => RouteRequirement::AllOf(numbers(names)),
                (None, None) if route.public => RouteRequirement::Nothing,
                (None, None) => RouteRequirement::AnyToken,
            },
            is_optional: route.optional,
            is_report_only: route.report_only,
        }
    }
}
