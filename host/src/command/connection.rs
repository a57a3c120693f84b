//! The options of the account flows that `poolgate account` and `poolgate serve` share: user pool, app client, Cognito's settings.

use super::{
    cache::compilation_cache,
    output::CommandError,
    revocation::{RevocationArguments, Store},
};
use clap::Args;
use poolgate::{
    Pool, TokenUseRule, Verifier, VerifierBuilder,
    accounts::{Accounts, AccountsBuilder, PasswordPolicy, RefreshFlow},
    environment,
};
use secrecy::SecretString;
use std::{fs, path::PathBuf};
use zeroize::Zeroizing;

#[derive(Args, Debug)]
pub struct Connection {
    /// User pool ID, such as eu-west-1_EXAMPLE01
    #[arg(long, value_name = "ID", env = "COGNITO_USER_POOL_ID")]
    pub pool_id: String,
    /// App client ID
    #[arg(long, value_name = "ID", env = "COGNITO_CLIENT_ID")]
    pub client_id: String,
    /// AWS region of the user pool. The default is the region in the user pool ID
    #[arg(long, value_name = "R", env = "COGNITO_REGION")]
    pub region: Option<String>,
    /// URL of the JWK Set. The default is <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "URL")]
    pub jwks: Option<String>,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    #[command(flatten)]
    pub options: AccountOptions,
    #[command(flatten)]
    pub revocation: RevocationArguments,
}

/// The settings of the account flows.
#[derive(Args, Debug)]
pub struct AccountOptions {
    /// File with the app client's secret. The default is the environment variable COGNITO_CLIENT_SECRET
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// URL of the user pools API, for example of an emulator or a VPC endpoint. The default is the AWS endpoint of the region
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")]
    pub endpoint: Option<String>,
    /// Password policy of the user pool: the minimum length, and which of upper, lower, number and symbol it requires
    #[arg(long, value_name = "POLICY", default_value = "8,upper,lower,number,symbol", value_parser = password_policy)]
    pub password_policy: PasswordPolicy,
    /// Require this attribute in a sign-up, because the user pool does; may be repeated
    #[arg(long = "require-attribute", value_name = "NAME", value_delimiter = ',')]
    pub required_attributes: Vec<String>,
    /// Return password-reset-required (sign-in), account-not-confirmed and password-rejected (recovery), alias-taken (confirming a sign-up,
    /// verifying an attribute) and mfa-not-set-up (challenges) to clients. By default, clients get the error of a wrong password, code or
    /// session. Use it only if your user pool checks the password, code or session before it raises these exceptions, and test that first.
    /// Sign-in never returns account-not-confirmed. If usernames are not addresses, a client that signs up with their own email address
    /// receives a code only if the username was free; this option does not change that
    #[arg(long)]
    pub credentials_checked_first: bool,
    /// Use REFRESH_TOKEN_AUTH instead of GetTokensFromRefreshToken to refresh tokens
    #[arg(long)]
    pub refresh_token_auth: bool,
}

/// The user pool and the app client of the account flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPool {
    pub id: String,
    pub client_id: String,
    pub region: Option<String>,
    pub jwks: Option<String>,
}

impl Connection {
    /// The builder of the accounts.
    pub async fn accounts(&self) -> Result<AccountsBuilder, CommandError> {
        let Self { pool_id, client_id, region, jwks, allow_http_loopback, options, revocation } = self;
        revocation.require_writable()?;
        let (id, client_id) = (pool_id.clone(), client_id.clone());
        let pool = AccountPool { id, client_id, region: region.clone(), jwks: jwks.clone() };
        let builder = Verifier::builder().pool(pool.verified()).allow_http_loopback(*allow_http_loopback);
        let verifier = with_store(builder, revocation.store(*allow_http_loopback)?.as_ref()).build().await?;
        pool.accounts(verifier, options, *allow_http_loopback)
    }
}

impl AccountPool {
    /// The pool for the verifier of the tokens that Cognito issues: access tokens and ID tokens.
    pub fn verified(&self) -> Pool {
        let mut pool = Pool::user_pool(&self.id).client_ids([&self.client_id]).token_use(TokenUseRule::AccessOrId);
        if let Some(region) = &self.region {
            pool = pool.region(region);
        }
        if let Some(url) = &self.jwks {
            pool = pool.jwks_url(url);
        }
        pool
    }

    /// The builder of the accounts.
    pub fn accounts(
        &self,
        verifier: Verifier,
        options: &AccountOptions,
        allow_http_loopback: bool,
    ) -> Result<AccountsBuilder, CommandError> {
        let mut builder = Accounts::builder(verifier, &self.id, &self.client_id)
            .allow_http_loopback(allow_http_loopback)
            .password_policy(options.password_policy)
            .required_attributes(&options.required_attributes);
        if let Some(secret) = options.client_secret()? {
            builder = builder.client_secret(secret);
        }
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &options.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if options.credentials_checked_first {
            builder = builder.credentials_checked_first();
        }
        if options.refresh_token_auth {
            builder = builder.refresh_flow(RefreshFlow::RefreshTokenAuth);
        }
        Ok(match compilation_cache() {
            Some(directory) => builder.compilation_cache(directory),
            None => builder,
        })
    }
}

impl AccountOptions {
    fn client_secret(&self) -> Result<Option<SecretString>, CommandError> {
        let Some(path) = &self.client_secret_file else {
            return Ok(environment::client_secret());
        };
        let unreadable = |error| CommandError::Usage(format!("{}: {error}", path.display()));
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        Ok(Some(text.trim_end().into()))
    }
}

/// Sets the store of revoked tokens and the cache of compiled code.
pub fn with_store(mut builder: VerifierBuilder, store: Option<&Store>) -> VerifierBuilder {
    if let Some((store, mode)) = store {
        builder = builder.revocations(store.clone(), *mode);
    }
    match compilation_cache() {
        Some(directory) => builder.compilation_cache(directory),
        None => builder,
    }
}

fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    let mut parts = text.split(',');
    let min_length = parts.next().and_then(|part| part.parse().ok()).filter(|length| (6..=99).contains(length));
    let min_length = min_length.ok_or("must begin with the minimum length, from 6 to 99")?;
    let none = PasswordPolicy { min_length, uppercase: false, lowercase: false, number: false, symbol: false };
    parts.try_fold(none, |policy, part| match part {
        "upper" => Ok(PasswordPolicy { uppercase: true, ..policy }),
        "lower" => Ok(PasswordPolicy { lowercase: true, ..policy }),
        "number" => Ok(PasswordPolicy { number: true, ..policy }),
        "symbol" => Ok(PasswordPolicy { symbol: true, ..policy }),
        _ => Err("after the length, only upper, lower, number and symbol are allowed".into()),
    })
}
