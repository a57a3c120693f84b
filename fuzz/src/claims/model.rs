//! The expected result for a token, with one requirement in each line. It is written from RFC 7519 section 4.1, from docs/policy.md, and from
//! the Cognito developer guide: "Understanding the access token" (`client_id`, `scope`, `username`, and no `aud` but that of a resource server),
//! "Understanding the identity (ID) token" (`aud` is the app client, `cognito:username`; it has no `scope`, and a claim of that name, as one
//! that is named `username`, was put there by a pre token generation trigger), and "Verifying JSON web tokens".

use super::{ClaimsOfToken, ISSUER, load_balancer};
use crate::reference::json::Tree;
use poolgate_core::{
    ClientRule, ConfirmationRule, Membership, Pool, ResourceRule, SubjectRule, TokenUse, TokenUseRule,
};

/// 9999-12-31T23:59:59Z
const LAST: f64 = 253_402_300_799.0;

/// Returns whether a payload without duplicates is accepted. For a token of a load balancer, `header` is its header, which is accepted.
pub(super) fn allows(payload: &Tree, header: Option<&Tree>, pool: &Pool, now: u64) -> bool {
    has_types(payload, pool)
        && claim(payload, "iss").and_then(Tree::as_str) == Some(ISSUER)
        && is_in_time(payload, pool, now)
        && fits(payload, header, pool)
}

/// Returns a claim. A claim that is `null` is absent.
fn claim<'t>(payload: &'t Tree, name: &str) -> Option<&'t Tree> {
    payload.get(name).filter(|value| **value != Tree::Null)
}

fn has_types(payload: &Tree, pool: &Pool) -> bool {
    let texts = ["iss", "sub", "jti", "origin_jti", "username", "cognito:username", "token_use"];
    let is_text = |name: &&str| claim(payload, name).is_none_or(|value| value.as_str().is_some());
    let is_date = |name: &&str| claim(payload, name).is_none_or(|value| date(value).is_some());
    let is_list =
        |value: &Tree| matches!(value, Tree::Array(items) if items.iter().all(|item| item.as_str().is_some()));
    texts.iter().all(is_text)
        && ["exp", "nbf", "iat", "auth_time"].iter().all(is_date)
        && claim(payload, "exp").is_some()
        && claim(payload, "cognito:groups").is_none_or(is_list)
        && ["aud", "scope"].iter().all(|name| claim(payload, name).is_none_or(|it| it.as_str().is_some() || is_list(it)))
        // Other issuers name their clients elsewhere.
        && (pool.token_use == TokenUseRule::Unchecked || is_text(&"client_id"))
}

/// Returns a NumericDate: a number from 0 to the end of the year 9999.
fn date(value: &Tree) -> Option<f64> {
    value.as_f64().filter(|seconds| (0.0..=LAST).contains(seconds))
}

fn is_in_time(payload: &Tree, pool: &Pool, now: u64) -> bool {
    // A double represents these whole seconds exactly: a date is at most 2^38, and a later time is after all dates.
    let now = now.min(1 << 40) as f64;
    let (leeway, skew) = (f64::from(pool.leeway), f64::from(pool.issued_at_skew.max(pool.leeway)));
    let get = |name: &str| claim(payload, name).and_then(date);
    let is_young = match (pool.max_age, get("iat")) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(most), Some(issued)) => now - issued.floor() <= f64::from(most) + leeway,
    };
    get("exp").is_some_and(|expires| now - leeway < expires.floor())
        && get("nbf").is_none_or(|begins| now + skew >= begins)
        && get("iat").is_none_or(|issued| now + skew >= issued)
        && is_young
}

/// Returns the times at which a payload may become or stop being valid.
pub(super) fn edges(payload: &Tree, pool: &Pool) -> Vec<u64> {
    let (leeway, skew) = (i64::from(pool.leeway), i64::from(pool.issued_at_skew));
    let age = i64::from(pool.max_age.unwrap_or(0));
    let mut edges = Vec::new();
    for date in ["exp", "nbf", "iat"].into_iter().filter_map(|name| claim(payload, name).and_then(date)) {
        for stretch in [0, leeway, -leeway, -skew, -skew.max(leeway), age, age + leeway] {
            edges.extend((-1..=1).filter_map(|offset| (date as u64).checked_add_signed(stretch + offset)));
        }
    }
    edges
}

fn fits(payload: &Tree, header: Option<&Tree>, pool: &Pool) -> bool {
    let text = |name: &str| claim(payload, name).and_then(Tree::as_str);
    let client = text("client_id");
    let audience = audience(payload);
    let accepted = |name: &str| match &pool.client {
        ClientRule::Unchecked => true,
        ClientRule::OneOf(clients) => clients.iter().any(|own| own == name),
    };
    let is_any_client = matches!(pool.client, ClientRule::Unchecked);
    let is_for_client = |audience: &Option<Vec<&str>>| {
        is_any_client || audience.as_ref().is_some_and(|audience| audience.iter().any(|name| accepted(name)))
    };
    let fits_use = match (use_of(payload, pool), text("token_use")) {
        (None, _) => pool.token_use == TokenUseRule::Unchecked,
        (Some(_), None) => false,
        (Some(TokenUse::Access), _) => pool.token_use != TokenUseRule::Id,
        (Some(TokenUse::Id), _) => pool.token_use != TokenUseRule::Access,
    };
    let fits_client = match use_of(payload, pool) {
        // The client is in the header, so `aud` can only be a resource server.
        None if header.is_some() => fits_resource(&audience, pool),
        Some(TokenUse::Access) => (is_any_client || client.is_some_and(accepted)) && fits_resource(&audience, pool),
        // OpenID Connect Core 1.0 section 3.1.3.7: with several audiences, `azp` names the client. No token here has it.
        Some(TokenUse::Id) => {
            is_for_client(&audience) && (is_any_client || audience.as_ref().is_some_and(|audience| audience.len() == 1))
        }
        // `aud` may contain both kinds of name, and each configured kind is required.
        None => is_for_client(&audience) && (!has_resources(pool) || fits_resource(&audience, pool)),
    };
    let is_somebodys = text("sub").is_some_and(|subject| !subject.trim().is_empty());
    let is_bound = claim(payload, "cnf").is_some();
    fits_use
        && fits_client
        && (is_somebodys || pool.subject == SubjectRule::Unchecked)
        && (!is_bound || pool.confirmation == ConfirmationRule::Ignore)
        && holds(&pool.groups, &groups(payload))
        && holds(&pool.scopes, &scopes(payload))
}

fn has_resources(pool: &Pool) -> bool {
    matches!(pool.resource, ResourceRule::OneOf(_))
}

/// Checks `aud` of an access token, or of a token of another provider.
fn fits_resource(audience: &Option<Vec<&str>>, pool: &Pool) -> bool {
    let names_one_of =
        |accepted: &[String]| audience.iter().flatten().any(|name| accepted.iter().any(|accepted| accepted == name));
    match (&pool.resource, &pool.client) {
        (ResourceRule::Unchecked, _) => true,
        (ResourceRule::OneOf(resources), _) => names_one_of(resources),
        (ResourceRule::Unbound, _) if audience.is_none() => true,
        (ResourceRule::Unbound, ClientRule::OneOf(clients)) => names_one_of(clients),
        (ResourceRule::Unbound, ClientRule::Unchecked) => false,
    }
}

fn use_of(payload: &Tree, pool: &Pool) -> Option<TokenUse> {
    match claim(payload, "token_use").and_then(Tree::as_str) {
        _ if pool.token_use == TokenUseRule::Unchecked => None,
        Some("access") => Some(TokenUse::Access),
        Some("id") => Some(TokenUse::Id),
        _ => None,
    }
}

fn audience(payload: &Tree) -> Option<Vec<&str>> {
    match claim(payload, "aud")? {
        Tree::Array(items) => Some(items.iter().filter_map(Tree::as_str).collect()),
        one => one.as_str().map(|one| vec![one]),
    }
}

fn groups(payload: &Tree) -> Vec<&str> {
    match claim(payload, "cognito:groups") {
        Some(Tree::Array(items)) => items.iter().filter_map(Tree::as_str).collect(),
        _ => vec![],
    }
}

/// Returns the scopes. An ID token has none.
fn scopes(payload: &Tree) -> Vec<&str> {
    if claim(payload, "token_use").and_then(Tree::as_str) == Some("id") {
        return vec![];
    }
    match claim(payload, "scope") {
        // Each element is one scope.
        Some(Tree::Array(items)) => items.iter().filter_map(Tree::as_str).collect(),
        Some(names) => names.as_str().unwrap_or_default().split(' ').filter(|name| !name.is_empty()).collect(),
        None => vec![],
    }
}

fn holds(rule: &Membership, names: &[&str]) -> bool {
    let has = |name: &String| names.contains(&name.as_str());
    rule.any_of.as_ref().is_none_or(|names| names.iter().any(has))
        && rule.all_of.as_ref().is_none_or(|names| names.iter().all(has))
}

/// Returns the expected claims of an accepted payload.
pub(super) fn expected_claims(payload: &Tree, header: Option<&Tree>, pool: &Pool) -> ClaimsOfToken {
    let text = |name: &str| claim(payload, name).and_then(Tree::as_str).map(str::to_owned);
    let seconds = |name: &str| claim(payload, name).and_then(date).map(|seconds| seconds.floor() as u64);
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let token_use = use_of(payload, pool);
    let client_id = match (token_use, &pool.client) {
        _ if header.is_some() => header.and_then(load_balancer::client),
        (Some(TokenUse::Access), _) => text("client_id"),
        // `aud` contains resource servers.
        (None, ClientRule::Unchecked) if has_resources(pool) => None,
        (Some(TokenUse::Id), ClientRule::Unchecked) if audience(payload).is_some_and(|names| names.len() > 1) => {
            text("azp")
        }
        (_, ClientRule::Unchecked) => audience(payload).and_then(|names| names.first().map(|name| (*name).to_owned())),
        (_, ClientRule::OneOf(clients)) => audience(payload).and_then(|names| {
            names.into_iter().find(|name| clients.iter().any(|client| client == name)).map(str::to_owned)
        }),
    };
    ClaimsOfToken {
        subject: text("sub"),
        username: match claim(payload, "token_use").and_then(Tree::as_str) {
            Some("access") => text("username"),
            Some("id") => text("cognito:username"),
            _ => None,
        },
        token_use,
        issuer: text("iss"),
        client_id,
        groups: owned(groups(payload)),
        scopes: owned(scopes(payload)),
        issued_at: seconds("iat"),
        expires_at: seconds("exp").unwrap_or_default(),
        auth_time: seconds("auth_time"),
    }
}
