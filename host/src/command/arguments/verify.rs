//! Arguments of `poolgate verify`.

use super::{
    discovery::DiscoveryArguments,
    policy::{ClientArguments, Guests, PolicyArguments},
};
use crate::command::revocation::FeedArguments;
use clap::{Args, ValueEnum};
use std::{path::PathBuf, time::Duration};

const EXAMPLES: &str = "\
Examples:
  Verify an access token of a user pool. It is read from standard input, so that it does not appear in the process list:
    pbpaste | poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use access -

  Require a group, and print JSON:
    poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use access \\
        --group admins --json - < token.txt

  Verify a token of an emulator, which has another JWKS endpoint:
    poolgate verify --pool-id us-east-1_AbCdEf123 --client-id app --token-use id --allow-http-loopback \\
        --jwks http://127.0.0.1:4566/us-east-1_AbCdEf123/.well-known/jwks.json - < token.txt

  Verify an access token of Keycloak for one API, with a rule for a claim:
    poolgate verify --issuer https://login.example.com/realms/shop --token-use unchecked --client-id web --client-claim azp \\
        --resource orders-api --claim '{\"claim\":\"typ\",\"any_of\":[\"Bearer\"]}' \\
        --jwks https://login.example.com/realms/shop/protocol/openid-connect/certs - < token.txt

  See why a token is refused, check by check:
    poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use access --explain - < token.txt

  Verify an ID token of Google, with the keys that Google's discovery document names:
    poolgate verify --issuer https://accounts.google.com --discover --jwks-host www.googleapis.com --token-use unchecked \\
        --client-id 407408718192-example.apps.googleusercontent.com - < token.txt

  Verify the token that an Application Load Balancer passes on in x-amzn-oidc-data:
    poolgate verify --issuer https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01 --token-use unchecked \\
        --alb-arn arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188 \\
        --client-id 1example23456789 - < token.txt

  Verify many tokens offline, as of a fixed time:
    poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use any \\
        --jwks jwks.json --at 1700000000 --batch tokens.txt

Environment:
  COGNITO_USER_POOL_ID, COGNITO_REGION and COGNITO_CLIENT_ID are the defaults of --pool-id, --region and --client-id.
  COGNITO_CLIENT_ID may list several IDs, separated by commas.
  POOLGATE_CACHE_DIR is the directory in which compiled code is cached; an empty value disables the cache.
  RUST_LOG=debug writes a log to standard error. Tokens are never logged.

Exit codes:
  0  allowed (with --batch: every token)
  1  denied (with --batch: at least one token)
  2  invalid usage or configuration
  3  keys unavailable, or the revocation feed: a token was not verified (with --batch also: the input is empty, or the
     output was closed before the end)";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArguments {
    #[command(flatten)]
    pub issuer: IssuerArguments,
    #[command(flatten)]
    pub clients: ClientArguments,
    /// Accept tokens of this kind
    #[arg(long, value_name = "USE")]
    pub token_use: TokenUse,
    /// Read the JWK Set from this file or URL. The default is <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "FILE|URL", group = "keys")]
    pub jwks: Option<String>,
    #[command(flatten)]
    pub discovery: DiscoveryArguments,
    #[command(flatten)]
    pub policy: PolicyArguments,
    #[command(flatten)]
    pub feed: FeedArguments,
    /// Verify as of this time instead of the current time, in seconds since the Unix epoch
    #[arg(long, value_name = "UNIX_SECONDS")]
    pub at: Option<u64>,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// Set the maximum time to fetch the keys, in seconds, from 1 to 300
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,
    /// Require this nonce of the request in an ID token (`nonce`, OpenID Connect Core 1.0 section 3.1.3.7)
    #[arg(long, value_name = "TEXT", conflicts_with = "batch")]
    pub nonce: Option<String>,
    /// Require that an ID token was issued with this access token (`at_hash`, OpenID Connect Core 1.0 section 3.1.3.8)
    #[arg(long, value_name = "TOKEN", conflicts_with = "batch")]
    pub access_token: Option<String>,
    /// Explain the verdict: each check, what the token has, what is accepted, and what to change. Prints the content of the token
    #[arg(long, conflicts_with = "batch")]
    pub explain: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub subject: Subject,
}

/// The issuer. All options apply to all issuers.
#[derive(Args)]
pub struct IssuerArguments {
    /// Accept tokens of this user pool, such as eu-west-1_EXAMPLE01; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', conflicts_with_all = ["issuer", "issuer_template", "identity_pool_id", "any_issuer"])]
    pub pool_id: Vec<String>,
    /// Set the AWS region in the issuer of a user pool. The default is the region in the user pool ID
    #[arg(long, value_name = "R", conflicts_with_all = ["issuer", "issuer_template", "identity_pool_id", "any_issuer"])]
    pub region: Option<String>,
    /// Accept tokens of this issuer (`iss`, compared exactly): an emulator or another OpenID provider. May be repeated for an issuer that spells
    /// its name in several ways; --jwks or --discover is then required
    #[arg(long, value_name = "URL", conflicts_with_all = ["issuer_template", "identity_pool_id", "any_issuer"])]
    pub issuer: Vec<String>,
    /// Accept the tokens that this Application Load Balancer signs (`x-amzn-oidc-data`) for users of --issuer; may be repeated. They need
    /// `--token-use unchecked`. --jwks is then the URL of the keys without the key ID, or a file; the default is the URL of the ARN's region
    #[arg(long = "alb-arn", value_name = "ARN", value_delimiter = ',', requires = "issuer")]
    pub alb_arns: Vec<String>,
    /// Accept tokens of tenants of Microsoft Entra ID: the issuer with {tid} in place of the tenant ID. Requires --jwks or --discovery-url,
    /// and --tenant or --any-tenant
    #[arg(long, value_name = "URL", requires = "keys", conflicts_with_all = ["identity_pool_id", "any_issuer"])]
    pub issuer_template: Option<String>,
    /// Accept tokens of this tenant, a UUID in lower case; may be repeated
    #[arg(long = "tenant", value_name = "UUID", value_delimiter = ',', requires = "issuer_template")]
    pub tenants: Vec<String>,
    /// Accept tokens of every tenant
    #[arg(long, requires = "issuer_template", conflicts_with = "tenants")]
    pub any_tenant: bool,
    /// Accept tokens of this Amazon Cognito identity pool, which need `--token-use unchecked` and no --client-id
    #[arg(long, value_name = "ID", requires = "guests", conflicts_with_all = ["any_issuer", "client_id", "any_client"])]
    pub identity_pool_id: Option<String>,
    /// Accept or refuse tokens of guests of the identity pool, who have not signed in
    #[arg(long, value_name = "CHOICE", requires = "identity_pool_id")]
    pub guests: Option<Guests>,
    /// Accept tokens of every issuer whose keys --jwks has
    #[arg(long, requires = "jwks")]
    pub any_issuer: bool,
}

/// The input.
#[derive(Args)]
#[group(multiple = false)]
pub struct Subject {
    /// The token in compact serialization, without `Bearer`. If it is - or omitted, it is read from standard input
    #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: Option<String>,
    /// Verify one token per line of this file (- is standard input), and print one JSON object per line
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TokenUse {
    /// Access tokens
    Access,
    /// ID tokens
    Id,
    /// Access or ID tokens
    Any,
    /// Do not check `token_use`, and compare client IDs with `aud`, for providers other than Cognito
    Unchecked,
}

/// Parses a time-out.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds @ 1..=300) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a whole number from 1 to 300".into()),
    }
}
