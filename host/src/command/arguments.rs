//! What the command line takes, and the help that teaches it.

use super::connection::Connection;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  allowed
  1  denied
  2  bad usage or configuration
  3  keys unavailable: the token was not judged (with --batch also: whoever read the verdicts has gone before the end)";

const VERIFY_EXAMPLES: &str = "\
Examples:
  An access token of a user pool, read from standard input so that it stays out of the process list:
    pbpaste | poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use access -

  The same with a group, as JSON:
    poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use access \\
        --group admins --json - < token.txt

  Against an emulator, whose issuer and key URL differ:
    poolgate verify --pool-id us-east-1_AbCdEf123 --client-id app --token-use id --allow-http-loopback \\
        --jwks http://127.0.0.1:4566/us-east-1_AbCdEf123/.well-known/jwks.json - < token.txt

  Offline, as of a moment, many tokens at once:
    poolgate verify --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --token-use any \\
        --jwks jwks.json --at 1700000000 --batch tokens.txt

Environment:
  COGNITO_USER_POOL_ID, COGNITO_REGION, COGNITO_CLIENT_ID stand in for --pool-id, --region and --client-id.
  POOLGATE_CACHE_DIR is where compiled code is kept between runs; empty turns that off.
  RUST_LOG=debug logs to standard error. No token is ever logged.

Exit codes:
  0  allowed (with --batch: every token)
  1  denied (with --batch: at least one token)
  2  bad usage or configuration
  3  keys unavailable: a token was not judged (with --batch also: whoever read the verdicts has gone before the end)";

/// Verifies Amazon Cognito tokens inside a WebAssembly sandbox.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show what poolgate does: an issuer on a loopback port, and good and bad tokens judged. Needs no account, no network
    Demo(DemoArguments),
    /// Verify tokens: signature, times, issuer, client, use, groups, scopes
    Verify(Box<VerifyArguments>),
    /// Verify the signature of a compact JWS with any payload, no claims: for checking keys and signatures
    Jws(JwsArguments),
    /// Show a token's header and claims WITHOUT verifying anything
    Inspect(InspectArguments),
    /// Run an account flow: sign up, sign in, recover and the rest
    Account(Box<AccountArguments>),
    /// Serve the account flows and /v1/verify over HTTP
    Serve(Box<ServeArguments>),
    /// Measure what verification costs on this machine, beside its peers
    Bench(BenchArguments),
}

const ACCOUNT_NOTES: &str = "\
Passwords, codes and tokens are asked for at the terminal, or are the lines of standard input, in the order in which they would be
asked for. They are never arguments.

Exit codes:
  0  done
  1  refused
  2  bad usage or configuration
  3  Cognito can't be reached";

#[derive(Args)]
#[command(after_help = ACCOUNT_NOTES)]
pub struct AccountArguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub flow: Flow,
}

/// What is done.
#[derive(Subcommand)]
pub enum Flow {
    /// Sign up; asks for the new password
    SignUp {
        /// The user's name
        username: String,
        /// An attribute of the user, such as email=anna@example.com; repeat it for several
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
        attributes: Vec<(String, String)>,
    },
    /// Confirm a sign-up; asks for the code
    ConfirmSignUp {
        /// The user's name
        username: String,
    },
    /// Send the code of a sign-up again
    ResendCode {
        /// The user's name
        username: String,
    },
    /// Sign in and print the tokens; asks for the password, and for what a challenge wants
    SignIn {
        /// The user's name
        username: String,
        /// Prove the password with SRP: it is not sent
        #[arg(long)]
        srp: bool,
        /// An attribute that the user pool asks for together with a new password
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
        attributes: Vec<(String, String)>,
    },
    /// Get new tokens; asks for the refresh token
    Refresh {
        /// The user's name or sub: needed only with --refresh-token-auth and a client secret
        #[arg(long)]
        username: Option<String>,
    },
    /// Send a code for a new password
    ForgotPassword {
        /// The user's name
        username: String,
    },
    /// Set a new password; asks for the code and the password
    ConfirmForgotPassword {
        /// The user's name
        username: String,
    },
    /// Change a password; asks for the access token, the present password and the new one
    ChangePassword,
    /// Show what the user pool knows of a user; asks for the access token
    GetUser,
    /// Change attributes; asks for the access token
    UpdateAttributes {
        /// An attribute and its new value; repeat it for several
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute, required = true)]
        attributes: Vec<(String, String)>,
    },
    /// Send a code that verifies an attribute; asks for the access token
    SendAttributeCode {
        /// The attribute's name, such as email
        attribute: String,
    },
    /// Verify an attribute; asks for the access token and the code
    VerifyAttribute {
        /// The attribute's name, such as email
        attribute: String,
    },
    /// Set up an authenticator app; asks for the access token and a code of the app
    SetUpTotp {
        /// A name for the device
        #[arg(long)]
        device_name: Option<String>,
    },
    /// Say which second factors are wanted; asks for the access token
    MfaPreference {
        /// One-time passwords by email
        #[arg(long, value_name = "CHOICE")]
        email: Option<Factor>,
        /// Text messages
        #[arg(long, value_name = "CHOICE")]
        sms: Option<Factor>,
        /// An authenticator app
        #[arg(long, value_name = "CHOICE")]
        software_token: Option<Factor>,
    },
    /// Sign out everywhere; asks for the access token
    SignOut,
    /// Revoke a refresh token; asks for it
    RevokeToken,
    /// Delete the account; asks for the access token
    DeleteUser,
}

/// What a user wants of a second factor.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Factor {
    /// It is not used
    Off,
    /// It may be used
    On,
    /// It is asked for first
    Preferred,
}

impl Factor {
    pub fn is_enabled(self) -> bool {
        matches!(self, Factor::On | Factor::Preferred)
    }

    pub fn is_preferred(self) -> bool {
        matches!(self, Factor::Preferred)
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("a name, =, and a value".into()),
    }
}

const SERVE_NOTES: &str = "\
Example:
  poolgate serve --pool-id eu-west-1_EXAMPLE01 --client-id 1example23456789 --client-ip-header x-forwarded-for --refresh-cookie \\
      --require /admin=admins --public /health --preflight /

  curl -s localhost:8080/v1/sign-in -H 'content-type: application/json' -d '{\"username\":\"anna\",\"password\":\"…\"}'
  curl -s localhost:8080/openapi.json

It speaks plain HTTP: put a proxy with TLS before it. The counts of account flows, which tell who has an account, are on the address
of the operator alone. SIGTERM or Ctrl-C ends it when what is under way is answered, or after --shutdown-timeout.

Exit codes: 0 asked to stop, 2 bad usage or configuration";

#[derive(Args)]
#[command(after_help = SERVE_NOTES)]
pub struct ServeArguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Where the public is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where /metrics is served with the counts of account flows, for the operator alone
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub operations_listen: SocketAddr,
    /// Which tokens /v1/verify accepts
    #[arg(long, value_name = "USE", default_value = "access", value_parser = ["access", "id", "any"])]
    pub token_use: String,
    /// What a path of the application and everything below it asks for, in /v1/verify: a good token with one of these groups (within one,
    /// `,` is %2C and `%` is %25), or without groups just a good token. Repeat it for several; the longest prefix counts, and other paths
    /// ask for a good token
    #[arg(long = "require", value_name = "PREFIX[=GROUP,…]", value_parser = required)]
    pub required: Vec<(String, Option<Vec<String>>)>,
    /// A path of the application that asks for no token, with everything below it; repeat it for several
    #[arg(long = "public", value_name = "PREFIX")]
    pub public: Vec<String>,
    /// A path of the application where CORS preflights pass without a token, with everything below it; / for all. Repeat it for several
    #[arg(long = "preflight", value_name = "PREFIX")]
    pub preflights: Vec<String>,
    /// Answers to who names a user are held for so long, or a multiple of it; 0 turns it off, and who measures can then tell who
    /// has an account
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub min_response_ms: u64,
    /// The most that is added to that at random
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub response_jitter_ms: u64,
    /// Calls to Cognito under way at once
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_calls: NonZeroUsize,
    /// Requests a second from one address (of IPv6, one /64), other than those of /v1/verify and /v1/ext-authz; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub rate_limit: u32,
    /// Requests at once from one address
    #[arg(long, value_name = "N", default_value = "50")]
    pub rate_burst: NonZeroU32,
    /// The header in which the proxies in front put the client's address: one address (x-real-ip), or a list to which each proxy
    /// appends its own peer (x-forwarded-for). Without it: the address of the connection
    #[arg(long, value_name = "NAME")]
    pub client_ip_header: Option<axum::http::HeaderName>,
    /// How many of the last entries of that header were written by proxies of yours
    #[arg(long, value_name = "N", default_value = "1", requires = "client_ip_header")]
    pub trusted_hops: NonZeroUsize,
    /// The longest request body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65_536)]
    pub body_limit: usize,
    /// The longest that a connection may be idle, or take to send a request head. Longer than the idle timeout of a load balancer in
    /// front
    #[arg(long, value_name = "SECONDS", default_value = "75")]
    pub head_timeout: NonZeroU32,
    /// The longest that a client may take to send a request body (408 after that), and may take nothing of an answer
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub body_timeout: NonZeroU32,
    /// The longest that requests under way may take after SIGTERM, before their connections are cut off
    #[arg(long, value_name = "SECONDS", default_value = "25")]
    pub shutdown_timeout: NonZeroU32,
    /// An origin, such as https://app.example.com, whose scripts may use the account flows with credentials (CORS); repeat it for
    /// several
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    pub cors_origins: Vec<String>,
    /// Keep refresh tokens in a cookie that no script can read, and in no body
    #[arg(long)]
    pub refresh_cookie: bool,
    /// The path below which browsers send that cookie. With another path than /, a sibling domain can set it
    #[arg(long, value_name = "PATH", default_value = "/", requires = "refresh_cookie")]
    pub cookie_path: String,
    /// The domain that browsers send that cookie to, with all subdomains. Without it: this host alone. With it, a sibling domain can
    /// set it
    #[arg(long, value_name = "DOMAIN", requires = "refresh_cookie")]
    pub cookie_domain: Option<String>,
    /// Which requests of other sites browsers send that cookie with: none, links, or all
    #[arg(long, value_name = "WHICH", default_value = "strict", value_parser = ["strict", "lax", "none"], requires = "refresh_cookie")]
    pub cookie_same_site: String,
    /// The app client's RefreshTokenValidity, after which browsers forget that cookie: from 3600 to 315360000
    #[arg(long, value_name = "SECONDS", default_value_t = 2_592_000, requires = "refresh_cookie")]
    pub refresh_token_validity: u64,
    /// Post {"username":"…","flow":"sign-up"} there when someone signs up with a name that is taken, so that you can write to the real
    /// owner; "flow":"update-attributes" when a signed-in user asks for an address or a preferred user name that is
    #[arg(long, value_name = "URL")]
    pub username_taken_hook: Option<String>,
}

/// `/admin=admins,a%2Cb`: groups are written as in `X-Poolgate-Groups`.
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
    let groups = groups.ok_or("after the equals sign: groups between commas, with , as %2C and % as %25")?;
    Ok((prefix.into(), Some(groups)))
}

const BENCH_NOTES: &str = "\
Each row of the table is measured beside its peer in the same run, slice by slice. Nothing is fetched and nothing is sent. The row of
aws-jwt-verify needs Node.js and that package where `node` finds it (npm install aws-jwt-verify, or NODE_PATH).

Exit codes: 0 measured, 2 bad usage, or something does not run";

#[derive(Args)]
#[command(after_help = BENCH_NOTES)]
pub struct BenchArguments {
    /// Fewer rounds: under 20 seconds
    #[arg(long)]
    pub quick: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DemoArguments {
    /// Print a JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct VerifyArguments {
    /// The user pool ID, such as eu-west-1_EXAMPLE01
    #[arg(long, value_name = "ID", conflicts_with = "issuer")]
    pub pool_id: Option<String>,
    /// The exact issuer (`iss`), for emulators and other OpenID providers
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// The region whose issuer the tokens carry, where it is not the one in the pool ID
    #[arg(long, value_name = "R", conflicts_with = "issuer")]
    pub region: Option<String>,
    /// An accepted app client ID; repeat it for several
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub client_id: Vec<String>,
    /// Skip the check of the app client: any client of the pool is accepted
    #[arg(long, conflicts_with = "client_id")]
    pub any_client: bool,
    /// Which kind of Cognito token is accepted
    #[arg(long, value_name = "USE")]
    pub token_use: TokenUse,
    /// The JWK Set, as a file or a URL. Without it: <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "FILE|URL")]
    pub jwks: Option<String>,
    /// Accept this algorithm; repeat it for several. Without it: RS256 for a user pool, as Cognito signs with nothing else;
    /// for another --issuer every one but `none` and HMAC, as the key says
    #[arg(long = "alg", value_name = "ALG", value_delimiter = ',')]
    pub algorithms: Vec<String>,
    /// Ask for this group; with several, any of them is enough
    #[arg(long = "group", value_name = "G", value_delimiter = ',')]
    pub groups: Vec<String>,
    /// Ask for every --group
    #[arg(long, requires = "groups")]
    pub all_groups: bool,
    /// Ask for this scope; with several, any of them is enough
    #[arg(long = "scope", value_name = "S", value_delimiter = ',')]
    pub scopes: Vec<String>,
    /// Ask for every --scope
    #[arg(long, requires = "scopes")]
    pub all_scopes: bool,
    /// Ask that an access token, or with `--token-use unchecked` any token, is bound to this resource server (`aud`); repeat it for several
    #[arg(long = "resource", value_name = "URI")]
    pub resources: Vec<String>,
    /// Refuse tokens that were issued longer ago than this
    #[arg(long, value_name = "SECONDS")]
    pub max_age: Option<u32>,
    /// Accept a token that does not say whose it is (`sub`)
    #[arg(long)]
    pub any_subject: bool,
    /// Accept a token that is bound to a key (`cnf`: mutual TLS, DPoP) without a proof of that key
    #[arg(long)]
    pub ignore_confirmation: bool,
    /// Stretch expiry by this, for clocks that differ; at most 900. A token may begin a minute ahead of the clock anyway
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub leeway: u32,
    /// Judge as of this moment, not now
    #[arg(long, value_name = "UNIX_SECONDS")]
    pub at: Option<u64>,
    /// Allow plain http to a loopback address for the keys
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// The longest that fetching the keys may take
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub subject: Subject,
}

/// What is judged.
#[derive(Args)]
#[group(multiple = false)]
pub struct Subject {
    /// The token in the compact serialization, without `Bearer`; - or nothing reads it from standard input
    #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: Option<String>,
    /// Judge one token a line of this file (- is standard input), print one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct JwsArguments {
    /// The JWK Set
    #[arg(long, value_name = "FILE")]
    pub jwks: PathBuf,
    /// Accept this algorithm; repeat it for several. Without it: every one but `none` and HMAC
    #[arg(long = "alg", value_name = "ALG", value_delimiter = ',')]
    pub algorithms: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub subject: JwsSubject,
}

/// What is judged.
#[derive(Args)]
#[group(multiple = false)]
pub struct JwsSubject {
    /// The JWS in the compact serialization; - or nothing reads it from standard input
    #[arg(value_name = "COMPACT", allow_hyphen_values = true)]
    pub compact: Option<String>,
    /// Judge one JWS a line of this file (- is standard input), print one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}

#[derive(Args)]
pub struct InspectArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The token; - reads it from standard input
    #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TokenUse {
    /// Access tokens
    Access,
    /// ID tokens
    Id,
    /// Access or ID tokens
    Any,
    /// `token_use` is not looked at, and client IDs are compared with `aud`: for providers other than Cognito
    Unchecked,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds @ 1..=300) => Ok(Duration::from_secs(seconds)),
        _ => Err("a whole number from 1 to 300".into()),
    }
}
