//! Arguments of `poolgate serve`.

use crate::command::connection::Connection;
use clap::Args;
use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
};

const NOTES: &str = "\
Example:
  poolgate serve --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --client-ip-header x-forwarded-for --refresh-cookie \\
      --require /admin=admins --public /health --preflight /

  curl -s localhost:8080/v1/sign-in -H 'content-type: application/json' -d '{\"username\":\"anna\",\"password\":\"…\"}'
  curl -s localhost:8080/openapi.json

The gateway serves plain HTTP: put a proxy with TLS in front of it. Clients must not reach --operations-listen, because the metrics of the
account flows reveal whether an account exists. On SIGTERM or Ctrl-C, the gateway stops accepting requests, finishes those in progress for
at most --shutdown-timeout, and exits.

Exit codes:
  0  stopped by a signal
  2  invalid usage or configuration";

#[derive(Args)]
#[command(after_help = NOTES)]
pub struct ServeArguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Address for client traffic
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address for the operator: health checks and all metrics. Clients must not reach it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub operations_listen: SocketAddr,
    /// Accept these tokens in /v1/verify and /v1/ext-authz
    #[arg(long, value_name = "USE", default_value = "access", value_parser = ["access", "id", "any"])]
    pub token_use: String,
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
    /// Minimum response time of operations that take a username or an address, in milliseconds; slower responses are delayed to a multiple.
    /// 0 disables it and makes user enumeration by timing possible
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub min_response_ms: u64,
    /// Maximum random addition to the response time, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub response_jitter_ms: u64,
    /// Maximum number of calls to Cognito in progress; more fail with 503
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_calls: NonZeroUsize,
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
    /// Maximum length of a request body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65_536)]
    pub body_limit: usize,
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
    /// Allow scripts of this origin, such as https://app.example.com, to call the account flows with credentials (CORS); may be repeated
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    pub cors_origins: Vec<String>,
    /// Store refresh tokens in a cookie that scripts cannot read, instead of returning them in bodies
    #[arg(long)]
    pub refresh_cookie: bool,
    /// Path of the cookie. With a path other than /, a sibling domain can set the cookie
    #[arg(long, value_name = "PATH", default_value = "/", requires = "refresh_cookie")]
    pub cookie_path: String,
    /// Domain of the cookie, which then includes all subdomains, and each of them can set the cookie. The default is this host only
    #[arg(long, value_name = "DOMAIN", requires = "refresh_cookie")]
    pub cookie_domain: Option<String>,
    /// SameSite of the cookie: send it with no cross-site request (strict), with navigation (lax), or with all requests (none)
    #[arg(long, value_name = "WHICH", default_value = "strict", value_parser = ["strict", "lax", "none"], requires = "refresh_cookie")]
    pub cookie_same_site: String,
    /// Maximum age of the cookie, in seconds, from 3600 to 315360000. Set it to the app client's RefreshTokenValidity
    #[arg(long, value_name = "SECONDS", default_value_t = 2_592_000, requires = "refresh_cookie")]
    pub refresh_token_validity: u64,
    /// Send {"username":"…","flow":"sign-up"} with POST to this URL when someone signs up with a username that is taken, so that you can
    /// notify the owner. The flow is "update-attributes" when a signed-in user asks for an address or a preferred username that is taken
    #[arg(long, value_name = "URL")]
    pub username_taken_hook: Option<String>,
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
