//! The options of `poolgate serve` that only the account flows use.

use crate::command::connection::AccountOptions;
use clap::Args;
use poolgate::{accounts::PasswordPolicy, environment};
use std::num::NonZeroUsize;

const MIN_RESPONSE_MS: u64 = 1_000;
const RESPONSE_JITTER_MS: u64 = 250;
const MAX_CALLS: &str = "256";
const BODY_LIMIT: usize = 65_536;

#[derive(Args, Debug)]
pub struct FlowArguments {
    /// User pool of the account flows. The default is --pool-id
    #[arg(long, value_name = "ID")]
    pub account_pool_id: Option<String>,
    /// App client of the account flows. The default is --client-id, if the user pool is that of --pool-id
    #[arg(long, value_name = "ID")]
    pub account_client_id: Option<String>,
    /// AWS region of --account-pool-id, if it is not a --pool-id. The default is the region in the user pool ID
    #[arg(long, value_name = "R", requires = "account_pool_id")]
    pub account_region: Option<String>,
    /// URL of the JWK Set of --account-pool-id, if it is not a --pool-id. The default is <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "URL", requires = "account_pool_id")]
    pub account_jwks: Option<String>,
    /// Serve no account flows: their paths are 404. This is the default for another issuer than a user pool
    #[arg(long, conflicts_with_all = ["account_pool_id", "account_client_id"])]
    pub no_accounts: bool,
    #[command(flatten)]
    pub options: AccountOptions,
    /// Minimum response time of operations that take a username or an address, in milliseconds; slower responses are delayed to a multiple.
    /// 0 disables it and makes user enumeration by timing possible
    #[arg(long, value_name = "MS", default_value_t = MIN_RESPONSE_MS)]
    pub min_response_ms: u64,
    /// Maximum random addition to the response time, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = RESPONSE_JITTER_MS)]
    pub response_jitter_ms: u64,
    /// Maximum number of calls to Cognito in progress; more fail with 503
    #[arg(long, value_name = "N", default_value = MAX_CALLS)]
    pub max_calls: NonZeroUsize,
    /// Maximum length of a request body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = BODY_LIMIT)]
    pub body_limit: usize,
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

impl FlowArguments {
    /// Returns an option that is set although it has no use without account flows. An option with the value of its default counts as not set,
    /// and so does one that the environment sets.
    pub fn any_set(&self) -> Option<&'static str> {
        // Without `..`, so that the compiler asks for a new option.
        let Self {
            account_pool_id,
            account_client_id,
            account_region,
            account_jwks,
            no_accounts: _,
            options,
            min_response_ms,
            response_jitter_ms,
            max_calls,
            body_limit,
            cors_origins,
            refresh_cookie,
            // These four require `refresh_cookie`.
            cookie_path: _,
            cookie_domain: _,
            cookie_same_site: _,
            refresh_token_validity: _,
            username_taken_hook,
        } = self;
        let AccountOptions {
            client_secret_file,
            endpoint,
            password_policy,
            required_attributes,
            credentials_checked_first,
            refresh_token_auth,
        } = options;
        // An empty variable counts as not set.
        let is_endpoint_set = !matches!(endpoint.as_deref(), None | Some("")) && *endpoint != environment::endpoint();
        let all = [
            (account_pool_id.is_some(), "--account-pool-id"),
            (account_client_id.is_some(), "--account-client-id"),
            // With --no-accounts, the parser does not ask for the --account-pool-id that these require.
            (account_region.is_some(), "--account-region"),
            (account_jwks.is_some(), "--account-jwks"),
            (client_secret_file.is_some(), "--client-secret-file"),
            (is_endpoint_set, "--endpoint"),
            (*password_policy != PasswordPolicy::default(), "--password-policy"),
            (!required_attributes.is_empty(), "--require-attribute"),
            (*credentials_checked_first, "--credentials-checked-first"),
            (*refresh_token_auth, "--refresh-token-auth"),
            (*min_response_ms != MIN_RESPONSE_MS, "--min-response-ms"),
            (*response_jitter_ms != RESPONSE_JITTER_MS, "--response-jitter-ms"),
            (max_calls.to_string() != MAX_CALLS, "--max-calls"),
            (*body_limit != BODY_LIMIT, "--body-limit"),
            (!cors_origins.is_empty(), "--cors-origin"),
            (*refresh_cookie, "--refresh-cookie"),
            (username_taken_hook.is_some(), "--username-taken-hook"),
        ];
        all.into_iter().find_map(|(is_set, option)| is_set.then_some(option))
    }
}
