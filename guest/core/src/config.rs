//! What the operator states. Every check is a field, and skipping one is a value that says so: there is no default policy.

use crate::{Algorithm, cache::CacheLimits, keys::KeyPolicy};
use alloc::{string::String, vec::Vec};

/// The whole configuration of a [`Verifier`](crate::Verifier).
#[derive(Clone, Debug)]
pub struct Config {
    /// One entry a pool; at least one, and no two with the same issuer.
    pub pools: Vec<Pool>,
    /// Bounds on the work that one input can cause.
    pub limits: Limits,
    /// The life of keys.
    pub key_policy: KeyPolicy,
    /// Verified tokens that are remembered.
    pub cache: CacheLimits,
}

/// What a token of one issuer must look like.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Whose tokens.
    pub issuer: IssuerRule,
    /// Where their keys are.
    pub keys: KeyOrigin,
    /// The accepted algorithms. Empty means RS256 alone, the one that Cognito signs with.
    pub algorithms: Vec<Algorithm>,
    /// Access or ID tokens.
    pub token_use: TokenUseRule,
    /// The app clients.
    pub client: ClientRule,
    /// `cognito:groups`.
    pub groups: Membership,
    /// `scope`. Only access tokens have any.
    pub scopes: Membership,
    /// `aud` of access tokens, and of tokens whose use is not looked at.
    pub resource: ResourceRule,
    /// `sub`.
    pub subject: SubjectRule,
    /// `cnf`.
    pub confirmation: ConfirmationRule,
    /// Seconds since `iat` after which a token is refused although it has not expired. `iat` must then be there.
    pub max_age: Option<u32>,
    /// Seconds by which `exp` and the maximum age are stretched, at most [`LEEWAY_LIMIT`]. 0 is strict.
    pub leeway: u32,
    /// Seconds by which `iat` and `nbf` may lie in the future, at most [`LEEWAY_LIMIT`]. Where `leeway` is more, that counts.
    pub issued_at_skew: u32,
}

/// The most seconds of leeway and skew.
pub const LEEWAY_LIMIT: u32 = 900;

/// Which issuer (`iss`, RFC 7519 section 4.1.1) the tokens carry.
#[derive(Clone, Debug)]
pub enum IssuerRule {
    /// An Amazon Cognito user pool, in both of its issuer forms (see [`issuer`](crate::issuer)).
    UserPool {
        /// The user pool ID.
        id: String,
        /// The region whose issuer the tokens carry, where it is not the one in the ID.
        region: Option<String>,
    },
    /// Exactly this string.
    Exactly(String),
    /// `iss` is not looked at. The verifier must have no other pool.
    Unchecked,
}

/// Where a pool's keys come from.
#[derive(Clone, Debug)]
pub enum KeyOrigin {
    /// `<issuer>/.well-known/jwks.json`.
    Derived,
    /// This URL.
    Url(String),
    /// Only seeding brings keys; nothing is ever fetched.
    Local,
}

/// Which kind of Cognito token is accepted (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUseRule {
    /// Access tokens only.
    Access,
    /// ID tokens only.
    Id,
    /// Either; `token_use` must say which.
    AccessOrId,
    /// `token_use` is not looked at and may be absent; the client IDs are then compared with `aud`.
    Unchecked,
}

/// Which app clients are accepted.
#[derive(Clone, Debug)]
pub enum ClientRule {
    /// One of these app client IDs; not empty.
    OneOf(Vec<String>),
    /// Any client.
    Unchecked,
}

/// What must be among a token's groups or scopes. Both lists count; neither may be empty or hold an empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// At least one of these.
    pub any_of: Option<Vec<String>>,
    /// Every one of these.
    pub all_of: Option<Vec<String>>,
}

impl Membership {
    /// Nothing is asked for.
    pub const UNCHECKED: Self = Self { any_of: None, all_of: None };

    /// At least one of these.
    pub fn any_of(names: Vec<String>) -> Self {
        Self { any_of: Some(names), all_of: None }
    }

    /// Every one of these.
    pub fn all_of(names: Vec<String>) -> Self {
        Self { any_of: None, all_of: Some(names) }
    }

    /// Whether these fit. A list without a name fits nobody.
    pub fn fits(&self, held: &[String]) -> bool {
        let any = self.any_of.as_ref().is_none_or(|names| names.iter().any(|name| held.contains(name)));
        any && self
            .all_of
            .as_ref()
            .is_none_or(|names| !names.is_empty() && names.iter().all(|name| held.contains(name)))
    }
}

/// The audience of a resource-bound access token (RFC 8707; RFC 7519 section 4.1.3).
#[derive(Clone, Debug)]
pub enum ResourceRule {
    /// An access token needs no `aud`; if it has one, it must name an accepted app client.
    Unbound,
    /// An access token, or one whose use is not looked at, must have an `aud` that names one of these resource servers; not empty. Not
    /// with [`TokenUseRule::Id`]: the `aud` of an ID token is an app client.
    OneOf(Vec<String>),
    /// `aud` of an access token is not looked at.
    Unchecked,
}

/// Whether a token must say whose it is (`sub`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectRule {
    /// It must, and not with an empty string.
    Required,
    /// It need not. No sign-out of a user revokes such a token.
    Unchecked,
}

/// What becomes of a token that is bound to a key of its holder (`cnf`, RFC 7800), by mutual TLS (RFC 8705) or DPoP (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmationRule {
    /// It is refused, for nobody here asks for a proof of that key.
    Refuse,
    /// It passes like any other: something else asks for the proof.
    Ignore,
}

/// Bounds on the work that one input can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest token, in bytes; at most 1 MiB.
    pub token_bytes: u32,
    /// The deepest nesting of JSON arrays and objects, from 4 to 100 (a JWK Set with `key_ops` or `x5c` has 4).
    pub json_depth: u32,
    /// The longest JWK Set, in bytes; at most 16 MiB.
    pub jwks_bytes: u32,
    /// The most keys in one JWK Set; at most 10,000.
    pub jwks_keys: u32,
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let fits = (1..=1 << 20).contains(&self.token_bytes)
            && (4..=100).contains(&self.json_depth)
            && (1..=1 << 24).contains(&self.jwks_bytes)
            && (1..=10_000).contains(&self.jwks_keys);
        if fits { Ok(()) } else { Err(ConfigError::OutOfRange) }
    }
}

impl Default for Limits {
    /// 16 KiB a token, 16 levels, 256 KiB and 100 keys a JWK Set.
    fn default() -> Self {
        Self { token_bytes: 16 * 1024, json_depth: 16, jwks_bytes: 256 * 1024, jwks_keys: 100 }
    }
}

/// Why a configuration was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no pool.
    NoPool,
    /// A user pool ID is not `<region>_<letters and digits>`, or is longer than 55 characters.
    InvalidUserPoolId,
    /// A region is not one of a known AWS partition.
    UnknownRegion,
    /// An issuer is empty.
    InvalidIssuer,
    /// Two pools have the same issuer.
    DuplicateIssuer,
    /// A pool without an issuer check stands beside other pools.
    UncheckedIssuerNotAlone,
    /// Keys can't be derived: the issuer is not checked, or is not a URL.
    KeysNotDerivable,
    /// The list of app clients is empty or holds an empty string.
    NoClient,
    /// A list of groups, scopes or resource servers is empty or holds an empty string.
    EmptyList,
    /// Resource servers are stated where only ID tokens are accepted, which name none.
    ResourceOfIdTokens,
    /// This build has no such algorithm.
    AlgorithmNotBuilt,
    /// A leeway, a limit or a number of the key policy is out of its range.
    OutOfRange,
    /// A changed policy is for other issuers than the one before.
    OtherIssuers,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            ConfigError::NoPool => "there is no pool",
            ConfigError::InvalidUserPoolId => "a user pool ID is not <region>_<letters and digits>",
            ConfigError::UnknownRegion => "a region is not one of a known AWS partition",
            ConfigError::InvalidIssuer => "an issuer is empty",
            ConfigError::DuplicateIssuer => "two pools have the same issuer",
            ConfigError::UncheckedIssuerNotAlone => "a pool without an issuer check must be the only one",
            ConfigError::KeysNotDerivable => "the URL of the keys can't be derived from the issuer",
            ConfigError::NoClient => "the list of app clients is empty or holds an empty string",
            ConfigError::EmptyList => "a list of groups, scopes or resource servers is empty or holds an empty string",
            ConfigError::ResourceOfIdTokens => "resource servers are stated, but the accepted ID tokens name none",
            ConfigError::AlgorithmNotBuilt => "this build has no such algorithm",
            ConfigError::OtherIssuers => "a changed policy is for other issuers",
            ConfigError::OutOfRange => "a leeway, a limit or a number of the key policy is out of its range",
        })
    }
}

impl core::error::Error for ConfigError {}
