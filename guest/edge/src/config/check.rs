//! Checks of a parsed configuration.

use super::{
    check_resource,
    check_tokens::{self, is_token},
    claim_rule::ClaimRule,
    claims::{ClaimToHeader, REASON_IN_FILTER_STATE},
    discovery,
    document::Config,
    error::ConfigError,
    keys::Keys,
    login,
    policy::Policy,
    pool::{Pool, TokenUse},
    route::Route,
    url::authority_and_path,
};

type Checked = Result<(), ConfigError>;

pub(super) fn all(config: &Config) -> Checked {
    if config.pools.is_empty() && config.routes.iter().any(|route| !route.public) {
        return Err(ConfigError::new("pools", "is empty: add a pool, or no token can be accepted"));
    }
    each("pools", &config.pools, pool)?;
    unique("pools", &mut config.pools.iter().map(|pool| pool.name.as_str()))?;
    discovery::has_own_urls(&config.pools)?;
    each("policies", &config.policies, |at, item| policy(&at, item, config))?;
    unique("policies", &mut config.policies.iter().map(|policy| policy.name.as_str()))?;
    if config.routes.is_empty() {
        return Err(ConfigError::new("routes", "is empty: add a route, or every request is denied"));
    }
    each("routes", &config.routes, |at, item| route(&at, item, config))?;
    if config.tokens.from.is_empty() {
        return Err(ConfigError::new("tokens.from", "is an empty list: remove it to use Authorization: Bearer"));
    }
    each("tokens.from", &config.tokens.from, |at, item| check_tokens::location(at, item, &config.tokens.from))?;
    each("claims_to_headers", &config.claims_to_headers, claim_to_header)?;
    unique_headers(config)?;
    each("claims_to_filter_state", &config.claims_to_filter_state, |at, claim| match claim.name.as_str() {
        "" => Err(ConfigError::new(at, "name is empty")),
        REASON_IN_FILTER_STATE => Err(ConfigError::new(at, "name is taken: it has the reason of a rejection")),
        _ => Ok(()),
    })?;
    unique("claims_to_filter_state", &mut config.claims_to_filter_state.iter().map(|claim| claim.name.as_str()))?;
    if let Some(realm) = &config.answers.realm
        && !realm.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\')
    {
        return Err(ConfigError::new("answers.realm", "must be printable ASCII without quotes and backslashes"));
    }
    if let Some(login) = &config.answers.login {
        login::check(login)?;
    }
    check_resource::all(config)?;
    match config.limits.wait_ms {
        1..=60_000 => Ok(()),
        _ => Err(ConfigError::new("limits.wait_ms", "must be from 1 to 60,000")),
    }
}

fn pool(at: String, pool: &Pool) -> Checked {
    named(&at, &pool.name)?;
    let issuers = [
        pool.user_pool_id.is_some(),
        pool.issuer.is_some(),
        pool.issuers.is_some(),
        pool.issuer_template.is_some(),
        pool.identity_pool_id.is_some(),
        pool.any_issuer,
    ];
    if issuers.into_iter().filter(|is_set| *is_set).count() != 1 {
        return Err(ConfigError::new(
            at,
            "set one of user_pool_id, issuer, issuers, issuer_template, identity_pool_id and any_issuer",
        ));
    }
    not_empty(&format!("{at}.issuers"), pool.issuers.as_deref())?;
    if pool.issuer_template.is_some() != (pool.tenants.is_some() || pool.any_tenant)
        || pool.tenants.is_some() && pool.any_tenant
    {
        return Err(ConfigError::new(at, "set issuer_template together with tenants or any_tenant"));
    }
    not_empty(&format!("{at}.tenants"), pool.tenants.as_deref())?;
    if pool.identity_pool_id.is_some() != pool.guests.is_some() {
        return Err(ConfigError::new(
            format!("{at}.guests"),
            "set it together with identity_pool_id: refuse or accept",
        ));
    }
    load_balancers(&at, pool)?;
    if pool.region.is_some() && pool.user_pool_id.is_none() {
        return Err(ConfigError::new(format!("{at}.region"), "requires user_pool_id"));
    }
    let has_many_issuers = pool.any_issuer || pool.issuers.is_some() || pool.issuer_template.is_some();
    if has_many_issuers && pool.keys.are_fetched() && !pool.keys.discover && pool.keys.url.is_none() {
        return Err(ConfigError::new(
            format!("{at}.keys.url"),
            "is required with any_issuer, issuers and issuer_template",
        ));
    }
    if let Some(id) = &pool.user_pool_id
        && poolgate_core::issuer::of_user_pool(id, pool.region.as_deref()).is_err()
    {
        return Err(ConfigError::new(
            format!("{at}.user_pool_id"),
            "is invalid, or its region is unknown: expected, for example, eu-west-1_AbCdEfGhI",
        ));
    }
    match (&pool.client_ids, pool.any_client) {
        (None, false) if pool.identity_pool_id.is_some() => {}
        (_, _) if pool.identity_pool_id.is_some() => {
            return Err(ConfigError::new(
                at,
                "the client of an identity pool is its ID: remove client_ids and any_client",
            ));
        }
        (None, false) => {
            return Err(ConfigError::new(
                format!("{at}.client_ids"),
                "list the accepted app clients, or set any_client: true to accept all",
            ));
        }
        (Some(_), true) => return Err(ConfigError::new(at, "set client_ids or any_client, not both")),
        _ => not_empty(&format!("{at}.client_ids"), pool.client_ids.as_deref())?,
    }
    if pool.resources.is_some() && pool.any_resource {
        return Err(ConfigError::new(at, "set resources or any_resource, not both"));
    }
    if pool.resources.is_some() && pool.token_use == TokenUse::Id {
        return Err(ConfigError::new(
            format!("{at}.resources"),
            "not allowed with ID tokens: their aud is an app client",
        ));
    }
    not_empty(&format!("{at}.resources"), pool.resources.as_deref())?;
    claim_rules(&format!("{at}.claims"), &pool.claims)?;
    for (number, name) in pool.algorithms.iter().enumerate() {
        let at = format!("{at}.algorithms[{number}]");
        match poolgate_core::Algorithm::from_name(name) {
            Some(algorithm) if algorithm.is_built() => (),
            Some(_) => {
                return Err(ConfigError::new(at, "is not in this build: use the build with every algorithm"));
            }
            None => {
                return Err(ConfigError::new(at, "is not a supported algorithm, such as RS256, PS256, ES256 or EdDSA"));
            }
        }
    }
    discovery::check(&format!("{at}.keys"), pool)?;
    keys(&format!("{at}.keys"), &pool.keys)
}

fn load_balancers(at: &str, pool: &Pool) -> Checked {
    let at = format!("{at}.alb_arns");
    match &pool.alb_arns {
        None => Ok(()),
        Some(_) if cfg!(not(feature = "every-algorithm")) => {
            Err(ConfigError::new(at, "is not in this build: use the build with every algorithm"))
        }
        Some(_) if pool.issuer.is_none() => Err(ConfigError::new(at, "requires issuer: the iss of the tokens")),
        Some(_) if pool.token_use != TokenUse::Unchecked => {
            Err(ConfigError::new(at, "requires token_use: unchecked, because the tokens of load balancers have none"))
        }
        Some(_) if pool.keys.jwks.is_some() && pool.keys.are_fetched() => Err(ConfigError::new(
            at,
            "set keys.jwks, or keys.cluster and keys.url, not both: each key of a load balancer is fetched by itself",
        )),
        Some(arns) => not_empty(&at, Some(arns)),
    }
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
        let names = [&membership.any_of, &membership.all_of].into_iter().flatten().flatten();
        if name == "scopes" && names.into_iter().any(|scope| scope.contains(' ')) {
            return Err(ConfigError::new(at, "contains a scope with a space: list each scope on its own"));
        }
        if membership.any_of.is_none() && membership.all_of.is_none() {
            return Err(ConfigError::new(at, "set any_of, all_of or both"));
        }
    }
    if let Some(rules) = &policy.claims {
        let at = format!("{at}.claims");
        if rules.is_empty() {
            return Err(ConfigError::new(at, "is an empty list: add a rule, or remove the list"));
        }
        claim_rules(&at, rules)?;
    }
    let requires_a_use = policy.token_use.is_some_and(|token_use| token_use != TokenUse::Unchecked);
    let lists = [
        policy.pools.is_some(),
        policy.client_ids.is_some(),
        policy.groups.is_some(),
        policy.scopes.is_some(),
        policy.claims.is_some(),
    ];
    match requires_a_use || lists.contains(&true) {
        true => Ok(()),
        false => Err(ConfigError::new(
            at,
            "requires nothing: to accept any valid token, set authenticated: true in the route",
        )),
    }
}

fn claim_rules(at: &str, rules: &[ClaimRule]) -> Checked {
    for (number, rule) in rules.iter().enumerate() {
        let at = format!("{at}[{number}]");
        let rule = rule.to_core().map_err(|problem| ConfigError::new(at.clone(), problem))?;
        rule.check().map_err(|problem| ConfigError::new(at, problem))?;
    }
    Ok(())
}

fn keys(at: &str, keys: &Keys) -> Checked {
    if keys.cluster.as_ref().is_some_and(String::is_empty) {
        return Err(ConfigError::new(format!("{at}.cluster"), "is empty"));
    }
    if let Some(url) = &keys.url
        && authority_and_path(url).is_none()
    {
        return Err(ConfigError::new(format!("{at}.url"), "must be https://HOST/PATH or http://HOST/PATH"));
    }
    match keys.timeout_ms {
        1..=60_000 => Ok(()),
        _ => Err(ConfigError::new(format!("{at}.timeout_ms"), "must be from 1 to 60,000")),
    }
}

fn route(at: &str, route: &Route, config: &Config) -> Checked {
    route.pattern(at)?;
    not_empty(&format!("{at}.hosts"), route.hosts.as_deref())?;
    route.host_patterns(at)?;
    not_empty(&format!("{at}.methods"), route.methods.as_deref())?;
    for (number, method) in route.methods.iter().flatten().enumerate() {
        if !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            return Err(ConfigError::new(format!("{at}.methods[{number}]"), "must be in capitals, for example GET"));
        }
    }
    let requirements = [route.public, route.authenticated, route.any_of.is_some(), route.all_of.is_some()];
    if requirements.into_iter().filter(|is_set| *is_set).count() != 1 {
        return Err(ConfigError::new(at, "set one of public, authenticated, any_of and all_of"));
    }
    if route.public && (route.optional || route.report_only) {
        return Err(ConfigError::new(at, "optional and report_only are not allowed in a public route"));
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

/// Headers that the proxy itself uses for routing and framing.
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
        return Err(ConfigError::new(format!("{at}.header"), "must be the name of a header in lower case"));
    }
    match RESERVED.contains(&header) {
        true => Err(ConfigError::new(format!("{at}.header"), "is used by the proxy itself: choose another")),
        false => Ok(()),
    }
}

fn unique_headers(config: &Config) -> Checked {
    unique("claims_to_headers", &mut config.claims_to_headers.iter().map(|claim| claim.header.as_str()))?;
    for (number, claim) in config.claims_to_headers.iter().enumerate() {
        if config.tokens.from.iter().any(|location| location.header.as_ref() == Some(&claim.header)) {
            return Err(ConfigError::new(
                format!("claims_to_headers[{number}].header"),
                "is also the header of the token",
            ));
        }
    }
    Ok(())
}

fn each<T>(list: &str, items: &[T], check: impl Fn(String, &T) -> Checked) -> Checked {
    items.iter().enumerate().try_for_each(|(number, item)| check(format!("{list}[{number}]"), item))
}

fn named(at: &str, name: &str) -> Checked {
    match is_token(name) {
        true => Ok(()),
        false => Err(ConfigError::new(
            format!("{at}.name"),
            "is empty, or has an invalid character: use letters, digits, - and _",
        )),
    }
}

// `dyn`: the filter has a size limit, and this code would be generated once for each list.
fn unique(list: &str, names: &mut dyn Iterator<Item = &str>) -> Checked {
    let mut seen = Vec::new();
    for (number, name) in names.enumerate() {
        if seen.contains(&name) {
            return Err(ConfigError::new(format!("{list}[{number}]"), format!("\"{name}\" occurs twice")));
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
    Err(ConfigError::new(at, message))
}

fn not_empty(at: &str, list: Option<&[String]>) -> Checked {
    match list {
        Some([]) => Err(ConfigError::new(at, "is an empty list: add an entry, or remove the list")),
        Some(names) if names.iter().any(String::is_empty) => Err(ConfigError::new(at, "contains an empty name")),
        _ => Ok(()),
    }
}
