//! From path and method to a rule.

use crate::{config, policies::Need};

#[derive(Debug)]
pub(crate) struct Rule {
    shape: Shape,
    methods: Vec<String>,
    pub(crate) need: Need,
    pub(crate) is_optional: bool,
    pub(crate) is_report_only: bool,
}

#[derive(Debug)]
enum Shape {
    Exactly(String),
    Below(String),
    /// `None` is a placeholder.
    Segments(Vec<Option<String>>),
}

impl Rule {
    pub(crate) fn new(route: &config::Route, policies: &[config::Policy], ignores_case: bool) -> Self {
        let cased = |text: &String| if ignores_case { text.to_ascii_lowercase() } else { text.clone() };
        let numbers = |names: &Vec<String>| {
            names.iter().filter_map(|name| policies.iter().position(|policy| policy.name == *name)).collect()
        };
        Self {
            shape: match (&route.path, &route.prefix, &route.template) {
                (Some(path), _, _) => Shape::Exactly(cased(path)),
                (None, Some(prefix), _) => Shape::Below(cased(prefix)),
                (None, None, template) => {
                    let template = template.clone().unwrap_or_default();
                    let segment = |segment: &str| (!segment.starts_with('{')).then(|| cased(&segment.to_owned()));
                    Shape::Segments(template.split('/').map(segment).collect())
                }
            },
            methods: route.methods.clone(),
            need: match (&route.any_of, &route.all_of) {
                (Some(names), _) => Need::AnyOf(numbers(names)),
                (None, Some(names)) => Need::AllOf(numbers(names)),
                (None, None) if route.public => Need::Nothing,
                (None, None) => Need::AnyToken,
            },
            is_optional: route.optional,
            is_report_only: route.report_only,
        }
    }

    /// Whether it is the rule for a canonical path (in lower case, if case says nothing).
    pub(crate) fn matches(&self, path: &str, method: &str) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|stated| stated == method)) && self.shape.matches(path)
    }
}

impl Shape {
    fn matches(&self, path: &str) -> bool {
        match self {
            Shape::Exactly(stated) => path == stated,
            Shape::Below(prefix) => match path.strip_prefix(prefix.as_str()) {
                Some(rest) => rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'),
                None => false,
            },
            Shape::Segments(stated) => {
                let mut segments = path.split('/');
                let fits = |stated: &Option<String>| match (stated, segments.next()) {
                    (Some(stated), Some(segment)) => stated == segment,
                    (None, Some(segment)) => !segment.is_empty(),
                    (_, None) => false,
                };
                stated.iter().all(fits) && segments.next().is_none()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_matches_whole_segments() {
        let exactly = Shape::Exactly("/a".into());
        let below = Shape::Below("/api".into());
        let slash = Shape::Below("/api/".into());
        let everything = Shape::Below("/".into());
        let template = Shape::Segments(vec![Some(String::new()), Some("users".into()), None, Some("orders".into())]);
        for (shape, yes, no) in [
            (&exactly, &["/a"][..], &["/a/", "/ab", "/"][..]),
            (&below, &["/api", "/api/", "/api/x/y"], &["/apis", "/ap", "/x/api"]),
            (&slash, &["/api/", "/api/x"], &["/api", "/apis"]),
            (&everything, &["/", "/a", "/a/b"], &[]),
            (
                &template,
                &["/users/7/orders"],
                &["/users//orders", "/users/7", "/users/7/orders/1", "/users/7/8/orders"],
            ),
        ] {
            assert!(yes.iter().all(|path| shape.matches(path)), "{shape:?}");
            assert!(!no.iter().any(|path| shape.matches(path)), "{shape:?}");
        }
    }
}
