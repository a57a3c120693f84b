//! One request, compared with a reference that evaluates the text of the configuration.

use super::NOW;
use crate::{
    reference::{
        hosts::{self, Host},
        json::Tree,
        paths::{self, Ways},
    },
    scene,
};
use poolgate_edge::{Admitted, Conflict, Decision, HeaderMutation, Rejection, RequestAuthorizer, RequestHead};
use std::{borrow::Cow, sync::LazyLock};

/// The issuer of the tokens.
pub(super) const ISSUER: &str = "https://issuer.example";

/// The token of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Absent,
    /// A text that is not a token.
    Garbage,
    /// Signed with the key of the JWK Set in the configuration.
    Good,
    /// Signed with another key, but with the `kid` of the first.
    Forged,
}

/// An access token that is valid until the end of the year 9999.
const PAYLOAD: &str = r#"{"iss":"https://issuer.example","sub":"user","exp":253402300799,"token_use":"access","client_id":"app",
    "cognito:groups":["admins","readers"],"scope":"orders/read orders/write"}"#;

static GOOD: LazyLock<String> = LazyLock::new(|| scene::token(0, PAYLOAD));
static FORGED: LazyLock<String> = LazyLock::new(|| {
    let forged = scene::token(1, PAYLOAD);
    let (_, signature) = forged.rsplit_once('.').unwrap_or_default();
    let (input, _) = GOOD.rsplit_once('.').unwrap_or_default();
    format!("{input}.{signature}")
});

/// The head of a request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) token: Token,
}

impl Request {
    pub(super) fn plain(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: vec![], token: Token::Absent }
    }

    /// Adds a token at the location that the configuration names.
    pub(super) fn with_token(mut self, token: Token, place: Option<&Tree>) -> Self {
        let text = match token {
            Token::Absent => return self,
            Token::Garbage => "a.b.c",
            Token::Good => &GOOD,
            Token::Forged => &FORGED,
        };
        let member = |name: &str| place.and_then(|place| place.get(name)).and_then(Tree::as_str);
        let header = |name: &str, value: String| (name.to_owned(), value);
        let is_bare = place.and_then(|place| place.get("prefix_optional")) == Some(&Tree::Bool(true));
        let prefix = member("prefix").filter(|_| !is_bare).unwrap_or_default();
        let cookie = member("cookie").or(member("cookie_pattern")).map(|name| name.replace('*', "a.b"));
        match (member("header"), cookie, member("query")) {
            (Some(name), _, _) => self.headers.push(match member("element_prefix") {
                Some(prefix) => header(name, format!("a, {prefix}{text} ,b")),
                None => header(name, format!("{prefix}{text}")),
            }),
            (_, Some(name), _) => self.headers.push(header("cookie", format!("a=b; {name}={text}"))),
            (_, _, Some(name)) => self.target += &format!("?{name}={text}"),
            _ => self.headers.push(header("authorization", format!("Bearer {text}"))),
        }
        self.token = token;
        self
    }
}

impl RequestHead for Request {
    fn method(&self) -> &str {
        &self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str().into());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(()),
        }
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.headers.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
    }
}

/// The expected result for a request.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Admitted {
        is_verified: bool,
        is_reported: bool,
    },
    Rejected(&'static str),
    /// The token is rejected, for any reason.
    TokenRejected,
    Waits,
}

/// The rules that the readings of a request choose.
enum ExpectedByReadings {
    Malformed,
    /// All readings choose rules with the same effect.
    One(Expected),
    /// They do not, or there are more readings than the limit.
    Several(Vec<Expected>),
}

pub(super) fn check(authorizer: &mut RequestAuthorizer, config: &Tree, request: &Request) {
    let decision = authorizer.authorize(NOW, request);
    let context = || format!("{decision:?} of {request:?} by {config:?}");
    match by_readings(config, request) {
        ExpectedByReadings::Malformed => {
            let is_rejected = matches!(&decision, Decision::Reject(rejection) if rejection.status() == 400);
            assert!(is_rejected, "a malformed path: {}", context());
        }
        ExpectedByReadings::One(expected) => {
            assert!(is_as_expected(authorizer, request, &decision, &expected), "not {expected:?}: {}", context())
        }
        ExpectedByReadings::Several(all) => {
            let ignores_case = config.get("case_insensitive_paths") == Some(&Tree::Bool(true));
            // If there are too many readings, one beyond the limit may be malformed.
            let is_ambiguous = matches!(
                decision,
                Decision::Reject(Rejection::AmbiguousPath(_) | Rejection::AmbiguousHost(_) | Rejection::MalformedPath)
            );
            assert!(is_ambiguous || ignores_case, "ambiguous between {all:?}: {}", context());
            // If the request is forwarded, the rule for each reading accepts it.
            let is_satisfied = |expected: &Expected| match &decision {
                Decision::Admit(_) => matches!(expected, Expected::Admitted { .. }),
                Decision::Pause(_) => matches!(expected, Expected::Admitted { .. } | Expected::Waits),
                Decision::Reject(_) | Decision::Respond(_) => true,
                // No revocations are configured.
                Decision::AskRevocation(_) => false,
            };
            assert!(all.iter().all(is_satisfied), "a stricter rule is among {all:?}: {}", context());
        }
    }
    let forwards = config.get("tokens").and_then(|tokens| tokens.get("forward")) != Some(&Tree::Bool(false));
    if let Decision::Admit(admitted) = &decision {
        let has_token =
            [&*GOOD, &*FORGED].into_iter().any(|token| forwarded(request, admitted).contains(token.as_str()));
        let is_expected = has_token == (forwards && matches!(request.token, Token::Good | Token::Forged));
        assert!(is_expected, "the application receives a token: {has_token}: {}", context());
    }
    if let Decision::Reject(rejection) = decision {
        let response = authorizer.response(request, rejection);
        assert!(matches!(response.status, 400 | 401 | 403 | 503), "{response:?}");
        let explained = authorizer.explain(rejection);
        let is_ambiguous = matches!(rejection, Rejection::AmbiguousPath(_) | Rejection::AmbiguousHost(_));
        assert!(explained.is_none() || is_ambiguous, "{explained:?}");
    }
}

/// Returns the target and the headers that the application receives, without claim headers.
fn forwarded(request: &Request, admitted: &Admitted) -> String {
    let mut headers = request.headers.clone();
    headers.push((":path".to_owned(), request.target.clone()));
    for mutation in &admitted.mutations {
        let (HeaderMutation::Remove(name) | HeaderMutation::Set(name, _)) = mutation;
        headers.retain(|(own, _)| own != name);
        if let HeaderMutation::Set(name, value) = mutation {
            headers.push((name.clone(), value.clone()));
        }
    }
    format!("{headers:?}")
}

fn is_as_expected(authorizer: &RequestAuthorizer, request: &Request, decision: &Decision, expected: &Expected) -> bool {
    match (decision, expected) {
        (Decision::Admit(admitted), Expected::Admitted { is_verified, is_reported }) => {
            (admitted.is_verified(), admitted.reported.is_some()) == (*is_verified, *is_reported)
        }
        (Decision::Reject(rejection), Expected::Rejected(name)) => rejection.name() == *name,
        (Decision::Reject(Rejection::Token(_)), Expected::TokenRejected) => true,
        // More text than the limit for all readings.
        (Decision::Reject(Rejection::AmbiguousPath(conflict)), _) if *conflict == Conflict::default() => {
            request.target.len() > 1_000
        }
        (Decision::Pause(paused), Expected::Waits) => {
            let timed_out = authorizer.time_out(request, paused);
            // It can't be verified without keys.
            !matches!(&timed_out, Decision::Admit(admitted) if admitted.reported.is_none())
        }
        _ => false,
    }
}

fn by_readings(config: &Tree, request: &Request) -> ExpectedByReadings {
    let (paths, is_all) = match paths::ways(&request.target) {
        Ways::Malformed => return ExpectedByReadings::Malformed,
        Ways::All(paths) => (paths, true),
        Ways::TooMany(paths) => (paths, false),
    };
    let header = |name: &str| request.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let passes = config.get("cors_preflight").and_then(Tree::as_str) == Some("pass");
    // A preflight has no credentials.
    let asked = match passes && request.method == "OPTIONS" && header("authorization").is_none() {
        true => header("origin").and_then(|_| header("access-control-request-method")),
        false => None,
    };
    let without_token = || Expected::Admitted { is_verified: false, is_reported: false };
    let has_hosts =
        matches!(config.get("routes"), Some(Tree::Array(all)) if all.iter().any(|it| it.get("hosts").is_some()));
    // Without hosts in the rules, the host does not matter.
    let host = if has_hosts { hosts::host(&request.headers) } else { Host::Read(vec![String::new()]) };
    let asked = asked.map(|asked| paths::routes(config, &host, &paths, asked));
    // If no reading has a rule for the requested method, this is a request like any other. If case is ignored, this also applies if some
    // readings have none.
    let ignores_case = config.get("case_insensitive_paths") == Some(&Tree::Bool(true));
    let is_split = asked.as_ref().is_some_and(|routes| routes.len() > 1 && routes.contains(&None));
    let preflight = asked.filter(|routes| routes.as_slice() != [None] && !(ignores_case && is_split));
    let expected = |route: &Option<&Tree>| match (&preflight, route) {
        (Some(_), Some(_)) => without_token(),
        _ => expected(config, *route, request),
    };
    let routes = preflight.clone().unwrap_or_else(|| paths::routes(config, &host, &paths, &request.method));
    let mut all: Vec<Expected> = routes.iter().map(expected).collect();
    match all.pop() {
        Some(one) if all.is_empty() && is_all && !is_split => ExpectedByReadings::One(one),
        last => {
            all.extend(last);
            ExpectedByReadings::Several(all)
        }
    }
}

fn expected(config: &Tree, route: Option<&Tree>, request: &Request) -> Expected {
    let without_token = Expected::Admitted { is_verified: false, is_reported: false };
    let Some(route) = route else { return Expected::Rejected("no-rule") };
    let is = |name: &str| route.get(name) == Some(&Tree::Bool(true));
    let reports_all = config.get("report_only") == Some(&Tree::Bool(true));
    if is("public") || (is("optional") && request.token == Token::Absent) {
        return without_token;
    }
    let token_result = match request.token {
        Token::Absent => Expected::Rejected("no-token"),
        Token::Garbage => Expected::TokenRejected,
        Token::Good | Token::Forged => token_result(config, route, request.token),
    };
    match token_result {
        Expected::Rejected(_) | Expected::TokenRejected if reports_all || is("report_only") => {
            Expected::Admitted { is_verified: false, is_reported: true }
        }
        token_result => token_result,
    }
}

/// Returns the result for a well-formed token.
fn token_result(config: &Tree, route: &Tree, token: Token) -> Expected {
    let list = |name: &str| match config.get(name) {
        Some(Tree::Array(items)) => items.as_slice(),
        _ => &[],
    };
    let is_its =
        |pool: &&Tree| text(pool, "issuer") == Some(ISSUER) || pool.get("any_issuer") == Some(&Tree::Bool(true));
    let Some(pool) = list("pools").iter().find(is_its) else { return Expected::TokenRejected };
    if strings(pool, "algorithms").is_none_or(|names| !names.contains(&"EdDSA")) {
        return Expected::TokenRejected;
    }
    // It has no `iat`, which is checked before the key.
    if pool.get("max_age_seconds").is_some_and(|seconds| *seconds != Tree::Null) {
        return Expected::TokenRejected;
    }
    if pool.get("keys").is_none_or(|keys| keys.get("jwks").is_none_or(|jwks| *jwks == Tree::Null)) {
        return Expected::Waits;
    }
    let policies = list("policies");
    let fits = |name: &&str| policies.iter().any(|policy| text(policy, "name") == Some(name) && fits(policy, pool));
    let is_allowed = match (strings(route, "any_of"), strings(route, "all_of")) {
        (Some(names), _) => names.iter().any(fits),
        (None, Some(names)) => names.iter().all(fits),
        (None, None) => true,
    };
    match token == Token::Good && is_accepted(pool) && is_allowed {
        true => Expected::Admitted { is_verified: true, is_reported: false },
        false => Expected::TokenRejected,
    }
}

/// Returns whether the pool accepts the valid token, which has no `aud`.
fn is_accepted(pool: &Tree) -> bool {
    let is = |name: &str| pool.get(name) == Some(&Tree::Bool(true));
    let is_unset = |name: &str| pool.get(name).is_none_or(|value| *value == Tree::Null);
    match text(pool, "token_use") {
        Some("access" | "access_or_id") => {
            (is("any_client") || strings(pool, "client_ids").is_some_and(|ids| ids.contains(&"app")))
                && (is("any_resource") || is_unset("resources"))
        }
        // Client IDs and resource servers are then compared with `aud`.
        Some("unchecked") => is("any_client") && is_unset("resources"),
        _ => false,
    }
}

fn fits(policy: &Tree, pool: &Tree) -> bool {
    let named = text(pool, "name").unwrap_or_default();
    // If the pool does not check `token_use`, neither it nor the client is known.
    let is_known = text(pool, "token_use") != Some("unchecked");
    let fits_pool = strings(policy, "pools").is_none_or(|names| names.contains(&named));
    let fits_use = match text(policy, "token_use") {
        None | Some("unchecked") => true,
        Some("access" | "access_or_id") => is_known,
        Some(_) => false,
    };
    let fits_client = strings(policy, "client_ids").is_none_or(|ids| is_known && ids.contains(&"app"));
    fits_pool
        && fits_use
        && fits_client
        && holds(policy.get("groups"), &["admins", "readers"])
        && holds(policy.get("scopes"), &["orders/read", "orders/write"])
}

fn holds(rule: Option<&Tree>, names_of_token: &[&str]) -> bool {
    let names = |name: &str| rule.and_then(|rule| strings(rule, name));
    names("any_of").is_none_or(|names| names.iter().any(|name| names_of_token.contains(name)))
        && names("all_of").is_none_or(|names| names.iter().all(|name| names_of_token.contains(name)))
}

fn text<'t>(tree: &'t Tree, name: &str) -> Option<&'t str> {
    tree.get(name).and_then(Tree::as_str)
}

fn strings<'t>(tree: &'t Tree, name: &str) -> Option<Vec<&'t str>> {
    match tree.get(name) {
        Some(Tree::Array(items)) => Some(items.iter().filter_map(Tree::as_str).collect()),
        _ => None,
    }
}
