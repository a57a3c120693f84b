//! What an operator writes: JSON, every word known, nothing by default but the strictest.

mod check;
mod core_config;
mod reading;

pub use check::fits_middleware;
pub use core_config::core_config;
pub(crate) use core_config::{authority_and_path, core_fault};
pub use reading::{ConfigFault, read};

use serde::Deserialize;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose tokens are accepted. No two of the same issuer.
    pub pools: Vec<Pool>,
    /// What routes ask of a token, by name.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// The rules for paths: the first that matches counts. A path that none matches is denied (403).
    pub routes: Vec<Route>,
    /// Where tokens are looked for.
    #[serde(default)]
    pub tokens: Tokens,
    /// Claims that the application gets as headers. A client's own headers of these names never reach it, nor those that only differ in
    /// other characters than letters and digits (`x_user` for `x-user`), which many servers take for the same.
    #[serde(default)]
    pub claims_to_headers: Vec<ClaimToHeader>,
    /// Claims that later filters get as filter state (in Envoy `wasm.NAME`).
    #[serde(default)]
    pub claims_to_filter_state: Vec<ClaimToFilterState>,
    /// How refusals look.
    #[serde(default)]
    pub answers: RejectionStyle,
    /// What becomes of CORS preflight requests (OPTIONS with `Origin` and `Access-Control-Request-Method`), which carry no token.
    #[serde(default)]
    pub cors_preflight: CorsPreflight,
    /// Whether the application ignores the case of letters in paths. If not, a path that chooses another rule when case is ignored is
    /// refused as ambiguous (400). If so, such a request must satisfy both rules: `/Admin` that of `/admin` and that of `/Admin`.
    #[serde(default)]
    pub case_insensitive_paths: bool,
    /// Bounds on the work that one input can cause.
    #[serde(default)]
    pub limits: Limits,
    /// The life of keys.
    #[serde(default)]
    pub key_policy: KeyPolicy,
    /// Verified tokens that are remembered, in each worker.
    #[serde(default)]
    pub cache: Cache,
}

/// Whose tokens, and what each must be.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// A name of yours for policies and metrics.
    pub name: String,
    /// An Amazon Cognito user pool, such as `eu-west-1_AbCdEfGhI`. This, or `issuer`, or `any_issuer`.
    pub user_pool_id: Option<String>,
    /// The region whose issuer the tokens carry, where it is not the one in the user pool ID.
    pub region: Option<String>,
    /// Exactly this `iss`, for another issuer.
    pub issuer: Option<String>,
    /// Does not look at `iss`. Then there can be no other pool.
    #[serde(default)]
    pub any_issuer: bool,
    /// The accepted app clients: `client_id` of access tokens, `aud` of ID tokens. This, or `any_client`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub client_ids: Option<Vec<String>>,
    /// Accepts tokens of every app client.
    #[serde(default)]
    pub any_client: bool,
    /// Access or ID tokens.
    pub token_use: TokenUse,
    /// The accepted algorithms; RS256 alone if none is stated, the one that Cognito signs with.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// Resource servers: an access token must name one of them in `aud` (RFC 8707), and so must any token where `token_use` is
    /// `unchecked`. Not with `token_use` `id`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub resources: Option<Vec<String>>,
    /// Does not look at `aud` of access tokens.
    #[serde(default)]
    pub any_resource: bool,
    /// Accepts tokens that do not say whose they are (`sub`).
    #[serde(default)]
    pub any_subject: bool,
    /// What becomes of tokens that are bound to a key (`cnf`: RFC 8705, RFC 9449).
    #[serde(default)]
    pub confirmation: Confirmation,
    /// Seconds since `iat` after which a token is refused although it has not expired.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "u32"))]
    pub max_age_seconds: Option<u32>,
    /// Seconds by which `exp` and the maximum age are stretched, at most 900.
    #[serde(default)]
    pub leeway_seconds: u32,
    /// Seconds by which `iat` and `nbf` may lie in the future, at most 900.
    #[serde(default = "Pool::issued_at_skew")]
    pub issued_at_skew_seconds: u32,
    /// Where the keys come from.
    pub keys: Keys,
}

impl Pool {
    fn issued_at_skew() -> u32 {
        60
    }
}

/// Where a pool's keys come from: from a server, from here, or at first from here and then from the server.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// A JWK Set (RFC 7517 section 5).
    pub jwks: Option<serde_json::Map<String, serde_json::Value>>,
    /// The proxy's name for the server that they are fetched from: in Envoy a cluster, which must exist and should use TLS. The wasi:http
    /// middleware asks the URL itself, and any name will do.
    pub cluster: Option<String>,
    /// Their URL, where it is not `ISSUER/.well-known/jwks.json`.
    pub url: Option<String>,
    /// How long a fetch may take, in milliseconds, from 1 to 60,000.
    #[serde(default = "Keys::timeout_ms")]
    pub timeout_ms: u32,
}

impl Keys {
    fn timeout_ms() -> u32 {
        5_000
    }
}

/// Which kind of Cognito token (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenUse {
    /// Access tokens only.
    Access,
    /// ID tokens only.
    Id,
    /// Access and ID tokens.
    AccessOrId,
    /// Not looked at: tokens of other issuers have none.
    Unchecked,
}

/// What becomes of tokens that are bound to a key of their holder (`cnf`), by mutual TLS (RFC 8705) or DPoP (RFC 9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// They are refused: nobody here asks for a proof of the key.
    #[default]
    Refuse,
    /// They pass like any other: something else asks for the proof.
    Ignore,
}

/// What a route asks of a token, besides what its pool does. What is not stated is not asked for, and something must be.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// A name of yours.
    pub name: String,
    /// Tokens of these pools only.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub pools: Option<Vec<String>>,
    /// Tokens of this kind only.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "TokenUse"))]
    pub token_use: Option<TokenUse>,
    /// Tokens of these app clients only.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub client_ids: Option<Vec<String>>,
    /// `cognito:groups`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Membership"))]
    pub groups: Option<Membership>,
    /// `scope`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Membership"))]
    pub scopes: Option<Membership>,
}

/// What must be among a token's groups or scopes: one of the lists, or both. None may be empty, or have an empty name.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// At least one of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub any_of: Option<Vec<String>>,
    /// Every one of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub all_of: Option<Vec<String>>,
}

/// A template without its value makes a null: then a check that was stated would be none.
fn not_null<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// A rule: which requests, and what they need. One of `path`, `prefix`, `template`; one of `public`, `authenticated`, `any_of`, `all_of`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Exactly this path.
    pub path: Option<String>,
    /// This path and what is below it: `/api` matches `/api` and `/api/x`, and not `/apis`.
    pub prefix: Option<String>,
    /// A path with placeholders for one segment each, such as `/users/{id}/orders`.
    pub template: Option<String>,
    /// These methods only; all if none is stated. `GET` is for `HEAD` too.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub methods: Option<Vec<String>>,
    /// Needs no token, and none is looked at.
    #[serde(default)]
    pub public: bool,
    /// Needs a good token and nothing more.
    #[serde(default)]
    pub authenticated: bool,
    /// Needs a token that fits one of these policies.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub any_of: Option<Vec<String>>,
    /// Needs a token that fits every one of these policies.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub all_of: Option<Vec<String>>,
    /// Lets a request without a token pass. One with a bad token is refused all the same.
    #[serde(default)]
    pub optional: bool,
    /// Lets everything pass, and counts what would have been refused. For trying a rule out.
    #[serde(default)]
    pub report_only: bool,
}

/// Where tokens are looked for.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The places; a request with tokens in two of them is refused (400). `Authorization: Bearer` if none is stated.
    #[serde(default = "Tokens::from")]
    pub from: Vec<TokenLocation>,
    /// Whether the application gets the token too.
    #[serde(default = "Tokens::forward")]
    pub forward: bool,
}

impl Tokens {
    fn from() -> Vec<TokenLocation> {
        let (header, prefix) = (Some("authorization".to_owned()), Some("Bearer ".to_owned()));
        vec![TokenLocation { header, prefix, cookie: None, query: None }]
    }

    fn forward() -> bool {
        true
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { from: Self::from(), forward: Self::forward() }
    }
}

/// One of `header`, `cookie`, `query`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenLocation {
    /// The header of this name.
    pub header: Option<String>,
    /// What stands before the token in the header; in `authorization` upper and lower case are the same. A header that does not begin
    /// with it has no token.
    pub prefix: Option<String>,
    /// The cookie of this name.
    pub cookie: Option<String>,
    /// The parameter of this name in the query. URLs end up in logs: RFC 6750 section 2.3 advises against it.
    pub query: Option<String>,
}

/// A claim that the application gets as a header.
///
/// Text stands as it is, with `%` and all but printable ASCII percent-encoded (RFC 3986 section 2.1). An array of texts is joined by
/// commas, a comma within one being encoded; numbers, booleans, and everything else are JSON text, encoded likewise.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimToHeader {
    /// The claim's name, such as `sub` or `cognito:groups`.
    pub claim: String,
    /// The names of members within it, from the outside in.
    #[serde(default)]
    pub path: Vec<String>,
    /// The header.
    pub header: String,
}

/// A claim that later filters get, written as in a header.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimToFilterState {
    /// The claim's name.
    pub claim: String,
    /// The names of members within it, from the outside in.
    #[serde(default)]
    pub path: Vec<String>,
    /// The name in the filter state.
    pub name: String,
}

/// How refusals look.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RejectionStyle {
    /// What the body is.
    #[serde(default)]
    pub body: BodyStyle,
    /// Whether the caller is told the reason's name. It helps an attacker as much as a friend.
    #[serde(default)]
    pub include_reason: bool,
    /// `realm` of `WWW-Authenticate` (RFC 9110 section 11.5).
    pub realm: Option<String>,
    /// Whether a refused gRPC call (a POST whose `Content-Type` is `application/grpc`) is answered in gRPC: HTTP status 200 with
    /// `grpc-status` and `grpc-message`. Set it only if nothing takes the HTTP status for permission. By default the answer is
    /// an HTTP answer, whose status every gRPC client understands; Envoy makes gRPC of that by itself.
    #[serde(default)]
    pub grpc: bool,
}

/// What the body of a refusal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BodyStyle {
    /// `application/problem+json` (RFC 9457).
    #[default]
    ProblemJson,
    /// Nothing.
    Empty,
}

/// What becomes of CORS preflight requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CorsPreflight {
    /// They are judged as any other request.
    #[default]
    Verify,
    /// They pass, if a rule matches the path with the method that they ask about.
    Pass,
}

/// Bounds on the work that one input can cause.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest token, in bytes.
    pub token_bytes: u32,
    /// The deepest nesting of JSON.
    pub json_depth: u32,
    /// The longest JWK Set, in bytes.
    pub jwks_bytes: u32,
    /// The most keys in one JWK Set.
    pub jwks_keys: u32,
    /// How many requests may wait for keys at a time, in each worker.
    pub waiting_requests: u32,
    /// How long one may wait, in milliseconds; then it is answered 503.
    pub wait_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let poolgate_core::Limits { token_bytes, json_depth, jwks_bytes, jwks_keys, .. } =
            poolgate_core::Limits::default();
        Self { token_bytes, json_depth, jwks_bytes, jwks_keys, waiting_requests: 1_000, wait_ms: 6_000 }
    }
}

/// The life of keys; see docs/keys.md. Times are in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct KeyPolicy {
    /// The soft lifetime where the response has no `Cache-Control: max-age`.
    pub soft_ttl: u32,
    /// The least that `max-age` can make of it.
    pub soft_ttl_min: u32,
    /// The most that `max-age` can make of it.
    pub soft_ttl_max: u32,
    /// Keys older than this never verify anything.
    pub hard_ttl: u32,
    /// The wait after the first failed fetch. It doubles with each further one.
    pub retry_min: u32,
    /// The most that the wait grows to.
    pub retry_max: u32,
    /// How many fetches for unknown key IDs can be made at once, for one place and in each worker.
    pub unknown_key_fetches: u32,
    /// The time after which one more such fetch may be made.
    pub unknown_key_interval: u32,
    /// How long a key ID is remembered for which no key was found.
    pub unknown_key_ttl: u32,
    /// How many such key IDs are remembered.
    pub unknown_key_entries: u32,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        let core = poolgate_core::KeyPolicy::default();
        Self {
            soft_ttl: core.soft_ttl,
            soft_ttl_min: core.soft_ttl_min,
            soft_ttl_max: core.soft_ttl_max,
            hard_ttl: core.hard_ttl,
            retry_min: core.retry_min,
            retry_max: core.retry_max,
            unknown_key_fetches: core.unknown_key_fetches,
            unknown_key_interval: core.unknown_key_interval,
            unknown_key_ttl: core.unknown_key_ttl,
            unknown_key_entries: core.unknown_key_entries,
        }
    }
}

/// Verified tokens that are remembered. Each is judged anew by its key, its times and the policies.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// The most memory, in bytes; 0 turns it off. What goes into headers comes on top.
    pub bytes: u32,
    /// The most tokens.
    pub entries: u32,
}

impl Default for Cache {
    fn default() -> Self {
        let poolgate_core::CacheLimits { bytes, entries } = poolgate_core::CacheLimits::default();
        Self { bytes, entries }
    }
}
