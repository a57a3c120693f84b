//! The pools, and the rules for their tokens.

use super::{
    key_policy::KeyPolicy,
    limits::{CacheLimits, Limits},
};
use crate::jwa::Algorithm;
use alloc::{string::String, vec::Vec};

/// The complete configuration of a [`Verifier`](crate::Verifier).
#[derive(Clone, Debug)]
pub struct Config {
    /// One entry for each pool. At least one is required, and no two may have the same issuer.
    pub pools: Vec<Pool>,
    /// Limits on the work that one input can cause.
    pub limits: Limits,
    /// How long keys are used, and how often they are fetched.
    pub key_policy: KeyPolicy,
    /// Limits of the cache of verified tokens.
    pub cache: CacheLimits,
}

/// The rules for the tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The accepted issuer (`iss`).
    pub issuer: IssuerRule,
    /// Where the keys come from.
    pub keys: KeyOrigin,
    /// The accepted algorithms. An empty list accepts RS256 only, the algorithm that Cognito uses.
    pub algorithms: Vec<Algorithm>,
    /// The accepted kinds of token (`token_use`).
    pub token_use: TokenUseRule,
    /// The accepted app clients.
    pub client: ClientRule,
    /// The required groups (`cognito:groups`).
    pub groups: Membership,
    /// The required scopes (`scope`). ID tokens have no scopes.
    pub scopes: Membership,
    /// The rule for `aud` of access tokens, and of all tokens if `token_use` is not checked.
    pub resource: ResourceRule,
    /// The rule for `sub`.
    pub subject: SubjectRule,
    /// The rule for tokens that are bound to a key (`cnf`).
    pub confirmation: ConfirmationRule,
    /// The maximum age of a token, in seconds since `iat`. If it is set, a token without `iat` is rejected.
    pub max_age: Option<u32>,
    /// The tolerance for `exp` and the maximum age, in seconds; at most [`LEEWAY_LIMIT`](crate::config::LEEWAY_LIMIT). 0 is strict.
    pub leeway: u32,
    /// The tolerance for `iat` and `nbf` in the future, in seconds; at most [`LEEWAY_LIMIT`](crate::config::LEEWAY_LIMIT). If `leeway` is
    /// larger, `leeway` applies here too.
    pub issued_at_skew: u32,
}

/// The accepted issuer (`iss`, RFC 7519 section 4.1.1).
#[derive(Clone, Debug)]
pub enum IssuerRule {
    /// An Amazon Cognito user pool, with both of its issuer URLs (see [`issuer`](crate::issuer)).
    UserPool {
        /// The user pool ID.
        id: String,
        /// The region in the issuer URL, if it is not the region of the ID.
        region: Option<String>,
    },
    /// Exactly this string.
    Exactly(String),
    /// `iss` is not checked. The verifier must have no other pool.
    Unchecked,
}

/// Where the keys of a pool come from.
#[derive(Clone, Debug)]
pub enum KeyOrigin {
    /// `<issuer>/.well-known/jwks.json`.
    Derived,
    /// This URL.
    Url(String),
    /// Only [`Verifier::load_key_set`](crate::Verifier::load_key_set). Nothing is fetched.
    Local,
}

/// The accepted kinds of Cognito token (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUseRule {
    /// Access tokens only.
    Access,
    /// ID tokens only.
    Id,
    /// Access tokens and ID tokens. `token_use` is still required.
    AccessOrId,
    /// `token_use` is not checked and may be absent. The app client IDs are then compared with `aud`.
    Unchecked,
}

/// The accepted app clients: `client_id` of an access token, `aud` of an ID token.
#[derive(Clone, Debug)]
pub enum ClientRule {
    /// One of these app client IDs. The list must not be empty.
    OneOf(Vec<String>),
    /// Any client.
    Unchecked,
}

/// The required groups or scopes of a token. Both lists apply; neither may be empty or contain an empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// At least one of these is required.
    pub any_of: Option<Vec<String>>,
    /// All of these are required.
    pub all_of: Option<Vec<String>>,
}

impl Membership {
    /// Requires nothing.
    pub const UNCHECKED: Self = Self { any_of: None, all_of: None };

    /// Requires at least one of `names`.
    pub fn any_of(names: Vec<String>) -> Self {
        Self { any_of: Some(names), all_of: None }
    }

    /// Requires all of `names`.
    pub fn all_of(names: Vec<String>) -> Self {
        Self { any_of: None, all_of: Some(names) }
    }

    /// Returns whether a token with the groups or scopes `names` satisfies this rule. An empty list is never satisfied.
    pub fn fits(&self, names: &[String]) -> bool {
        let any = self.any_of.as_ref().is_none_or(|required| required.iter().any(|name| names.contains(name)));
        any && self
            .all_of
            .as_ref()
            .is_none_or(|required| !required.is_empty() && required.iter().all(|name| names.contains(name)))
    }
}

/// The rule for `aud` of an access token (RFC 8707; RFC 7519 section 4.1.3).
#[derive(Clone, Debug)]
pub enum ResourceRule {
    /// `aud` may be absent. If it is present, it must contain an accepted app client.
    Unbound,
    /// `aud` is required and must contain one of these resource servers. The list must not be empty. This also applies to tokens whose
    /// `token_use` is not checked. It can't be combined with [`TokenUseRule::Id`]: the `aud` of an ID token is an app client.
    OneOf(Vec<String>),
    /// `aud` of an access token is not checked.
    Unchecked,
}

/// Whether a token must have a subject (`sub`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectRule {
    /// `sub` is required and must have a character other than white space.
    Required,
    /// `sub` may be absent. Such a token can't be revoked by signing its user out.
    Unchecked,
}

/// What happens to a token that is bound to a key of its holder (`cnf`, RFC 7800) by mutual TLS (RFC 8705) or DPoP (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmationRule {
    /// The token is rejected, because poolgate does not check a proof of possession.
    Refuse,
    /// The token is accepted like any other. Use this only if something else checks the proof.
    Ignore,
}
