//! Arguments of `poolgate serve`.

use super::{
    discovery::DiscoveryArguments,
    flows::FlowArguments,
    limits::LimitArguments,
    policy::{ClientArguments, PolicyArguments},
    verify::{IssuerArguments, TokenUse},
};
use crate::command::revocation::RevocationArguments;
use clap::Args;
use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

const NOTES: &str = "\
Examples:
  The account flows of a user pool, and its tokens in /v1/verify:
    poolgate serve --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --client-ip-header x-forwarded-for --refresh-cookie \\
        --require /admin=admins --public /health --preflight /

    curl -s localhost:8080/v1/sign-in -H 'content-type: application/json' -d '{\"username\":\"anna\",\"password\":\"…\"}'
    curl -s localhost:8080/openapi.json

  The same, and /v1/verify accepts only tokens that are bound to an API; signed-in users can still sign out with others:
    poolgate serve --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --resource https://orders.example.com

  Routes, policies and pools of one file, which Envoy's filter and the Rust library read too:
    poolgate serve --config poolgate.json --account-pool-id eu-west-1_EXAMPLE01 --account-client-id 1example23456789

  Tokens of Keycloak in /v1/verify, and no account flows:
    poolgate serve --issuer https://login.example.com/realms/shop --token-use unchecked --client-id web --client-claim azp \\
        --resource orders-api --jwks https://login.example.com/realms/shop/protocol/openid-connect/certs

Two verifiers: if /v1/verify accepts exactly the tokens of the user pool and the app client of the account flows, one verifier serves both. With
any other option for tokens, /v1/verify has a verifier of its own, and the metrics have the label `verifier`.

The gateway serves plain HTTP: put a proxy with TLS in front of it. Clients must not reach --operations-listen, because the metrics of the
account flows reveal whether an account exists. On SIGTERM or Ctrl-C, the gateway stops accepting requests, finishes those in progress for
at most --shutdown-timeout, and exits.

Environment:
  COGNITO_USER_POOL_ID, COGNITO_REGION and COGNITO_CLIENT_ID are the defaults of --pool-id, --region and --client-id.
  COGNITO_CLIENT_ID may list several IDs, separated by commas.
  POOLGATE_CACHE_DIR is the directory in which compiled code is cached; an empty value disables the cache.

Exit codes:
  0  stopped by a signal
  2  invalid usage or configuration";

/// The headings of the help.
const TOKENS: &str = "Tokens of /v1/verify and /v1/ext-authz";
const FLOWS: &str = "Account flows";
const LIMITS: &str = "Limits of a verifier";

/// The options that a configuration replaces.
const DECIDED_BY_CONFIG: [&str; 44] = [
    "required",
    "public",
    "preflights",
    "pool_id",
    "region",
    "issuer",
    "alb_arns",
    "issuer_template",
    "tenants",
    "any_tenant",
    "identity_pool_id",
    "guests",
    "any_issuer",
    "client_id",
    "any_client",
    "token_use",
    "jwks",
    "discover",
    "discovery_url",
    "jwks_hosts",
    "groups",
    "all_groups",
    "scopes",
    "all_scopes",
    "algorithms",
    "types",
    "resources",
    "any_resource",
    "unbound_clients",
    "client_claim",
    "scope_claim",
    "claims",
    "max_age",
    "any_subject",
    "ignore_confirmation",
    "leeway",
    "max_token_bytes",
    "max_json_depth",
    "max_jwks_bytes",
    "max_jwks_keys",
    "fetch_timeout",
    "token_cache_bytes",
    "token_cache_entries",
    "no_accounts",
];

#[derive(Args)]
#[command(after_help = NOTES)]
pub struct ServeArguments {
    #[command(flatten)]
    pub revocation: RevocationArguments,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// Address for client traffic
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address for the operator: health checks and all metrics. Clients must not reach it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub operations_listen: SocketAddr,
    /// Decide about the requests of /v1/verify and /v1/ext-authz by this file: its routes, policies and pools. See `poolgate config`, and
    /// docs/gate.md. The account flows then need --account-pool-id and --account-client-id
    #[arg(long, value_name = "FILE", conflicts_with_all = DECIDED_BY_CONFIG)]
    pub config: Option<PathBuf>,
    /// Read --config again when its content changes. It is also read again on SIGHUP. If the new content is not valid, the old one stays in use
    #[arg(long)]
    pub watch: bool,
    /// Require a valid token, with one of these groups if any are listed, for this path of the application and everything below it; may be
    /// repeated. The rule with the longest prefix decides, and paths without a rule require a valid token. In a group, write `,` as %2C and
    /// `%` as %25
    #[arg(long = "require", value_name = "PREFIX[=GROUP,…]", value_parser = required)]
    pub required: Vec<(String, Option<Vec<String>>)>,
    /// Require no token for this path of the application and everything below it; may be repeated
    #[arg(long = "public", value_name = "PREFIX")]
    pub public: Vec<String>,
    /// Allow CORS preflights without a token for this path of the application and everything below it (/ for all paths); may be repeated
    #[arg(long = "preflight", value_name = "PREFIX")]
    pub preflights: Vec<String>,
    /// Maximum rate of one client address (IPv6: of one /64 network), in requests per second; 0 disables the limit. /v1/verify and
    /// /v1/ext-authz are not limited
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub rate_limit: u32,
    /// Maximum number of requests of one client address at once
    #[arg(long, value_name = "N", default_value = "50")]
    pub rate_burst: NonZeroU32,
    /// Read the client address from this header: one address (x-real-ip), or a list to which each proxy appends its peer (x-forwarded-for).
    /// The default is the address of the connection
    #[arg(long, value_name = "NAME")]
    pub client_ip_header: Option<axum::http::HeaderName>,
    /// Number of the last entries of that header that your proxies have written
    #[arg(long, value_name = "N", default_value = "1", requires = "client_ip_header")]
    pub trusted_hops: NonZeroUsize,
    /// Maximum number of open connections; further ones wait. The default is 4096, or half of the limit of open files (`ulimit -n`) if that is
    /// lower
    #[arg(long, value_name = "N")]
    pub max_connections: Option<NonZeroUsize>,
    /// Maximum time for the first request head of a connection, in seconds. Set it higher for a load balancer that opens connections in
    /// advance
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    pub first_head_timeout: NonZeroU32,
    /// Maximum time for a request head, and maximum idle time of a connection, in seconds. Set it higher than the idle timeout of a load
    /// balancer in front
    #[arg(long, value_name = "SECONDS", default_value = "75")]
    pub head_timeout: NonZeroU32,
    /// Maximum time for a request body (then 408), and maximum time during which a client may read nothing of a response, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub body_timeout: NonZeroU32,
    /// Maximum time for requests in progress after SIGTERM, in seconds; their connections are then closed
    #[arg(long, value_name = "SECONDS", default_value = "25")]
    pub shutdown_timeout: NonZeroU32,
    // A heading applies to all options after it.
    #[command(flatten, next_help_heading = TOKENS)]
    pub issuer: IssuerArguments,
    #[command(flatten, next_help_heading = TOKENS)]
    pub clients: ClientArguments,
    /// Accept tokens of this kind. The default is `access` for a user pool; for another issuer, it is required
    #[arg(long, value_name = "USE", help_heading = TOKENS)]
    pub token_use: Option<TokenUse>,
    /// Fetch the JWK Set from this URL. The default is <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "URL", help_heading = TOKENS, group = "keys")]
    pub jwks: Option<String>,
    #[command(flatten, next_help_heading = TOKENS)]
    pub discovery: DiscoveryArguments,
    #[command(flatten, next_help_heading = TOKENS)]
    pub policy: PolicyArguments,
    #[command(flatten, next_help_heading = FLOWS)]
    pub flows: FlowArguments,
    #[command(flatten, next_help_heading = LIMITS)]
    pub limits: LimitArguments,
}

/// Parses `/admin=admins,a%2Cb`. Groups are encoded as in `X-Poolgate-Groups`.
fn required(text: &str) -> Result<(String, Option<Vec<String>>), String> {
    let Some((prefix, groups)) = text.split_once('=') else { return Ok((text.into(), None)) };
    let group = |group: &str| {
        let mut decoded = Vec::with_capacity(group.len());
        let mut bytes = group.bytes();
        while let Some(byte) = bytes.next() {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            decoded.push(match byte {
                b'%' => digit(bytes.next()).zip(digit(bytes.next())).map(|(high, low)| high << 4 | low)?,
                byte => byte,
            });
        }
        String::from_utf8(decoded).ok().filter(|group| !group.is_empty())
    };
    let groups: Option<Vec<String>> = groups.split(',').map(group).collect();
    let groups =
        groups.ok_or("must list groups separated by commas after the equals sign, with , as %2C and % as %25")?;
    Ok((prefix.into(), Some(groups)))
}
