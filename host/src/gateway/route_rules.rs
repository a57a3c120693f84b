//! Requirements of the application's paths, as configured.

use super::route_table::{Access, RouteTable};
use poolgate_path::{Pattern, PatternError};
use std::{cmp::Reverse, collections::BTreeSet, fmt};

/// Why a route rule is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The prefix is not a plain path.
    Prefix(String, PatternError),
    /// There are two rules for the same prefix.
    Twice(String),
    /// A rule requires groups and lists none, or lists an empty name. It would be unclear whether it allows everyone or no one.
    NoGroup(String),
}

impl fmt::Display for RouteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix, error) => write!(formatter, "{prefix:?}: {error}"),
            Self::Twice(prefix) => write!(formatter, "{prefix:?} has two rules"),
            Self::NoGroup(prefix) => write!(formatter, "the rule for {prefix:?} requires a group without a name"),
        }
    }
}

impl std::error::Error for RouteError {}

/// The requirements of the application's paths.
///
/// A rule applies to its prefix and everything below it: `/admin` covers `/admin` and `/admin/users`, but not `/administration`. The rule
/// with the longest matching prefix decides; the order of the rules does not matter. A path without a rule requires a valid token.
///
/// The path is interpreted in every way in which an application may interpret it. If two interpretations select rules with different
/// requirements, the request is rejected with 400.
///
/// ```
/// use poolgate::gateway::RouteRules;
///
/// let rules = RouteRules::new()
///     .any_of_groups("/admin", ["admins"])?
///     .token("/admin/help")?
///     .public("/health")?
///     .preflights("/")?;
/// # Ok::<(), poolgate::gateway::RouteError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RouteRules {
    rules: Vec<(String, Pattern, Access)>,
    preflights: Vec<Pattern>,
}

impl RouteRules {
    /// Creates an empty set of rules, with which every path requires a valid token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows requests without a token. A token in such a request is not verified.
    ///
    /// # Errors
    ///
    /// Returns [`RouteError::Prefix`] or [`RouteError::Twice`].
    pub fn public(self, prefix: &str) -> Result<Self, RouteError> {
        self.with(prefix, Access::Public)
    }

    /// Requires a valid token. Use it below the prefix of a rule that requires more or nothing.
    ///
    /// # Errors
    ///
    /// Returns [`RouteError::Prefix`] or [`RouteError::Twice`].
    pub fn token(self, prefix: &str) -> Result<Self, RouteError> {
        self.with(prefix, Access::Token)
    }

    /// Requires a valid token with at least one of these groups.
    ///
    /// # Errors
    ///
    /// Returns a [`RouteError`] if the prefix is invalid, has a rule already, or `groups` is empty or contains an empty name.
    pub fn any_of_groups(
        self,
        prefix: &str,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, RouteError> {
        let groups: BTreeSet<String> = groups.into_iter().map(Into::into).collect();
        if groups.is_empty() || groups.contains("") {
            return Err(RouteError::NoGroup(prefix.into()));
        }
        self.with(prefix, Access::AnyOfGroups(groups))
    }

    /// Allows CORS preflights without a token: `OPTIONS` requests with `Origin` and `Access-Control-Request-Method`. Browsers send
    /// preflights without a token, and the application responds to them. Use `/` for all paths.
    ///
    /// # Errors
    ///
    /// Returns [`RouteError::Prefix`].
    pub fn preflights(mut self, prefix: &str) -> Result<Self, RouteError> {
        let (_, pattern) = below(prefix)?;
        self.preflights.push(pattern);
        Ok(self)
    }

    fn with(mut self, prefix: &str, access: Access) -> Result<Self, RouteError> {
        let (prefix, pattern) = below(prefix)?;
        if self.rules.iter().any(|(known, ..)| *known == prefix) {
            return Err(RouteError::Twice(prefix));
        }
        self.rules.push((prefix, pattern, access));
        Ok(self)
    }

    /// The table of these rules. `None` if there are no rules.
    pub(crate) fn table(&self) -> Option<RouteTable> {
        if self.rules.is_empty() && self.preflights.is_empty() {
            return None;
        }
        let mut rules = self.rules.clone();
        if let Ok((prefix, pattern)) = below("/")
            && rules.iter().all(|(known, ..)| *known != prefix)
        {
            rules.push((prefix, pattern, Access::Token));
        }
        rules.sort_by_key(|(prefix, ..)| Reverse(prefix.len()));
        let rules = rules.into_iter().map(|(_, pattern, access)| (pattern, access));
        Some(RouteTable::new(rules, self.preflights.iter().cloned()))
    }
}

/// The prefix without a trailing slash, which has no meaning: `/admin/` also covers `/admin`.
fn below(prefix: &str) -> Result<(String, Pattern), RouteError> {
    let bare = match prefix.strip_suffix('/') {
        Some("") | None => prefix,
        Some(bare) => bare,
    };
    let pattern = Pattern::below(bare).map_err(|error| RouteError::Prefix(prefix.into(), error))?;
    Ok((bare.into(), pattern))
}

#[cfg(test)]
mod tests {
    use super::{super::original::Original, *};
    use crate::Requirement;

    const PUBLIC: &str = "public";
    const TOKEN: &str = "token";
    const ADMINS: &str = "admins";
    const REJECTED: &str = "rejected";

    fn requirement(table: &RouteTable, targets: &[&str], is_preflight: bool) -> &'static str {
        match table.requirement(&Original { targets: targets.to_vec(), is_preflight }) {
            Err(_) => REJECTED,
            Ok(None) => PUBLIC,
            Ok(Some(requirement)) if requirement == Requirement::new() => TOKEN,
            Ok(Some(requirement)) => {
                assert_eq!(requirement, Requirement::new().any_of_groups(["admins"]));
                ADMINS
            }
        }
    }

    fn rules() -> Result<RouteRules, RouteError> {
        let rules = RouteRules::new().public("/admin/public")?.any_of_groups("/admin/", ["admins"])?;
        rules.token("/admin/help")?.public("/health")?.preflights("/api")?.preflights("/v2/api")
    }

    #[test]
    fn the_longest_prefix_decides_and_a_path_without_a_rule_requires_a_token() {
        let table = rules().expect("the rules are valid").table().expect("there are rules");
        for (target, expected) in [
            ("/", TOKEN),
            ("/orders?group=x", TOKEN),
            ("/administration", TOKEN),
            ("/admin", ADMINS),
            ("/admin/", ADMINS),
            ("/admin?x=/../health", ADMINS),
            ("/admin/users", ADMINS),
            ("/admin/helper", ADMINS),
            ("/admin/help", TOKEN),
            ("/admin/help/x", TOKEN),
            ("/admin/public/logo", PUBLIC),
            ("/health", PUBLIC),
            ("/healthy", TOKEN),
            // All interpretations select the same rule.
            ("/files/caf%C3%A9.pdf", TOKEN),
            ("/projects/group%2Fproject", TOKEN),
            ("//orders", TOKEN),
            ("/admin/a%2Fb", ADMINS),
            // Two interpretations select different rules.
            ("/admin%2Fusers", REJECTED),
            ("/%61dmin", REJECTED),
            ("/ADMIN/users", REJECTED),
            ("/Health", REJECTED),
            ("//admin/x", REJECTED),
            ("/admin;/x", REJECTED),
            ("/x/..;/admin/users", REJECTED),
            ("/admin/users/../../x", REJECTED),
            ("/admin/users/%2e%2e/%2e%2e/x", REJECTED),
            ("/health/../admin", REJECTED),
            ("", REJECTED),
            ("*", REJECTED),
            ("admin", REJECTED),
            ("/orders#/admin", REJECTED),
            ("http://app/orders", REJECTED),
        ] {
            assert_eq!(requirement(&table, &[target], false), expected, "{target}");
        }
    }

    #[test]
    fn two_headers_with_the_original_path_must_select_the_same_rule() {
        let table = rules().expect("the rules are valid").table().expect("there are rules");
        for (targets, expected) in [
            (["/orders", "/orders"], TOKEN),
            (["/orders", "/basket"], TOKEN),
            (["/admin", "/health"], REJECTED),
            (["/health", "/admin"], REJECTED),
            (["/orders", "/health"], REJECTED),
        ] {
            assert_eq!(requirement(&table, &targets, false), expected, "{targets:?}");
        }
    }

    #[test]
    fn preflights_pass_where_a_rule_allows_them() {
        let table = rules().expect("the rules are valid").table().expect("there are rules");
        for (target, expected) in [
            ("/api/x", PUBLIC),
            ("/v2/api", PUBLIC),
            ("/orders", TOKEN),
            ("/admin", ADMINS),
            ("/api/../admin", REJECTED),
            ("/API", REJECTED),
        ] {
            assert_eq!(requirement(&table, &[target], true), expected, "{target}");
        }
        let everywhere = RouteRules::new().any_of_groups("/admin", ["admins"]).and_then(|rules| rules.preflights("/"));
        let table = everywhere.expect("the rules are valid").table().expect("there are rules");
        assert_eq!(requirement(&table, &["/ADMIN/x"], true), PUBLIC);
        assert_eq!(requirement(&table, &["/ADMIN/x"], false), REJECTED);
    }

    #[test]
    fn invalid_and_duplicate_rules_are_rejected() {
        let new = RouteRules::new;
        assert!(new().table().is_none());
        for prefix in ["", "admin", "/a//b", "/a/../b", "/a%20b", "/a?b", "/*x*/;"] {
            assert!(matches!(new().public(prefix), Err(RouteError::Prefix(named, _)) if named == prefix), "{prefix}");
        }
        let twice = new().public("/a").and_then(|rules| rules.token("/a/"));
        assert_eq!(twice.err(), Some(RouteError::Twice("/a".into())));
        let none: [&str; 0] = [];
        for groups in [&none[..], &[""], &["admins", ""]] {
            assert_eq!(new().any_of_groups("/a", groups.to_vec()).err(), Some(RouteError::NoGroup("/a".into())));
        }
    }
}
