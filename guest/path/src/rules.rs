//! Chooses a rule by the method, the host and the target of a request.

use crate::{
    host::Host,
    pattern::Comparison,
    readings::{self, Unreadable},
    rule::Rule,
    rules_error::RulesError,
};
use alloc::vec::Vec;

/// Rules in order. The first rule that matches applies.
#[derive(Clone, Debug)]
pub struct Rules<E> {
    rules: Vec<Rule<E>>,
    have_capitals: bool,
    end_in_slash: bool,
}

/// Whether the application ignores the case of paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// Unknown. Both readings must choose the same rule.
    #[default]
    Either,
    /// It does not ignore case.
    Exact,
    /// It ignores case.
    Ignored,
}

impl<E: PartialEq> Rules<E> {
    /// Creates a list of rules.
    pub fn new(rules: impl IntoIterator<Item = Rule<E>>) -> Self {
        let rules: Vec<Rule<E>> = rules.into_iter().collect();
        Self {
            have_capitals: rules.iter().any(|rule| rule.pattern.has_capitals()),
            end_in_slash: rules.iter().any(|rule| rule.pattern.ends_in_slash()),
            rules,
        }
    }

    /// Returns the rule with this number, from 0.
    pub fn get(&self, number: usize) -> Option<&Rule<E>> {
        self.rules.get(number)
    }

    /// Returns the effect of the rule with this number, or `None` if no rule matches.
    pub fn effect(&self, number: Option<usize>) -> Option<&E> {
        self.get(number?).map(|rule| &rule.effect)
    }

    /// Returns all rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule<E>> {
        self.rules.iter()
    }

    /// Returns whether a rule has hosts. If none has, the host of a request does not matter.
    pub fn have_hosts(&self) -> bool {
        self.rules.iter().any(|rule| !rule.hosts.is_empty())
    }

    /// Returns the number of the rule for a request with this method and target (a path, possibly with a query), or `None` if no rule matches.
    /// For rules with hosts, use [`Rules::choose_for_host`]: here, the host is unknown.
    ///
    /// A plain path needs no allocation. For any other path, the work is limited: see [`RulesError`].
    ///
    /// # Errors
    /// See [`RulesError`]. The request must be rejected.
    pub fn choose(&self, method: &str, target: &str, case: Case) -> Result<Option<usize>, RulesError> {
        self.choose_for_host(&Host::UNKNOWN, method, target, case)
    }

    /// Returns the number of the rule for a request to this host; see [`Rules::choose`].
    ///
    /// # Errors
    /// See [`RulesError`]. The request must be rejected.
    pub fn choose_for_host(
        &self,
        host: &Host,
        method: &str,
        target: &str,
        case: Case,
    ) -> Result<Option<usize>, RulesError> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        // Methods are case-sensitive (RFC 9110 section 9.1), but many frameworks convert them to capitals first.
        let capitals = method.bytes().any(|byte| byte.is_ascii_lowercase()).then(|| method.to_ascii_uppercase());
        let methods = [Some(method), capitals.as_deref()];
        let (mut chosen, mut is_by_host) = (None, false);
        let mut visit = |path: &str| {
            for by in self.comparisons(path, case) {
                for method in methods.into_iter().flatten() {
                    let mut is_first = true;
                    let mut choose = |number: Option<usize>| {
                        is_by_host = !core::mem::take(&mut is_first);
                        let first = *chosen.get_or_insert(number);
                        if self.are_same(first, number) { Ok(()) } else { Err(Unreadable::Differs(number)) }
                    };
                    self.each_host(host, &|rule| rule.is_for(method) && rule.pattern.matches(path, by), &mut choose)?;
                }
            }
            Ok(())
        };
        match readings::each(path, &mut visit) {
            Ok(()) => Ok(chosen.flatten()),
            Err(Unreadable::Malformed) => Err(RulesError::Malformed),
            Err(Unreadable::TooMany) => Err(RulesError::TooManyReadings),
            Err(Unreadable::Differs(second)) => Err(match (chosen.flatten(), is_by_host) {
                (first, false) => RulesError::Ambiguous { first, second },
                (first, true) => RulesError::AmbiguousHost { first, second },
            }),
        }
    }
}

impl<E: PartialEq> Rules<E> {
    /// Calls `visit` with the rule for each reading of the host, first for the host as it was sent, or for a request without a host.
    fn each_host(
        &self,
        host: &Host,
        matches: &dyn Fn(&Rule<E>) -> bool,
        visit: &mut dyn FnMut(Option<usize>) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let first = |is_for_host: &dyn Fn(&Rule<E>) -> bool| {
            self.rules.iter().position(|rule| is_for_host(rule) && matches(rule))
        };
        if let Some(mut readings) = host.readings() {
            return readings.try_for_each(|host| visit(first(&|rule| rule.is_for_host(host))));
        }
        let without_host = first(&|rule| rule.hosts.is_empty());
        visit(without_host)?;
        // A rule with hosts that comes before may be the one for the host that a reader assumes.
        let mut before = self.rules.iter().enumerate().take(without_host.unwrap_or(usize::MAX));
        before.try_for_each(|(number, rule)| match !rule.hosts.is_empty() && matches(rule) {
            true => visit(Some(number)),
            false => Ok(()),
        })
    }

    fn are_same(&self, first: Option<usize>, second: Option<usize>) -> bool {
        first == second || self.effect(first) == self.effect(second)
    }

    /// Returns the ways to compare a path with the patterns, as far as they can differ. The strictest comes first.
    fn comparisons(&self, path: &str, case: Case) -> impl Iterator<Item = Comparison> + use<E> {
        let has_capitals = self.have_capitals || path.bytes().any(|byte| byte.is_ascii_uppercase());
        let cases: &[bool] = match case {
            Case::Either if has_capitals => &[false, true],
            Case::Either | Case::Exact => &[false],
            Case::Ignored => &[true],
        };
        let both = |is_needed: bool| if is_needed { [false, true].as_slice() } else { &[false] };
        let slashes = both(self.end_in_slash || path.ends_with('/'));
        let suffixes = both(path.contains('.'));
        cases.iter().flat_map(move |&ignores_case| {
            slashes.iter().flat_map(move |&ignores_slash| {
                suffixes.iter().map(move |&ignores_suffix| Comparison { ignores_case, ignores_slash, ignores_suffix })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    const CASE: Case = Case::Either;

    fn rules(list: &[(&str, &'static str)]) -> Rules<&'static str> {
        Rules::new(list.iter().map(|(prefix, effect)| Rule::new(Pattern::below(prefix).unwrap(), *effect)))
    }

    fn ambiguous(first: usize, second: usize) -> Result<Option<usize>, RulesError> {
        Err(RulesError::Ambiguous { first: Some(first), second: Some(second) })
    }

    #[test]
    fn harmless_paths_are_accepted_if_all_readings_choose_the_same_rule() {
        let public = rules(&[("/", "anyone")]);
        let some = rules(&[("/files", "readers"), ("/admin", "admins"), ("/", "anyone")]);
        for path in [
            "/",
            "/files/caf%C3%A9.pdf",
            "/projects/group%2Fproject",
            "/npm/@scope%2fname",
            "//health",
            "/a//b",
            "/100%25",
            "/wiki/C%2B%2B",
            "/wiki/What%3F",
            "/tags/c%23",
            "/cart;jsessionid=1",
            "/map;lat=1;lng=2/x",
            "/a/./b",
            "/a/b/../c",
            "/Files/x/",
            "/caf\u{e9}",
        ] {
            assert_eq!(public.choose("GET", path, CASE), Ok(Some(0)), "{path}");
        }
        for (path, rule) in [
            ("/files/caf%C3%A9.pdf?x=%", 0),
            ("/files/group%2Fproject", 0),
            ("/files/../files/x", 0),
            ("/npm/@scope%2fname", 2),
            ("/administrators", 2),
            ("/x/admin", 2),
        ] {
            assert_eq!(some.choose("GET", path, CASE), Ok(Some(rule)), "{path}");
        }
    }

    #[test]
    fn no_spelling_reaches_another_rule() {
        let rules = rules(&[("/public", "anyone"), ("/", "employees")]);
        for path in [
            "/%70ublic/x",
            "/PUBLIC/x",
            "/%2570ublic/x",
            "//public/x",
            "/public;a/x",
            "/./public/x",
            "/x/../public/x",
            "/x/..;/public/x",
            "/x/%2e%2e/public/x",
            "/%2fpublic",
            "/\\public",
            "/public.json",
            "//host/public",
            "/publ\u{131}c/x",
            "/PUBL%C4%B0C",
        ] {
            assert_eq!(rules.choose("GET", path, CASE), ambiguous(1, 0), "{path}");
        }
        for path in [
            "/public/../x",
            "/public/..%2fx",
            "/public/..;/x",
            "/public\\..\\x",
            "/public/%2e%2e/x",
            "/public/%252e%252e/x",
        ] {
            assert!(matches!(rules.choose("GET", path, CASE), Err(RulesError::Ambiguous { .. })), "{path}");
        }
    }

    #[test]
    fn a_rule_is_read_like_a_path() {
        let below = |prefix| Pattern::below(prefix).unwrap();
        let exact = |path| Pattern::exact(path).unwrap();
        let rules = Rules::new([
            Rule::new(exact("/favicon.ico"), "icon"),
            Rule::new(below("/API"), "api"),
            Rule::new(below("/admin/"), "admins"),
            Rule::new(exact("/health"), "anyone"),
            Rule::new(below("/"), "employees"),
        ]);
        for (path, expected) in [
            ("/favicon.ico", Ok(Some(0))),
            ("/favicon.png", Ok(Some(4))),
            ("/API/x", Ok(Some(1))),
            ("/api/x", ambiguous(4, 1)),
            ("/admin/x", Ok(Some(2))),
            ("/admin", ambiguous(4, 2)),
            ("/health", Ok(Some(3))),
            ("/health/", ambiguous(4, 3)),
            ("/health.json", ambiguous(4, 3)),
        ] {
            assert_eq!(rules.choose("GET", path, CASE), expected, "{path}");
        }
        assert_eq!(rules.choose("GET", "/api/x", Case::Ignored), Ok(Some(1)));
        assert_eq!(rules.choose("GET", "/api/x", Case::Exact), Ok(Some(4)));
    }

    #[test]
    fn rules_with_equal_effects_count_as_one_and_no_rule_is_different() {
        let same = rules(&[("/static", "anyone"), ("/assets", "anyone")]);
        assert_eq!(same.choose("GET", "/static/../assets", CASE), Ok(Some(0)));
        let none = Err(RulesError::Ambiguous { first: Some(0), second: None });
        assert_eq!(same.choose("GET", "/static/../x", CASE), none);
        assert_eq!(same.choose("GET", "/x//y", CASE), Ok(None));
        let mut posted = Rule::new(Pattern::below("/").unwrap(), "employees");
        posted.methods.push("POST".into());
        let by_method = Rules::new([posted]);
        assert_eq!(by_method.choose("POST", "/x", CASE), Ok(Some(0)));
        assert_eq!(by_method.choose("GET", "/x", CASE), Ok(None));
    }

    #[test]
    fn a_method_is_read_in_every_way_too() {
        let mut got = Rule::new(Pattern::below("/admin").unwrap(), "admins");
        got.methods.push("GET".into());
        let rules = Rules::new([got, Rule::new(Pattern::below("/").unwrap(), "anyone")]);
        for (method, path, expected) in [
            ("GET", "/admin", Ok(Some(0))),
            ("HEAD", "/admin", Ok(Some(0))),
            ("get", "/admin", ambiguous(1, 0)),
            ("Get", "/admin", ambiguous(1, 0)),
            ("POST", "/admin", Ok(Some(1))),
            ("post", "/admin", Ok(Some(1))),
            ("get", "/x", Ok(Some(1))),
        ] {
            assert_eq!(rules.choose(method, path, CASE), expected, "{method} {path}");
        }
    }
}
