//! An issuer, and what its tokens must satisfy.

use super::{claim_rule::ClaimRule, keys::Keys, not_null::not_null};
use serde::Deserialize;

/// An issuer whose tokens are accepted, and the checks that each of its tokens must pass.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The name of the pool in policies and metrics. Choose any.
    pub name: String,
    /// The ID of an Amazon Cognito user pool, such as `eu-west-1_AbCdEfGhI`. Set exactly one of `user_pool_id`, `issuer`, `issuers`,
    /// `issuer_template`, `identity_pool_id` and `any_issuer`.
    pub user_pool_id: Option<String>,
    /// The region in the issuer of the tokens, if it differs from the region in the user pool ID.
    pub region: Option<String>,
    /// The exact `iss` of the tokens, for an issuer that is not a user pool.
    pub issuer: Option<String>,
    /// With `issuer`: accepts the tokens that these Application Load Balancers sign (`x-amzn-oidc-data`), instead of those of the issuer. ARNs,
    /// compared with `signer` in the header. `token_use` must be `unchecked`. See docs/alb.md.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub alb_arns: Option<Vec<String>>,
    /// Several exact `iss`, for an issuer that spells its name in several ways. The first names the issuer for revocation. `keys.url` or
    /// `keys.jwks` is required.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub issuers: Option<Vec<String>>,
    /// The `iss` of the tenants of Microsoft Entra ID, with `{tid}` where the tenant ID stands: `https://login.microsoftonline.com/{tid}/v2.0`.
    /// Set `tenants` or `any_tenant`, and `keys.url`.
    pub issuer_template: Option<String>,
    /// With `issuer_template`: the accepted tenants, as UUIDs in lower case.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub tenants: Option<Vec<String>>,
    /// With `issuer_template`: accepts tokens of every tenant.
    #[serde(default)]
    pub any_tenant: bool,
    /// The ID of an Amazon Cognito identity pool, `<region>:<UUID>`. Its tokens have it in `aud`. `token_use` must be `unchecked`, and no client
    /// may be configured.
    pub identity_pool_id: Option<String>,
    /// With `identity_pool_id`: whether tokens of guests are accepted, which have not signed in.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Guests"))]
    pub guests: Option<Guests>,
    /// Disables the check of `iss`. There may be no other pool then.
    #[serde(default)]
    pub any_issuer: bool,
    /// The accepted app clients: `client_id` of access tokens, `aud` of ID tokens. Set either this or `any_client`; there is no default.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub client_ids: Option<Vec<String>>,
    /// Accepts tokens of every app client.
    #[serde(default)]
    pub any_client: bool,
    /// Whether access tokens, ID tokens or both are accepted. There is no default.
    pub token_use: TokenUse,
    /// The accepted signature algorithms. The default is RS256 only, which Cognito uses; for identity pools RS512, and with `alb_arns` ES256.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// The accepted types of token (`typ`), without case and without `application/`. An empty text accepts tokens without `typ`. The default is
    /// `JWT`, `at+jwt` and no `typ`; for identity pools also `JWS`.
    #[serde(default)]
    pub types: Vec<String>,
    /// The claim that names the client, if `token_use` is `unchecked`. The default is `aud`. Required if `client_ids` and `resources` are both
    /// set for such tokens.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "ClientClaim"))]
    pub client_claim: Option<ClientClaim>,
    /// The claim with the scopes, for other issuers than user pools. The default is `scope`, or `scp` if a token has no `scope`.
    pub scope_claim: Option<String>,
    /// With `resources`: the clients whose tokens may lack `aud`. Cognito does not bind tokens of the client credentials grant.
    #[serde(default)]
    pub unbound_clients: Vec<String>,
    /// Rules for any claims. Every token must fit all of them; otherwise it is rejected (401).
    #[serde(default)]
    pub claims: Vec<ClaimRule>,
    /// Resource servers. An access token must contain one of them in `aud` (RFC 8707). If `token_use` is `unchecked`, every token must. Not
    /// allowed if `token_use` is `id`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub resources: Option<Vec<String>>,
    /// Disables the check of `aud` in access tokens.
    #[serde(default)]
    pub any_resource: bool,
    /// Accepts tokens without a subject (`sub`).
    #[serde(default)]
    pub any_subject: bool,
    /// How tokens that are bound to a key are handled (`cnf`: RFC 8705, RFC 9449).
    #[serde(default)]
    pub confirmation: Confirmation,
    /// The maximum age of a token, in seconds since `iat`. An older token is rejected even if it has not expired. `iat` is then required.
    /// By default there is no maximum.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "u32"))]
    pub max_age_seconds: Option<u32>,
    /// The number of seconds for which a token is accepted after `exp` or after its maximum age. The default is 0, the maximum 900.
    #[serde(default)]
    pub leeway_seconds: u32,
    /// The number of seconds by which `iat` and `nbf` may be in the future. If `leeway_seconds` is larger, it applies instead. The default is 60,
    /// the maximum 900.
    #[serde(default = "Pool::issued_at_skew")]
    pub issued_at_skew_seconds: u32,
    /// The source of the keys that the tokens are signed with. The default is `ISSUER/.well-known/jwks.json`.
    #[serde(default)]
    pub keys: Keys,
}

impl Pool {
    fn issued_at_skew() -> u32 {
        60
    }
}

/// Whether tokens of an identity pool are accepted for guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Guests {
    /// `amr` must contain `authenticated`.
    Refuse,
    /// `amr` must contain `authenticated` or `unauthenticated`.
    Accept,
}

/// The claim that names the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
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

/// The accepted kinds of Cognito tokens (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenUse {
    /// Access tokens only.
    Access,
    /// ID tokens only.
    Id,
    /// Access tokens and ID tokens.
    AccessOrId,
    /// Disables the check, for issuers whose tokens have no `token_use`.
    Unchecked,
}

/// How tokens are handled that are bound to a key of their holder (`cnf`), by mutual TLS (RFC 8705) or DPoP (RFC 9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// They are rejected, because poolgate does not check that the client has the key.
    #[default]
    Refuse,
    /// They are accepted like other tokens. Another component must check that the client has the key.
    Ignore,
}
