//! The shapes of `shapes.txt`: cases of the corpus, with the policy in the words that the libraries have.

use poolgate_core::{Algorithm, ClientClaim, ClientRule, IssuerRule, ResourceRule, TokenUseRule, issuer};
use poolgate_tests::corpus::{Case, cases};
use serde_json::{Value, json};

const LIST: &str = include_str!("shapes.txt");

/// What the verdict should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Accept,
    Reject,
    /// Sources allow both. The shape is not counted.
    Either,
}

/// A part of a policy for which some libraries have no option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Scopes,
    Types,
    Claims,
    ClientClaim,
    UnboundClients,
    IssuerTemplate,
    LoadBalancers,
}

/// A token, with everything that its verdict depends on.
pub struct Shape {
    pub case: &'static Case,
    pub right: Right,
    pub about: Option<About>,
    pub why: &'static str,
    pub token: &'static str,
    pub jwks: &'static str,
    pub now: u64,
    pub issuers: Vec<String>,
    /// What `aud` must contain, if it is checked.
    pub audiences: Option<Vec<String>>,
    pub algorithms: Vec<&'static str>,
}

/// Reads the list.
///
/// # Panics
/// Panics if a line does not have the form that the list describes, or names no case.
pub fn shapes() -> Vec<Shape> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(shape).collect()
}

fn shape(line: &'static str) -> Shape {
    let [_, name, right, about, why] = line.split(" | ").collect::<Vec<_>>()[..] else { panic!("not five: {line}") };
    let case = cases().iter().find(|case| case.name == name).unwrap_or_else(|| panic!("there is no case {name}"));
    let [pool] = &case.config.pools[..] else { panic!("{name}: several pools") };
    let [seed] = &case.seeds[..] else { panic!("{name}: several key sets") };
    Shape {
        case,
        right: match right {
            "accept" => Right::Accept,
            "reject" => Right::Reject,
            "either" => Right::Either,
            _ => panic!("{name}: {right}"),
        },
        about: match about {
            "-" => None,
            "scopes" => Some(About::Scopes),
            "types" => Some(About::Types),
            "claims" => Some(About::Claims),
            "client-claim" => Some(About::ClientClaim),
            "unbound-clients" => Some(About::UnboundClients),
            "issuer-template" => Some(About::IssuerTemplate),
            "load-balancers" => Some(About::LoadBalancers),
            _ => panic!("{name}: {about}"),
        },
        why,
        token: &case.token,
        jwks: &seed.jwks,
        now: case.now,
        issuers: issuers(&pool.issuer),
        audiences: audiences(pool),
        algorithms: match &pool.algorithms[..] {
            // The default of poolgate.
            [] => vec![Algorithm::Rs256.name()],
            algorithms => algorithms.iter().flat_map(|algorithm| names(*algorithm)).collect(),
        },
    }
}

impl Shape {
    /// Returns the shape for a program in another language.
    pub fn to_json(&self) -> Value {
        let pool = &self.case.config.pools[0];
        let user_pool_id = match &pool.issuer {
            IssuerRule::UserPool { id, .. } => Some(id),
            _ => None,
        };
        let client_ids = match &pool.client {
            ClientRule::OneOf(ids) => Some(ids),
            ClientRule::Unchecked => None,
        };
        let alb_arns = match &pool.issuer {
            IssuerRule::LoadBalancers(load_balancers) => Some(&load_balancers.arns),
            _ => None,
        };
        let token_use = match pool.token_use {
            TokenUseRule::Access => Some("access"),
            TokenUseRule::Id => Some("id"),
            TokenUseRule::AccessOrId | TokenUseRule::Unchecked => None,
        };
        json!({
            "token": self.token, "jwks": self.jwks, "now": self.now,
            "issuers": self.issuers, "audiences": self.audiences, "algorithms": self.algorithms, "types": pool.types,
            "scopes": pool.scopes.all_of.as_ref().or(pool.scopes.any_of.as_ref()),
            "userPoolId": user_pool_id, "albArns": alb_arns, "clientIds": client_ids, "tokenUse": token_use,
        })
    }
}

/// Returns the names of an algorithm (RFC 9864 section 2.2). A library that has both must be told both.
fn names(algorithm: Algorithm) -> Vec<&'static str> {
    match algorithm {
        Algorithm::EdDsa => vec!["EdDSA", "Ed25519"],
        algorithm => vec![algorithm.name()],
    }
}

/// Returns the accepted issuers. Listed tenants are as many issuers.
fn issuers(rule: &IssuerRule) -> Vec<String> {
    match rule {
        IssuerRule::UserPool { id, region } => issuer::of_user_pool(id, region.as_deref()).expect("a user pool"),
        IssuerRule::Exactly(issuer) => vec![issuer.clone()],
        IssuerRule::OneOf(issuers) => issuers.clone(),
        IssuerRule::Tenants(template) => {
            let tenants = template.tenants.iter().flatten();
            tenants.map(|tenant| template.template.replace("{tid}", tenant)).collect()
        }
        IssuerRule::LoadBalancers(load_balancers) => vec![load_balancers.issuer.clone()],
        IssuerRule::IdentityPool { .. } => vec![issuer::IDENTITY_POOLS.to_owned()],
        IssuerRule::Unchecked => panic!("no shape accepts every issuer"),
    }
}

/// Returns what `aud` must contain: a resource server, or the client if the token names it there.
fn audiences(pool: &poolgate_core::Pool) -> Option<Vec<String>> {
    let is_user_pool = matches!(pool.issuer, IssuerRule::UserPool { .. });
    let is_client_in_aud = match (is_user_pool, pool.token_use) {
        (true, token_use) => token_use == TokenUseRule::Id,
        (false, _) => matches!(pool.client_claim, None | Some(ClientClaim::Aud)),
    };
    match (&pool.resource, &pool.client) {
        (ResourceRule::OneOf(resources), _) => Some(resources.clone()),
        (_, ClientRule::OneOf(ids)) if is_client_in_aud => Some(ids.clone()),
        _ => None,
    }
}
