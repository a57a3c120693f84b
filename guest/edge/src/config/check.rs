//! What a well-formed configuration may still not say.

use super::{ClaimToHeader, Config, ConfigFault, Keys, Policy, Pool, Route, TokenLocation, TokenUse};

type Checked = Result<(), ConfigFault>;

pub(super) fn all(config: &Config) -> Checked {
    if config.pools.is_empty() && config.routes.iter().any(|route| !route.public) {
        return Err(ConfigFault::new("pools", "there is none, so no token can be accepted: state at least one"));
    }
    each("pools", &config.pools, pool)?;
    unique("pools", config.pools.iter().map(|pool| pool.name.as_str()))?;
    each("policies", &config.policies, |at, stated| policy(&at, stated, config))?;
    unique("policies", config.policies.iter().map(|policy| policy.name.as_str()))?;
    if config.routes.is_empty() {
        return Err(ConfigFault::new("routes", "there is none, so every request would be denied: state at least one"));
    }
    each("routes", &config.routes, |at, stated| route(&at, stated, config))?;
    if config.tokens.from.is_empty() {
        return Err(ConfigFault::new("tokens.from", "an empty list: leave it out for Authorization: Bearer"));
    }
    each("tokens.from", &config.tokens.from, token_location)?;
    each("claims_to_headers", &config.claims_to_headers, claim_to_header)?;
    unique_headers(config)?;
    each("claims_to_filter_state", &config.claims_to_filter_state, |at, claim| match claim.name.is_empty() {
        true => Err(ConfigFault::new(at, "name is empty")),
        false => Ok(()),
    })?;
    if let Some(realm) = &config.answers.realm
        && !realm.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\')
    {
        return Err(ConfigFault::new(
            "answers.realm",
            "has a quote, a backslash or something other than printable ASCII",
        ));
    }
    match config.limits.wait_ms {
        1..=60_000 => Ok(()),
        _ => Err(ConfigFault::new("limits.wait_ms", "is not from 1 to 60,000")),
    }
}

fn pool(at: String, pool: &Pool) -> Checked {
    named(&at, &pool.name)?;
    let stated = [pool.user_pool_id.is_some(), pool.issuer.is_some(), pool.any_issuer];
    if stated.into_iter().filter(|stated| *stated).count() != 1 {
        return Err(ConfigFault::new(at, "state one of user_pool_id, issuer and any_issuer"));
    }
    if pool.region.is_some() && pool.user_pool_id.is_none() {
        return Err(ConfigFault::new(format!("{at}.region"), "goes with user_pool_id only"));
    }
    if pool.any_issuer && pool.keys.cluster.is_some() && pool.keys.url.is_none() {
        return Err(ConfigFault::new(format!("{at}.keys.url"), "any_issuer has no URL of its own: state it"));
    }
    if let Some(id) = &pool.user_pool_id
        && poolgate_core::issuer::of_user_pool(id, pool.region.as_deref()).is_err()
    {
        return Err(ConfigFault::new(
            format!("{at}.user_pool_id"),
            "is not one, or its region is not: it looks like eu-west-1_AbCdEfGhI",
        ));
    }
    match (&pool.client_ids, pool.any_client) {
        (None, false) => {
            return Err(ConfigFault::new(
                format!("{at}.client_ids"),
                "state the accepted app clients, or any_client: true to accept all",
            ));
        }
        (Some(_), true) => return Err(ConfigFault::new(at, "state client_ids or any_client, not both")),
        _ => not_empty(&format!("{at}.client_ids"), pool.client_ids.as_deref())?,
    }
    if pool.resources.is_some() && pool.any_resource {
        return Err(ConfigFault::new(at, "state resources or any_resource, not both"));
    }
    if pool.resources.is_some() && pool.token_use == TokenUse::Id {
        return Err(ConfigFault::new(format!("{at}.resources"), "ID tokens name none: their aud is an app client"));
    }
    not_empty(&format!("{at}.resources"), pool.resources.as_deref())?;
    for (number, name) in pool.algorithms.iter().enumerate() {
        let at = format!("{at}.algorithms[{number}]");
        match poolgate_core::Algorithm::from_name(name) {
            Some(algorithm) if algorithm.is_built() => (),
            Some(_) => {
                return Err(ConfigFault::new(
                    at,
                    "this build does not verify with it: take the one with every algorithm",
                ));
            }
            None => {
                return Err(ConfigFault::new(
                    at,
                    "is none that verifies tokens: RS256, PS256, ES256, EdDSA and their kin are",
                ));
            }
        }
    }
    keys(&format!("{at}.keys"), &pool.keys)
}

fn policy(at: &str, policy: &Policy, config: &Config) -> Checked {
    named(at, &policy.name)?;
    for (number, pool) in policy.pools.iter().flatten().enumerate() {
        known(&format!("{at}.pools[{number}]"), pool, "pool", config.pools.iter().map(|pool| pool.name.as_str()))?;
    }
    not_empty(&format!("{at}.pools"), policy.pools.as_deref())?;
    not_empty(&format!("{at}.client_ids"), policy.client_ids.as_deref())?;
    for (name, membership) in [("groups", &policy.groups), ("scopes", &policy.scopes)] {
        let Some(membership) = membership else { continue };
        let at = format!("{at}.{name}");
        not_empty(&format!("{at}.any_of"), membership.any_of.as_deref())?;
        not_empty(&format!("{at}.all_of"), membership.all_of.as_deref())?;
        if membership.any_of.is_none() && membership.all_of.is_none() {
            return Err(ConfigFault::new(at, "state any_of, all_of or both"));
        }
    }
    let asks_for_a_use = policy.token_use.is_some_and(|token_use| token_use != TokenUse::Unchecked);
    let lists = [policy.pools.is_some(), policy.client_ids.is_some(), policy.groups.is_some(), policy.scopes.is_some()];
    match asks_for_a_use || lists.contains(&true) {
        true => Ok(()),
        false => {
            Err(ConfigFault::new(at, "asks for nothing: a route that needs any good token is authenticated: true"))
        }
    }
}

/// Whether the wasi:http middleware can do what a configuration asks for, when it fetches keys from these URLs itself.
///
/// # Errors
/// There is no filter state outside Envoy; and keys are fetched without TLS from the machine itself only.
pub fn fits_middleware(config: &Config, key_urls: &[String]) -> Checked {
    if !config.claims_to_filter_state.is_empty() {
        return Err(ConfigFault::new("claims_to_filter_state", "is for Envoy; the middleware has claims_to_headers"));
    }
    match key_urls.iter().find(|url| !url.starts_with("https://") && !is_loopback(url)) {
        Some(url) => Err(ConfigFault::new("pools", format!("keys would be fetched without TLS, from {url}"))),
        None => Ok(()),
    }
}

fn is_loopback(url: &str) -> bool {
    let authority = super::core_config::authority_and_path(url).map(|(authority, _)| authority).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

fn keys(at: &str, keys: &Keys) -> Checked {
    match (&keys.jwks, &keys.cluster) {
        (None, None) => {
            return Err(ConfigFault::new(at, "state jwks, or the cluster that keys are fetched from, or both"));
        }
        (_, Some(cluster)) if cluster.is_empty() => return Err(ConfigFault::new(format!("{at}.cluster"), "is empty")),
        (_, None) if keys.url.is_some() => {
            return Err(ConfigFault::new(format!("{at}.url"), "goes with cluster: without one nothing is fetched"));
        }
        _ => (),
    }
    if let Some(url) = &keys.url
        && super::core_config::authority_and_path(url).is_none()
    {
        return Err(ConfigFault::new(format!("{at}.url"), "is not https://HOST/PATH or http://HOST/PATH"));
    }
    match keys.timeout_ms {
        1..=60_000 => Ok(()),
        _ => Err(ConfigFault::new(format!("{at}.timeout_ms"), "is not from 1 to 60,000")),
    }
}

fn route(at: &str, route: &Route, config: &Config) -> Checked {
    route.pattern(at)?;
    not_empty(&format!("{at}.methods"), route.methods.as_deref())?;
    for (number, method) in route.methods.iter().flatten().enumerate() {
        if !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            return Err(ConfigFault::new(format!("{at}.methods[{number}]"), "methods are written in capitals: GET"));
        }
    }
    let needs = [route.public, route.authenticated, route.any_of.is_some(), route.all_of.is_some()];
    if needs.into_iter().filter(|stated| *stated).count() != 1 {
        return Err(ConfigFault::new(at, "state one of public, authenticated, any_of and all_of"));
    }
    if route.public && (route.optional || route.report_only) {
        return Err(ConfigFault::new(at, "a public route looks at no token: optional and report_only say nothing"));
    }
    for (name, list) in [("any_of", &route.any_of), ("all_of", &route.all_of)] {
        not_empty(&format!("{at}.{name}"), list.as_deref())?;
        for (number, policy) in list.iter().flatten().enumerate() {
            let names = config.policies.iter().map(|policy| policy.name.as_str());
            known(&format!("{at}.{name}[{number}]"), policy, "policy", names)?;
        }
    }
    Ok(())
}

fn token_location(at: String, location: &TokenLocation) -> Checked {
    let stated = [&location.header, &location.cookie, &location.query];
    let mut stated = stated.into_iter().flatten();
    let (Some(name), None) = (stated.next(), stated.next()) else {
        return Err(ConfigFault::new(at, "state one of header, cookie and query"));
    };
    if location.prefix.is_some() && location.header.is_none() {
        return Err(ConfigFault::new(format!("{at}.prefix"), "goes with header only"));
    }
    match (&location.header, is_token(name)) {
        (Some(header), true) if *header != header.to_ascii_lowercase() => {
            Err(ConfigFault::new(format!("{at}.header"), "header names are written in lower case"))
        }
        (_, true) => Ok(()),
        (_, false) => Err(ConfigFault::new(at, "the name is empty, or has a character that none may have")),
    }
}

/// What the proxy itself goes by.
const RESERVED: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
];

fn claim_to_header(at: String, claim: &ClaimToHeader) -> Checked {
    let header = claim.header.as_str();
    if !is_token(header) || header != header.to_ascii_lowercase() {
        return Err(ConfigFault::new(format!("{at}.header"), "is not the name of a header in lower case"));
    }
    match RESERVED.contains(&header) {
        true => Err(ConfigFault::new(format!("{at}.header"), "is one that the proxy itself goes by: take another")),
        false => Ok(()),
    }
}

fn unique_headers(config: &Config) -> Checked {
    unique("claims_to_headers", config.claims_to_headers.iter().map(|claim| claim.header.as_str()))?;
    for (number, claim) in config.claims_to_headers.iter().enumerate() {
        if config.tokens.from.iter().any(|location| location.header.as_ref() == Some(&claim.header)) {
            return Err(ConfigFault::new(
                format!("claims_to_headers[{number}].header"),
                "is where the token is looked for",
            ));
        }
    }
    Ok(())
}

/// A token of RFC 9110 section 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn each<T>(list: &str, items: &[T], check: impl Fn(String, &T) -> Checked) -> Checked {
    items.iter().enumerate().try_for_each(|(number, item)| check(format!("{list}[{number}]"), item))
}

fn named(at: &str, name: &str) -> Checked {
    match is_token(name) {
        true => Ok(()),
        false => Err(ConfigFault::new(
            format!("{at}.name"),
            "is empty, or has something other than letters, digits, - and _",
        )),
    }
}

fn unique<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Checked {
    let mut seen = Vec::new();
    for (number, name) in names.enumerate() {
        if seen.contains(&name) {
            return Err(ConfigFault::new(format!("{list}[{number}]"), format!("\"{name}\" is there twice")));
        }
        seen.push(name);
    }
    Ok(())
}

fn known<'a>(at: &str, name: &str, kind: &str, names: impl Iterator<Item = &'a str>) -> Checked {
    let names: Vec<&str> = names.collect();
    if names.contains(&name) {
        return Ok(());
    }
    let nearest = names.iter().map(|known| (strsim::osa_distance(name, known), known)).min();
    let message = match nearest {
        Some((distance, known)) if distance <= 2 => format!("there is no {kind} \"{name}\": did you mean \"{known}\"?"),
        _ => format!("there is no {kind} \"{name}\""),
    };
    Err(ConfigFault::new(at, message))
}

fn not_empty(at: &str, list: Option<&[String]>) -> Checked {
    match list {
        Some([]) => Err(ConfigFault::new(at, "an empty list says nothing: leave it out, or fill it")),
        Some(names) if names.iter().any(String::is_empty) => Err(ConfigFault::new(at, "has an empty name")),
        _ => Ok(()),
    }
}
