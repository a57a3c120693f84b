//! What a path of the application asks for. A proxy that asks about a request says which one, and the path is read here in every way
//! that an application may read it: the proxy's own reading of it chooses nothing.

use super::{once_a_minute::OnceAMinute, original::Original};
use crate::{Requirement, refusal::Refused};
use axum::http::StatusCode;
use poolgate_path::{Case, Pattern, PatternError, Rule, Rules, RulesError};
use std::{cmp::Reverse, collections::BTreeSet, fmt};

/// Any caller can bring it about.
static WARNING: OnceAMinute = OnceAMinute::new();

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: no token is looked at.
    Public,
    /// A good token.
    Token,
    /// A good token with one of these groups.
    AnyOfGroups(BTreeSet<String>),
}

/// Why a rule is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The prefix is not the plain text of a path.
    Prefix(String, PatternError),
    /// There are two rules for one prefix.
    Twice(String),
    /// A rule asks for groups and names none, or one without a name: nobody would know whether it lets everybody in, or nobody.
    NoGroup(String),
}

impl fmt::Display for RouteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix, fault) => write!(formatter, "{prefix:?}: {fault}"),
            Self::Twice(prefix) => write!(formatter, "{prefix:?} has two rules"),
            Self::NoGroup(prefix) => write!(formatter, "{prefix:?} asks for a group without a name"),
        }
    }
}

impl std::error::Error for RouteError {}

/// What the paths of an application ask for: the longest prefix counts, whatever the order in which they are stated. A prefix is for
/// the path itself and everything below it: `/admin` is for `/admin` and `/admin/users`, and not for `/administration`. A path without
/// a rule asks for a good token.
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
    stated: Vec<(String, Pattern, Access)>,
    preflights: Vec<Pattern>,
}

impl RouteRules {
    /// Without a rule: every path asks for a good token.
    pub fn new() -> Self {
        Self::default()
    }

    /// No token is asked for, and none is looked at.
    ///
    /// # Errors
    /// [`RouteError::Prefix`] and [`RouteError::Twice`].
    pub fn public(self, prefix: &str) -> Result<Self, RouteError> {
        self.with(prefix, Access::Public)
    }

    /// A good token is asked for: within the prefix of a rule that asks for more, or for nothing.
    ///
    /// # Errors
    /// [`RouteError::Prefix`] and [`RouteError::Twice`].
    pub fn token(self, prefix: &str) -> Result<Self, RouteError> {
        self.with(prefix, Access::Token)
    }

    /// A good token with one of these groups is asked for.
    ///
    /// # Errors
    /// [`RouteError`]
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

    /// CORS preflights pass: requests whose method is `OPTIONS`, with `Origin` and `Access-Control-Request-Method`. Browsers send no
    /// token with them, and the application answers them. `/` is for all paths.
    ///
    /// # Errors
    /// [`RouteError::Prefix`]
    pub fn preflights(mut self, prefix: &str) -> Result<Self, RouteError> {
        let (_, pattern) = below(prefix)?;
        self.preflights.push(pattern);
        Ok(self)
    }

    fn with(mut self, prefix: &str, access: Access) -> Result<Self, RouteError> {
        let (prefix, pattern) = below(prefix)?;
        if self.stated.iter().any(|(stated, ..)| *stated == prefix) {
            return Err(RouteError::Twice(prefix));
        }
        self.stated.push((prefix, pattern, access));
        Ok(self)
    }

    /// Ready to be asked; none if nothing is stated.
    pub(crate) fn routes(&self) -> Option<Routes> {
        if self.stated.is_empty() && self.preflights.is_empty() {
            return None;
        }
        let mut stated = self.stated.clone();
        if let Ok((prefix, pattern)) = below("/")
            && stated.iter().all(|(stated, ..)| *stated != prefix)
        {
            stated.push((prefix, pattern, Access::Token));
        }
        stated.sort_by_key(|(prefix, ..)| Reverse(prefix.len()));
        let rules = stated.into_iter().map(|(_, pattern, access)| Rule::new(pattern, access));
        let preflights = self.preflights.iter().map(|pattern| Rule::new(pattern.clone(), ()));
        Some(Routes { rules: Rules::new(rules), preflights: Rules::new(preflights) })
    }
}

/// The rules, ready to be asked.
#[derive(Debug)]
pub(crate) struct Routes {
    /// The longest prefix first.
    rules: Rules<Access>,
    /// All of one effect: which of them matches makes no difference.
    preflights: Rules<()>,
}

impl Routes {
    /// What a request asks for; none if it needs no token.
    pub(crate) fn asked(&self, original: &Original<'_>) -> Result<Option<Requirement>, Refused> {
        if original.is_preflight && chosen(&self.preflights, &original.targets)?.is_some() {
            return Ok(None);
        }
        match chosen(&self.rules, &original.targets)? {
            Some(Access::Public) => Ok(None),
            Some(Access::Token) | None => Ok(Some(Requirement::new())),
            Some(Access::AnyOfGroups(groups)) => Ok(Some(Requirement::new().any_of_groups(groups))),
        }
    }
}

/// The effect of the rule that every reading of every target chooses.
fn chosen<'r, E: PartialEq>(rules: &'r Rules<E>, targets: &[&str]) -> Result<Option<&'r E>, Refused> {
    let mut first = None;
    for target in targets {
        // The rules are for all methods.
        let number = rules.choose("", target, Case::Either).map_err(|fault| refused(rules, fault))?;
        let first = *first.get_or_insert(number);
        if rules.effect(first) != rules.effect(number) {
            return Err(refused(rules, RulesError::Ambiguous { first, second: number }));
        }
    }
    Ok(rules.effect(first.flatten()))
}

/// The operator is told which rules a path could choose. The caller is not, nor is the path logged, which is the caller's.
fn refused<E: PartialEq>(rules: &Rules<E>, fault: RulesError) -> Refused {
    if let RulesError::Ambiguous { first, second } = fault {
        let name = |number: Option<usize>| {
            number.and_then(|number| rules.get(number)).map_or_else(|| "none".into(), |rule| rule.pattern.to_string())
        };
        if WARNING.is_due() {
            tracing::warn!(
                first = name(first),
                second = name(second),
                "a path is refused: two readings of it choose different rules"
            );
        }
    } else {
        tracing::info!(%fault, "a path is refused");
    }
    Refused::request(
        StatusCode::BAD_REQUEST,
        "the path of the request that is asked about can be read in more than one way",
    )
}

/// A slash at the end says nothing: `/admin/` is for `/admin`, too.
fn below(prefix: &str) -> Result<(String, Pattern), RouteError> {
    let bare = match prefix.strip_suffix('/') {
        Some("") | None => prefix,
        Some(bare) => bare,
    };
    let pattern = Pattern::below(bare).map_err(|fault| RouteError::Prefix(prefix.into(), fault))?;
    Ok((bare.into(), pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "public";
    const TOKEN: &str = "token";
    const ADMINS: &str = "admins";
    const REFUSED: &str = "refused";

    fn asked(routes: &Routes, targets: &[&str], is_preflight: bool) -> &'static str {
        match routes.asked(&Original { targets: targets.to_vec(), is_preflight }) {
            Err(_) => REFUSED,
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
    fn the_longest_prefix_counts_and_a_path_without_one_asks_for_a_token() {
        let routes = rules().expect("they are rules").routes().expect("there are some");
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
            // Readings that choose the same rule.
            ("/files/caf%C3%A9.pdf", TOKEN),
            ("/projects/group%2Fproject", TOKEN),
            ("//orders", TOKEN),
            ("/admin/a%2Fb", ADMINS),
            // Readings that choose another one.
            ("/admin%2Fusers", REFUSED),
            ("/%61dmin", REFUSED),
            ("/ADMIN/users", REFUSED),
            ("/Health", REFUSED),
            ("//admin/x", REFUSED),
            ("/admin;/x", REFUSED),
            ("/x/..;/admin/users", REFUSED),
            ("/admin/users/../../x", REFUSED),
            ("/admin/users/%2e%2e/%2e%2e/x", REFUSED),
            ("/health/../admin", REFUSED),
            ("", REFUSED),
            ("*", REFUSED),
            ("admin", REFUSED),
            ("/orders#/admin", REFUSED),
            ("http://app/orders", REFUSED),
        ] {
            assert_eq!(asked(&routes, &[target], false), expected, "{target}");
        }
    }

    #[test]
    fn two_words_on_one_request_must_choose_the_same_rule() {
        let routes = rules().expect("they are rules").routes().expect("there are some");
        for (targets, expected) in [
            (["/orders", "/orders"], TOKEN),
            (["/orders", "/basket"], TOKEN),
            (["/admin", "/health"], REFUSED),
            (["/health", "/admin"], REFUSED),
            (["/orders", "/health"], REFUSED),
        ] {
            assert_eq!(asked(&routes, &targets, false), expected, "{targets:?}");
        }
    }

    #[test]
    fn preflights_pass_where_a_rule_lets_them() {
        let routes = rules().expect("they are rules").routes().expect("there are some");
        for (target, expected) in [
            ("/api/x", PUBLIC),
            ("/v2/api", PUBLIC),
            ("/orders", TOKEN),
            ("/admin", ADMINS),
            ("/api/../admin", REFUSED),
            ("/API", REFUSED),
        ] {
            assert_eq!(asked(&routes, &[target], true), expected, "{target}");
        }
        let everywhere = RouteRules::new().any_of_groups("/admin", ["admins"]).and_then(|rules| rules.preflights("/"));
        let routes = everywhere.expect("they are rules").routes().expect("there are some");
        assert_eq!(asked(&routes, &["/ADMIN/x"], true), PUBLIC);
        assert_eq!(asked(&routes, &["/ADMIN/x"], false), REFUSED);
    }

    #[test]
    fn what_says_nothing_or_two_things_is_no_rule() {
        let new = RouteRules::new;
        assert!(new().routes().is_none());
        for prefix in ["", "admin", "/a//b", "/a/../b", "/a%20b", "/a?b", "/*x*/;"] {
            assert!(matches!(new().public(prefix), Err(RouteError::Prefix(stated, _)) if stated == prefix), "{prefix}");
        }
        let twice = new().public("/a").and_then(|rules| rules.token("/a/"));
        assert_eq!(twice.err(), Some(RouteError::Twice("/a".into())));
        let none: [&str; 0] = [];
        for groups in [&none[..], &[""], &["admins", ""]] {
            assert_eq!(new().any_of_groups("/a", groups.to_vec()).err(), Some(RouteError::NoGroup("/a".into())));
        }
    }
}
