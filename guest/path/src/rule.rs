//! A rule, and which rules hide others.

use crate::{host::HostPattern, pattern::Pattern};
use alloc::{string::String, vec::Vec};

/// A rule: the requests that it applies to, and its effect.
#[derive(Clone, Debug)]
pub struct Rule<E> {
    /// The paths.
    pub pattern: Pattern,
    /// The methods. An empty list applies to all methods. `GET` also applies to `HEAD`, because frameworks handle `HEAD` like `GET`.
    pub methods: Vec<String>,
    /// The hosts. An empty list applies to all hosts, and to requests whose host is unknown.
    pub hosts: Vec<HostPattern>,
    /// What the rule requires. Rules with equal effects count as one rule: no path is ambiguous between them.
    pub effect: E,
}

impl<E> Rule<E> {
    /// Creates a rule for all methods and hosts.
    pub fn new(pattern: Pattern, effect: E) -> Self {
        Self { pattern, methods: Vec::new(), hosts: Vec::new(), effect }
    }

    pub(crate) fn is_for(&self, method: &str) -> bool {
        let applies = |configured: &String| configured == method || (configured == "GET" && method == "HEAD");
        self.methods.is_empty() || self.methods.iter().any(applies)
    }

    pub(crate) fn is_for_host(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.matches(host))
    }

    /// Returns whether this rule applies to every request that the other rule applies to.
    pub fn covers<O>(&self, other: &Rule<O>) -> bool {
        let covers_methods = match other.methods.as_slice() {
            [] => self.methods.is_empty(),
            methods => methods.iter().all(|method| self.is_for(method)),
        };
        let covers_hosts = match other.hosts.as_slice() {
            [] => self.hosts.is_empty(),
            hosts => hosts.iter().all(|host| self.covers_host(Some(host))),
        };
        covers_methods && covers_hosts && self.pattern.covers(&other.pattern)
    }

    /// Returns whether this rule applies to every request with this method, for these hosts, whose path the other rule's pattern matches. `None`
    /// stands for all hosts.
    pub fn covers_for<O>(&self, method: &str, host: Option<&HostPattern>, other: &Rule<O>) -> bool {
        self.is_for(method) && self.covers_host(host) && self.pattern.covers(&other.pattern)
    }

    fn covers_host(&self, host: Option<&HostPattern>) -> bool {
        self.hosts.is_empty() || host.is_some_and(|host| self.hosts.iter().any(|own| own.covers(host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host::Host,
        rules::{Case, Rules},
        rules_error::RulesError,
    };

    fn rule(hosts: &[&str], prefix: &str, effect: &'static str) -> Rule<&'static str> {
        let hosts = hosts.iter().map(|host| HostPattern::new(host).unwrap()).collect();
        Rule { hosts, ..Rule::new(Pattern::below(prefix).unwrap(), effect) }
    }

    fn ambiguous(first: Option<usize>, second: Option<usize>) -> Result<Option<usize>, RulesError> {
        Err(RulesError::AmbiguousHost { first, second })
    }

    #[test]
    fn the_first_rule_for_the_host_is_chosen() {
        let rules = Rules::new([
            rule(&[], "/health", "anyone"),
            rule(&["admin.example.com"], "/", "admins"),
            rule(&["www.example.com", "*.public.example.com"], "/", "anyone"),
            rule(&[], "/", "employees"),
        ]);
        assert!(rules.have_hosts());
        for (authority, path, expected) in [
            ("admin.example.com", "/x", Ok(Some(1))),
            ("ADMIN.example.com:8443", "/x", Ok(Some(1))),
            ("www.example.com", "/x", Ok(Some(2))),
            ("a.b.public.example.com", "/x", Ok(Some(2))),
            ("public.example.com", "/x", Ok(Some(3))),
            ("admin.example.com", "/health", Ok(Some(0))),
            // A dot at the end: some servers ignore it.
            ("admin.example.com.", "/x", ambiguous(Some(3), Some(1))),
            ("admin.example.com.", "/health", Ok(Some(0))),
            ("other.example.com.", "/x", Ok(Some(3))),
            // Unknown: any rule for a host may be the one.
            ("user@admin.example.com", "/x", ambiguous(Some(3), Some(1))),
            ("", "/x", ambiguous(Some(3), Some(1))),
            ("", "/health", Ok(Some(0))),
            ("admin.example.com", "/%68ealth", Err(RulesError::Ambiguous { first: Some(1), second: Some(0) })),
        ] {
            let chosen = rules.choose_for_host(&Host::of(authority), "GET", path, Case::Either);
            assert_eq!(chosen, expected, "{authority} {path}");
        }
    }

    #[test]
    fn an_unknown_host_matches_a_rule_only_if_every_host_leads_to_the_same_effect() {
        let unknown = |rules: Rules<&str>| rules.choose_for_host(&Host::UNKNOWN, "GET", "/x", Case::Either);
        assert_eq!(unknown(Rules::new([rule(&["a"], "/", "one")])), ambiguous(None, Some(0)));
        assert_eq!(unknown(Rules::new([rule(&["a"], "/y", "one")])), Ok(None));
        let same = [rule(&["a"], "/", "one"), rule(&["b"], "/", "one"), rule(&[], "/", "one")];
        assert_eq!(unknown(Rules::new(same)), Ok(Some(2)));
        let hidden = [rule(&[], "/", "one"), rule(&["b"], "/", "two")];
        assert_eq!(unknown(Rules::new(hidden)), Ok(Some(0)));
        let second = [rule(&["a"], "/", "one"), rule(&["b"], "/", "two"), rule(&[], "/", "one")];
        assert_eq!(unknown(Rules::new(second)), ambiguous(Some(2), Some(1)));
        let with_a_dot = [rule(&["a", "a."], "/", "one"), rule(&[], "/", "two")];
        let rules = Rules::new(with_a_dot);
        assert_eq!(rules.choose_for_host(&Host::of("a."), "GET", "/x", Case::Either), Ok(Some(0)));
        assert_eq!(rules.choose_for_host(&Host::of("a"), "GET", "/x", Case::Either), Ok(Some(0)));
    }

    #[test]
    fn a_rule_covers_another_only_with_all_its_hosts() {
        for (wide, narrow, expected) in [
            (&[][..], &["a.b"][..], true),
            (&["a.b"], &[], false),
            (&["a.b", "*.c"], &["x.c", "a.b"], true),
            (&["a.b"], &["a.b", "x.c"], false),
        ] {
            let (wide, narrow) = (rule(wide, "/", ""), rule(narrow, "/a", ""));
            assert_eq!(wide.covers(&narrow), expected, "{wide:?} {narrow:?}");
        }
        let (some, all) = (rule(&["*.c"], "/", ""), rule(&[], "/", ""));
        assert!(some.covers_for("GET", Some(&HostPattern::new("a.c").unwrap()), &all));
        assert!(!some.covers_for("GET", None, &all));
        assert!(all.covers_for("GET", None, &some));
    }

    #[test]
    fn a_wider_rule_covers_a_narrower_one() {
        let rule = |pattern: Result<Pattern, _>, methods: &[&str]| {
            let mut rule = Rule::new(pattern.unwrap(), ());
            rule.methods = methods.iter().map(|method| (*method).into()).collect();
            rule
        };
        let (below, exact, template) = (Pattern::below, Pattern::exact, Pattern::template);
        for (wide, narrow, expected) in [
            (rule(below("/"), &[]), rule(below("/admin"), &[]), true),
            (rule(below("/"), &["GET"]), rule(below("/admin"), &[]), false),
            (rule(below("/"), &["GET"]), rule(below("/admin"), &["GET", "HEAD"]), true),
            (rule(below("/a"), &[]), rule(below("/a/"), &[]), true),
            (rule(below("/a/"), &[]), rule(below("/a"), &[]), false),
            (rule(below("/a"), &[]), rule(template("/a/{id}"), &[]), true),
            (rule(below("/a/x"), &[]), rule(template("/a/{id}"), &[]), false),
            (rule(template("/a/{id}"), &[]), rule(template("/a/{name}"), &[]), true),
            (rule(template("/a/{id}"), &[]), rule(exact("/a/x"), &[]), true),
            (rule(template("/a/x"), &[]), rule(template("/a/{id}"), &[]), false),
            (rule(template("/a/{id}"), &[]), rule(below("/a/x"), &[]), false),
            (rule(exact("/a"), &[]), rule(exact("/a"), &[]), true),
            (rule(exact("/a"), &[]), rule(below("/a"), &[]), false),
        ] {
            assert_eq!(wide.covers(&narrow), expected, "{wide:?} {narrow:?}");
            let methods = ["GET", "HEAD", "*"].into_iter().filter(|method| narrow.is_for(method));
            let for_each = methods.map(|method| wide.covers_for(method, None, &narrow)).collect::<Vec<_>>();
            assert!(!expected || !for_each.contains(&false), "{wide:?} {narrow:?}: {for_each:?}");
        }
    }
}
