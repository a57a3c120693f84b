//! The whole configuration.

use super::{
    cache::Cache,
    claims::{ClaimToFilterState, ClaimToHeader},
    keys::KeyPolicy,
    limits::Limits,
    not_null::not_null,
    policy::Policy,
    pool::Pool,
    rejections::RejectionStyle,
    resource::Resource,
    route::{CorsPreflight, Route},
    tokens::Tokens,
};
use serde::Deserialize;

/// The configuration of the Envoy filter and of the `wasi:http` middleware.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of the configuration's format. The only version is 1.
    #[serde(default = "Config::version")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1)))]
    pub version: u32,
    /// The user pools and other issuers whose tokens are accepted. No two pools may have the same issuer.
    pub pools: Vec<Pool>,
    /// Named requirements that routes refer to, such as a group.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// The rules for paths. The first rule that matches a request applies. A request that no rule matches gets 403.
    pub routes: Vec<Route>,
    /// Where a request carries its token. The default is `Authorization: Bearer`.
    #[serde(default)]
    pub tokens: Tokens,
    /// Claims that are forwarded to the application as headers. Headers of these names in the client's request are removed, and so are
    /// headers whose names differ only in characters other than letters and digits (`x_user` for `x-user`), because many servers treat
    /// them as the same header.
    #[serde(default)]
    pub claims_to_headers: Vec<ClaimToHeader>,
    /// Claims that are passed to later filters as filter state (in Envoy `wasm.NAME`). Not supported by the middleware.
    #[serde(default)]
    pub claims_to_filter_state: Vec<ClaimToFilterState>,
    /// The format of the responses to rejected requests.
    #[serde(default)]
    pub answers: RejectionStyle,
    /// The protected resource that clients discover (RFC 9728), such as an MCP server. A rule may have another one. By default nothing is published.
    /// See docs/mcp.md.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Resource"))]
    pub resource: Option<Resource>,
    /// How CORS preflight requests are handled (`OPTIONS` with `Origin` and `Access-Control-Request-Method`). They carry no token.
    #[serde(default)]
    pub cors_preflight: CorsPreflight,
    /// Whether the application ignores the case of letters in paths. If `false` (the default), a path that matches another rule when case
    /// is ignored is rejected as ambiguous (400). If `true`, such a request must satisfy both rules: `/Admin` must satisfy the rule of
    /// `/admin` and that of `/Admin`.
    #[serde(default)]
    pub case_insensitive_paths: bool,
    /// Sets `report_only` on every route: no token and no policy is enforced, and the requests that would be rejected are counted. Forged claim
    /// headers are still removed. Requests that no rule matches, or whose path or host is ambiguous, are still rejected.
    #[serde(default)]
    pub report_only: bool,
    /// Limits on the work that one request or one key set can cause.
    #[serde(default)]
    pub limits: Limits,
    /// How long keys are used, and when they are fetched again.
    #[serde(default)]
    pub key_policy: KeyPolicy,
    /// The cache of verified tokens of each worker.
    #[serde(default)]
    pub cache: Cache,
}

impl Config {
    fn version() -> u32 {
        1
    }
}
