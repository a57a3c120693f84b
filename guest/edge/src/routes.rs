//! From method and path to a rule, and to what it asks for.

use crate::{
    config::{self, Config, ConfigFault},
    decision::{Conflict, Rejection},
    policies::RouteRequirement,
};
use poolgate_path::{Case, Fault, Pattern, Rule, Rules};

/// What a rule asks for. Rules of the same effect are the same rule: no path is ambiguous between them.
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

/// The rules that a request must satisfy: one, but where the application ignores case perhaps two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    rule: usize,
    also: Option<usize>,
}

impl Routes {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigFault> {
        let rule = |(number, route): (usize, &config::Route)| {
            let pattern = route.pattern(&format!("routes[{number}]"))?;
            Ok(Rule {
                pattern,
                methods: route.methods.clone().unwrap_or_default(),
                effect: Effect::new(route, &config.policies),
            })
        };
        let rules = config.routes.iter().enumerate().map(rule).collect::<Result<Vec<_>, ConfigFault>>()?;
        Ok(Self { rules: Rules::new(rules), ignores_case: config.case_insensitive_paths })
    }

    /// The rules for a request. [`Rejection::NoRule`] if there is none.
    pub(crate) fn choose(&self, method: &str, target: &str) -> Result<Chosen, Rejection> {
        let choose = |case| match self.rules.choose(method, target, case) {
            Ok(rule) => rule.ok_or(Rejection::NoRule),
            Err(Fault::Malformed) => Err(Rejection::MalformedPath),
            Err(Fault::TooManyReadings) => Err(Rejection::AmbiguousPath(Conflict::default())),
            Err(Fault::Ambiguous { first, second }) => Err(Rejection::AmbiguousPath(Conflict { first, second })),
        };
        if !self.ignores_case {
            return choose(Case::Either).map(|rule| Chosen { rule, also: None });
        }
        // The proxy's router may not ignore case, and send the request to what the other rule guards. So it must satisfy both.
        let (rule, exact) = (choose(Case::Ignored)?, choose(Case::Exact)?);
        Ok(Chosen { rule, also: (exact != rule).then_some(exact) })
    }

    /// What must be satisfied, all of it.
    pub(crate) fn effects(&self, chosen: Chosen) -> impl Iterator<Item = Option<&Effect>> {
        [Some(chosen.rule), chosen.also].into_iter().flatten().map(|number| self.rules.effect(Some(number)))
    }

    /// What is said of a rule to the operator.
    pub(crate) fn name(&self, number: Option<usize>) -> String {
        match number.and_then(|number| Some((number, self.rules.get(number)?))) {
            Some((number, rule)) => format!("routes[{number}] ({})", rule.pattern),
            None => "no rule".to_owned(),
        }
    }

    /// Rules that look as if they did something, and do not.
    pub(crate) fn warnings(&self) -> Vec<ConfigFault> {
        let mut warnings = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let at = format!("routes[{number}]");
            if let Some(wider) = self.rules.iter().take(number).position(|before| before.covers(rule)) {
                let before = self.name(Some(wider));
                warnings.push(ConfigFault::new(at, format!("is never reached: {before} comes first and is wider")));
                continue;
            }
            let method = rule.methods.first().map_or("GET", String::as_str);
            if let Err(Fault::Ambiguous { first, second }) =
                self.rules.choose(method, &rule.pattern.example("x"), Case::Either)
            {
                let (first, second) = (self.name(first), self.name(second));
                let message = format!(
                    "requests for its path are refused (400): some readers take it for the path of {first}, others for that of {second}, \
                     because they ignore case, a slash at the end, or a suffix"
                );
                warnings.push(ConfigFault::new(at, message));
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

impl config::Route {
    /// The paths that it is for; `at`: where it stands in the configuration.
    pub(crate) fn pattern(&self, at: &str) -> Result<Pattern, ConfigFault> {
        let pattern = match (&self.path, &self.prefix, &self.template) {
            (Some(path), None, None) => Pattern::exact(path),
            (None, Some(prefix), None) => Pattern::below(prefix),
            (None, None, Some(template)) => Pattern::template(template),
            _ => return Err(ConfigFault::new(at, "state one of path, prefix and template")),
        };
        pattern.map_err(|fault| ConfigFault::new(at, fault.to_string()))
    }
}
