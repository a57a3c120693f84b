//! Finds the rule for a request.

use crate::{
    config::{self, Config, ConfigError},
    head::RequestHead,
    policies::RouteRequirement,
    rejection::{Conflict, Rejection},
};
use poolgate_path::{Case, Host, HostPattern, Rule, Rules, RulesError};

/// A method that no rule lists (`*` is not a name that the configuration accepts), in place of all methods.
const UNLISTED: &str = "*";
/// A host that no rule lists (RFC 2606 section 2).
const OTHER_HOST: &str = "host.invalid";
/// Methods that change something. A rule that does not list one of them probably forgot it. A rule for these without `GET` is usual: reading
/// then requires less.
const CHANGING: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

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
    have_hosts: bool,
}

/// The rules that a request must satisfy: one, or up to two if the application ignores case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    rule: usize,
    also: Option<usize>,
}

impl Chosen {
    /// Returns the indices of the rules in `routes`.
    pub(crate) fn rules(self) -> impl Iterator<Item = usize> {
        [Some(self.rule), self.also].into_iter().flatten()
    }
}

impl Chosen {
    /// The positions of the rules.
    pub(crate) fn numbers(self) -> Vec<usize> {
        [Some(self.rule), self.also].into_iter().flatten().collect()
    }
}

impl Routes {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let rule = |(number, route): (usize, &config::Route)| {
            let at = format!("routes[{number}]");
            Ok(Rule {
                pattern: route.pattern(&at)?,
                hosts: route.host_patterns(&at)?,
                methods: route.methods.clone().unwrap_or_default(),
                effect: Effect::new(route, config),
            })
        };
        let rules = config.routes.iter().enumerate().map(rule).collect::<Result<Vec<_>, ConfigError>>()?;
        let rules = Rules::new(rules);
        Ok(Self { have_hosts: rules.have_hosts(), rules, ignores_case: config.case_insensitive_paths })
    }

    /// Returns the host of a request, by which its rules are chosen.
    pub(crate) fn host(&self, request: &impl RequestHead) -> Host {
        match self.have_hosts.then(|| request.authority()) {
            Some(Ok(Some(authority))) => Host::of(&authority),
            _ => Host::UNKNOWN,
        }
    }

    /// Returns the rules for a request.
    ///
    /// # Errors
    /// [`Rejection::NoRule`] if no rule matches, [`Rejection::MalformedPath`], [`Rejection::AmbiguousPath`] and [`Rejection::AmbiguousHost`].
    pub(crate) fn choose(&self, host: &Host, method: &str, target: &str) -> Result<Chosen, Rejection> {
        let choose = |case| match self.rules.choose_for_host(host, method, target, case) {
            Ok(rule) => rule.ok_or(Rejection::NoRule),
            Err(RulesError::Malformed) => Err(Rejection::MalformedPath),
            Err(RulesError::TooManyReadings) => Err(Rejection::AmbiguousPath(Conflict::default())),
            Err(RulesError::Ambiguous { first, second }) => Err(Rejection::AmbiguousPath(Conflict { first, second })),
            Err(RulesError::AmbiguousHost { first, second }) => {
                Err(Rejection::AmbiguousHost(Conflict { first, second }))
            }
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
        chosen.rules().map(|number| self.rules.effect(Some(number)))
    }

    /// Returns the name of a rule for logs.
    pub(crate) fn name(&self, number: Option<usize>) -> String {
        match number.and_then(|number| Some((number, self.rules.get(number)?))) {
            Some((number, rule)) => format!("routes[{number}] ({})", rule.pattern),
            None => "no rule".to_owned(),
        }
    }

    /// Returns the earlier rules that together apply to every request that a rule applies to, or `None` if they do not.
    fn covering(&self, number: usize, rule: &Rule<Effect>) -> Option<Vec<usize>> {
        let mut covering = Vec::new();
        let unlisted = rule.methods.is_empty().then_some(UNLISTED);
        for method in rule.methods.iter().map(String::as_str).chain(unlisted) {
            for host in hosts(rule) {
                let before = self.rules.iter().take(number).position(|before| before.covers_for(method, host, rule))?;
                if !covering.contains(&before) {
                    covering.push(before);
                }
            }
        }
        Some(covering)
    }

    /// Returns a method that a rule does not list, and the weaker rule for all methods that applies to such a request.
    fn weaker(&self, rule: &Rule<Effect>) -> Option<(&'static str, usize)> {
        // A rule without methods covers its own pattern and hosts.
        let unlisted = |host| CHANGING.into_iter().filter(move |method| !rule.covers_for(method, host, rule));
        let requests = hosts(rule).flat_map(|host| unlisted(host).map(move |method| (method, host)));
        requests.into_iter().find_map(|(method, host)| {
            let number = self.rules.iter().position(|other| other.covers_for(method, host, rule))?;
            let other = self.rules.get(number)?;
            let is_weaker = other.methods.is_empty() && other.effect.strictness() < rule.effect.strictness();
            is_weaker.then_some((method, number))
        })
    }

    /// Returns warnings about rules that never match, that leave some methods to a weaker rule, or whose own paths are ambiguous.
    pub(crate) fn warnings(&self) -> Vec<ConfigError> {
        let mut warnings = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let at = format!("routes[{number}]");
            if let Some(covering) = self.covering(number, rule) {
                let names: Vec<String> = covering.iter().map(|before| self.name(Some(*before))).collect();
                let verbs =
                    if names.len() == 1 { "comes first and covers it" } else { "come first and together cover it" };
                warnings.push(ConfigError::new(at, format!("never matches: {} {verbs}", names.join(" and "))));
                continue;
            }
            if let Some((method, weaker)) = self.weaker(rule) {
                let weaker = self.name(Some(weaker));
                let message = format!("does not apply to {method}, for which {weaker} applies and requires less");
                warnings.push(ConfigError::new(at.clone(), message));
            }
            let method = rule.methods.first().map_or("GET", String::as_str);
            let path = rule.pattern.example("x");
            let rejected = hosts(rule).find_map(|host| {
                let host = host.map_or_else(|| OTHER_HOST.to_owned(), HostPattern::example);
                self.rules.choose_for_host(&Host::of(&host), method, &path, Case::Either).err()
            });
            let message = match rejected {
                Some(RulesError::Ambiguous { first, second }) => format!(
                    "requests for its path are rejected (400): servers that ignore case, a slash at the end or a suffix read it as the path of \
                     {}, others as that of {}",
                    self.name(first),
                    self.name(second)
                ),
                Some(RulesError::AmbiguousHost { .. }) => {
                    "requests for its host with a dot at the end are rejected (400): list the host without the dot, too"
                        .to_owned()
                }
                _ => continue,
            };
            warnings.push(ConfigError::new(at, message));
        }
        warnings
    }
}

/// Returns the hosts of a rule. `None` stands for all hosts.
fn hosts(rule: &Rule<Effect>) -> impl Iterator<Item = Option<&HostPattern>> {
    rule.hosts.iter().map(Some).chain(rule.hosts.is_empty().then_some(None))
}

impl Effect {
    fn new(route: &config::Route, config: &Config) -> Self {
        let policies = &config.policies;
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
            is_report_only: route.report_only || config.report_only,
        }
    }

    /// Returns 0 if a request without a token is forwarded, 1 if any valid token is enough, and 2 if a policy must be satisfied.
    /// `report_only` does not count: such a rule counts as if it were enforced.
    fn strictness(&self) -> u8 {
        match self.requirement {
            RouteRequirement::Nothing => 0,
            _ if self.is_optional => 0,
            RouteRequirement::AnyToken => 1,
            RouteRequirement::AnyOf(_) | RouteRequirement::AllOf(_) => 2,
        }
    }
}
