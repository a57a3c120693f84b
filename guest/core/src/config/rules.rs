//! The pools, and the rules for their tokens.

use super::{
    claim_rule::ClaimRule,
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
    /// Lists of claim rules that a caller asks for beside those of the pools, for example on some routes only. Every verified token is judged by
    /// all lists: see [`Verified::requirements`](crate::Verified::requirements). At most 64 lists, none of them empty.
    pub requirements: Vec<Vec<ClaimRule>>,
}

/// The rules for the tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The accepted issuer (`iss`).
    pub issuer: IssuerRule,
    /// Where the keys come from.
    pub keys: KeyOrigin,
    /// The accepted algorithms. An empty list accepts RS256 only, the algorithm that Cognito uses; RS512 for an identity pool, and ES256 for load
    /// balancers.
    pub algorithms: Vec<Algorithm>,
    /// The accepted types of token (`typ`, RFC 7515 section 4.1.9), compared without case and without `application/`. An empty string accepts a
    /// token without `typ`. An empty list accepts `JWT`, `at+jwt` and no `typ`, and also `JWS` for an identity pool.
    pub types: Vec<String>,
    /// The accepted kinds of token (`token_use`).
    pub token_use: TokenUseRule,
    /// The accepted app clients.
    pub client: ClientRule,
    /// The claim that names the client, if `token_use` is not checked. `None` means `aud`. Required if clients and resource servers are
    /// configured for such tokens.
    pub client_claim: Option<ClientClaim>,
    /// The required groups (`cognito:groups`).
    pub groups: Membership,
    /// The required scopes (`scope`). ID tokens have no scopes.
    pub scopes: Membership,
    /// The claim with the scopes, for other issuers than user pools. `None` means `scope`, or `scp` if there is no `scope`.
    pub scope_claim: Option<String>,
    /// The rule for `aud` of access tokens, and of all tokens if `token_use` is not checked.
    pub resource: ResourceRule,
    /// With [`ResourceRule::OneOf`], the clients whose tokens may lack `aud`. Cognito does not bind tokens of the client credentials grant to a
    /// resource server.
    pub unbound_clients: Vec<String>,
    /// Rules for any claims. All must fit.
    pub claims: Vec<ClaimRule>,
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

#[cfg(test)]
impl Pool {
    /// Rules for the tokens of another issuer than a user pool, with local keys and the client `web`.
    pub(crate) fn for_tests(issuer: IssuerRule) -> Self {
        Self {
            issuer,
            keys: KeyOrigin::Local,
            algorithms: Vec::new(),
            types: Vec::new(),
            token_use: TokenUseRule::Unchecked,
            client: ClientRule::OneOf([String::from("web")].into()),
            client_claim: None,
            groups: Membership::UNCHECKED,
            scopes: Membership::UNCHECKED,
            scope_claim: None,
            resource: ResourceRule::Unbound,
            unbound_clients: Vec::new(),
            claims: Vec::new(),
            subject: SubjectRule::Required,
            confirmation: ConfirmationRule::Refuse,
            max_age: None,
            leeway: 0,
            issued_at_skew: 60,
        }
    }
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
    /// An Amazon Cognito identity pool, whose issuer is `https://cognito-identity.amazonaws.com` for all AWS accounts. Its tokens name the
    /// pool in `aud`, so the pool's ID must be the only client.
    IdentityPool {
        /// Whether tokens of guests are accepted: identities that have not signed in.
        guests: GuestRule,
    },
    /// Exactly this string.
    Exactly(String),
    /// One of these strings, exactly. The first names the issuer in metrics and for revocation. The JWKS URL can't be
    /// derived.
    OneOf(Vec<String>),
    /// The issuers of the tenants of Microsoft Entra ID.
    Tenants(IssuerTemplate),
    /// An issuer whose users sign in at Application Load Balancers, which sign tokens of their own: the header `x-amzn-oidc-data`.
    LoadBalancers(LoadBalancers),
    /// `iss` is not checked. The verifier must have no other pool.
    Unchecked,
}

/// The issuers of many tenants that sign with the same keys, as Microsoft Entra ID has them.
///
/// A token is accepted if its claim `tid` is the UUID of an accepted tenant in lower case, if `iss` is the template with that UUID, and if the
/// member `issuer` of the JWK is either `iss` or the template (Microsoft identity platform, "Access tokens", "Validate the issuer").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerTemplate {
    /// `iss`, with `{tid}` where the tenant ID stands, exactly once: `https://login.microsoftonline.com/{tid}/v2.0`.
    pub template: String,
    /// The accepted tenants, as UUIDs in lower case. `None` accepts every tenant.
    pub tenants: Option<Vec<String>>,
}

/// The Application Load Balancers whose tokens are accepted (Elastic Load Balancing, "Authenticate users using an Application Load Balancer").
///
/// These tokens have a grammar of their own: each part is padded with `=`. They are signed with ES256, and each key has a URL of its own.
/// `token_use` must be `Unchecked`, and the client is the member `client` of the JOSE header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancers {
    /// `iss`: the issuer at which the users sign in. For a user pool, it is `https://cognito-idp.<region>.amazonaws.com/<id>`.
    pub issuer: String,
    /// The accepted values of `signer` in the JOSE header: ARNs of Application Load Balancers. With [`KeyOrigin::Derived`], their regions determine
    /// where the keys are fetched from. With [`KeyOrigin::Url`], `<URL>/<kid>` is the URL of each key. With [`KeyOrigin::Local`], a JWK Set is
    /// loaded for each ARN.
    pub arns: Vec<String>,
}

/// Whether tokens of an identity pool are accepted for guests (`amr` contains `unauthenticated`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestRule {
    /// `amr` must contain `authenticated`.
    Refuse,
    /// `amr` must contain `authenticated` or `unauthenticated`.
    Accept,
}

/// The claim that names the client of a token whose `token_use` is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClaim {
    /// `aud`: the recipient is the client, as for an ID token.
    Aud,
    /// `client_id` (RFC 9068 section 2.2).
    ClientId,
    /// `azp`: Auth0, Keycloak, Entra v2, Google.
    Azp,
    /// `appid`: Entra v1.
    Appid,
    /// `cid`: Okta.
    Cid,
}

impl ClientClaim {
    /// All claims.
    pub const ALL: [Self; 5] = [Self::Aud, Self::ClientId, Self::Azp, Self::Appid, Self::Cid];

    /// Returns the name of the claim.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aud => "aud",
            Self::ClientId => "client_id",
            Self::Azp => "azp",
            Self::Appid => "appid",
            Self::Cid => "cid",
        }
    }
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
