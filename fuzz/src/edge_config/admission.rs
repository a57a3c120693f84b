//! One request at the gate, beside a reference that goes by the configuration's own words.

use super::NOW;
use crate::{
    reference::{json::Tree, paths},
    scene,
};
use poolgate_edge::{Decision, Gate, Refusal, RequestHead};
use std::{borrow::Cow, sync::LazyLock};

/// The issuer of the tokens.
pub(super) const ISSUER: &str = "https://issuer.example";

/// What a request has for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Absent,
    /// Something that is none.
    Garbage,
    /// Signed by the key of the configuration's JWK Set.
    Good,
    /// Signed by another key, under the first one's name.
    Forged,
}

/// An access token that is good until the end of the year 9999.
const PAYLOAD: &str = r#"{"iss":"https://issuer.example","sub":"user","exp":253402300799,"token_use":"access","client_id":"app",
    "cognito:groups":["admins","readers"],"scope":"orders/read orders/write"}"#;

static GOOD: LazyLock<String> = LazyLock::new(|| scene::token(0, PAYLOAD));
static FORGED: LazyLock<String> = LazyLock::new(|| {
    let forged = scene::token(1, PAYLOAD);
    let (_, signature) = forged.rsplit_once('.').unwrap_or_default();
    let (input, _) = GOOD.rsplit_once('.').unwrap_or_default();
    format!("{input}.{signature}")
});

/// A request's head.
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

    /// Puts a token where the configuration says that tokens are.
    pub(super) fn with_token(mut self, token: Token, place: Option<&Tree>) -> Self {
        let text = match token {
            Token::Absent => return self,
            Token::Garbage => "a.b.c",
            Token::Good => &GOOD,
            Token::Forged => &FORGED,
        };
        let stated = |name: &str| place.and_then(|place| place.get(name)).and_then(Tree::as_str);
        let header = |name: &str, value: String| (name.to_owned(), value);
        match (stated("header"), stated("cookie"), stated("query")) {
            (Some(name), _, _) => {
                self.headers.push(header(name, format!("{}{text}", stated("prefix").unwrap_or_default())));
            }
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
}

/// What must become of a request.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Admitted {
        is_verified: bool,
        is_reported: bool,
    },
    Refused(&'static str),
    /// For its token, whatever the reason.
    TokenRefused,
    Waits,
}

pub(super) fn check(gate: &mut Gate, config: &Tree, request: &Request) {
    let expected = expected(config, request);
    let came = gate.admit(NOW, request);
    match (&came, &expected) {
        (Decision::Admit(admitted), Expected::Admitted { is_verified, is_reported }) => {
            assert_eq!(admitted.is_verified(), *is_verified, "{request:?}: {came:?}");
            assert_eq!(admitted.reported.is_some(), *is_reported, "{request:?}: {came:?}");
        }
        (Decision::Refuse(refusal), Expected::Refused(name)) => assert_eq!(refusal.name(), *name, "{request:?}"),
        (Decision::Refuse(Refusal::Token(_)), Expected::TokenRefused) => (),
        (Decision::Wait(held), Expected::Waits) => {
            let given_up = gate.give_up(request, held);
            let is_open = matches!(&given_up, Decision::Admit(admitted) if admitted.reported.is_none());
            assert!(!is_open, "admitted without keys: {given_up:?}");
        }
        _ => panic!("expected {expected:?}, came {came:?} of {request:?} by {config:?}"),
    }
    if let Decision::Refuse(refusal) = came {
        let answer = gate.answer(refusal);
        assert!(matches!(answer.status, 400 | 401 | 403 | 503), "{answer:?}");
    }
}

fn expected(config: &Tree, request: &Request) -> Expected {
    let Some(path) = paths::canonical(&request.target) else {
        return Expected::Refused("ambiguous-path");
    };
    let unseen = Expected::Admitted { is_verified: false, is_reported: false };
    let header = |name: &str| request.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    if config.get("cors_preflight").and_then(Tree::as_str) == Some("pass")
        && request.method == "OPTIONS"
        && header("origin").is_some()
        && header("access-control-request-method").is_some_and(|asked| paths::route(config, &path, asked).is_some())
    {
        return unseen;
    }
    let Some(route) = paths::route(config, &path, &request.method) else {
        return Expected::Refused("no-rule");
    };
    let is = |name: &str| route.get(name) == Some(&Tree::Bool(true));
    if is("public") || (is("optional") && request.token == Token::Absent) {
        return unseen;
    }
    let judged = match request.token {
        Token::Absent => Expected::Refused("no-token"),
        Token::Garbage => Expected::TokenRefused,
        Token::Good | Token::Forged => judged(config, route, request.token),
    };
    match judged {
        Expected::Refused(_) | Expected::TokenRefused if is("report_only") => {
            Expected::Admitted { is_verified: false, is_reported: true }
        }
        judged => judged,
    }
}

/// What comes of a token that is well formed.
fn judged(config: &Tree, route: &Tree, token: Token) -> Expected {
    let list = |name: &str| match config.get(name) {
        Some(Tree::Array(items)) => items.as_slice(),
        _ => &[],
    };
    let is_its =
        |pool: &&Tree| text(pool, "issuer") == Some(ISSUER) || pool.get("any_issuer") == Some(&Tree::Bool(true));
    let Some(pool) = list("pools").iter().find(is_its) else { return Expected::TokenRefused };
    if strings(pool, "algorithms").is_none_or(|names| !names.contains(&"EdDSA")) {
        return Expected::TokenRefused;
    }
    // It does not say when it was issued, and that needs no key to see.
    if pool.get("max_age_seconds").is_some_and(|seconds| *seconds != Tree::Null) {
        return Expected::TokenRefused;
    }
    if pool.get("keys").is_some_and(|keys| keys.get("jwks").is_none_or(|jwks| *jwks == Tree::Null)) {
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
        false => Expected::TokenRefused,
    }
}

/// Whether the pool accepts the good token, which has no `aud`.
fn is_accepted(pool: &Tree) -> bool {
    let is = |name: &str| pool.get(name) == Some(&Tree::Bool(true));
    let is_unset = |name: &str| pool.get(name).is_none_or(|value| *value == Tree::Null);
    match text(pool, "token_use") {
        Some("access" | "access_or_id") => {
            (is("any_client") || strings(pool, "client_ids").is_some_and(|ids| ids.contains(&"app")))
                && (is("any_resource") || is_unset("resources"))
        }
        // Client IDs and resource servers are compared with `aud` then.
        Some("unchecked") => is("any_client") && is_unset("resources"),
        _ => false,
    }
}

fn fits(policy: &Tree, pool: &Tree) -> bool {
    let named = text(pool, "name").unwrap_or_default();
    // Where the pool does not look at `token_use`, nobody knows the token's, nor its client.
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

fn holds(rule: Option<&Tree>, held: &[&str]) -> bool {
    let names = |name: &str| rule.and_then(|rule| strings(rule, name));
    names("any_of").is_none_or(|names| names.iter().any(|name| held.contains(name)))
        && names("all_of").is_none_or(|names| names.iter().all(|name| held.contains(name)))
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
