//! The options of the account flows that `poolgate account` and `poolgate serve` share: user pool, app client, revocation store.

use super::{cache::compilation_cache, output::CommandError};
use clap::Args;
use poolgate::{
    Pool, TokenUseRule, Verifier,
    accounts::{Accounts, AccountsBuilder, PasswordPolicy, RefreshFlow},
    environment,
    revocation::{InMemory, MAX_COGNITO_TOKEN_LIFETIME, RevocationMode, Revocations},
};
use secrecy::{ExposeSecret, SecretString};
#[cfg(feature = "redis")]
use std::time::Duration;
use std::{convert::Infallible, fs, num::NonZeroUsize, path::PathBuf, sync::Arc};
use zeroize::Zeroizing;

/// The maximum number of revocations in memory, which is about 200 MB.
const MAX_REVOCATIONS: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("not zero");

#[derive(Args, Debug)]
pub struct Connection {
    /// User pool ID, such as eu-west-1_EXAMPLE01
    #[arg(long, value_name = "ID", env = "COGNITO_USER_POOL_ID")]
    pub pool_id: String,
    /// App client ID
    #[arg(long, value_name = "ID", env = "COGNITO_CLIENT_ID")]
    pub client_id: String,
    /// File with the app client's secret. The default is the environment variable COGNITO_CLIENT_SECRET
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// AWS region of the user pool. The default is the region in the user pool ID
    #[arg(long, value_name = "R", env = "COGNITO_REGION")]
    pub region: Option<String>,
    /// URL of the user pools API, for example of an emulator or a VPC endpoint. The default is the AWS endpoint of the region
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")]
    pub endpoint: Option<String>,
    /// URL of the JWK Set. The default is <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "URL")]
    pub jwks: Option<String>,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
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
    /// Store of revoked tokens: "memory" (of this process), or a Redis, redis[s]://[user][:password@]host[:port][/database]. Revoked tokens
    /// are rejected. Sign-outs, deletions of users and revocations are written to the store
    #[arg(long, value_name = "STORE", env = "POOLGATE_REVOCATION", hide_env_values = true, requires = "revocation_mode", value_parser = secret)]
    pub revocation: Option<SecretString>,
    /// Accept (fail-open) or reject (fail-closed) valid tokens while the store is unavailable
    #[arg(long, value_name = "MODE", env = "POOLGATE_REVOCATION_MODE", requires = "revocation", value_parser = ["fail-open", "fail-closed"])]
    pub revocation_mode: Option<String>,
}

impl Connection {
    /// The builder of the accounts.
    pub async fn accounts(&self) -> Result<AccountsBuilder, CommandError> {
        let verifier = self.verifier().await?;
        let mut builder = Accounts::builder(verifier, &self.pool_id, &self.client_id)
            .allow_http_loopback(self.allow_http_loopback)
            .password_policy(self.password_policy)
            .required_attributes(&self.required_attributes);
        if let Some(secret) = self.client_secret()? {
            builder = builder.client_secret(secret);
        }
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if self.credentials_checked_first {
            builder = builder.credentials_checked_first();
        }
        if self.refresh_token_auth {
            builder = builder.refresh_flow(RefreshFlow::RefreshTokenAuth);
        }
        Ok(match compilation_cache() {
            Some(directory) => builder.compilation_cache(directory),
            None => builder,
        })
    }

    /// The verifier of the tokens that Cognito issues: access tokens and ID tokens.
    async fn verifier(&self) -> Result<Verifier, CommandError> {
        let mut pool = Pool::user_pool(&self.pool_id).client_ids([&self.client_id]).token_use(TokenUseRule::AccessOrId);
        if let Some(region) = &self.region {
            pool = pool.region(region);
        }
        if let Some(url) = &self.jwks {
            pool = pool.jwks_url(url);
        }
        let mut builder = Verifier::builder().pool(pool).allow_http_loopback(self.allow_http_loopback);
        if let (Some(store), Some(mode)) = (&self.revocation, &self.revocation_mode) {
            let mode = match mode.as_str() {
                "fail-open" => RevocationMode::FailOpen,
                _ => RevocationMode::FailClosed,
            };
            builder = builder.revocations(revocations(store)?, mode);
        }
        if let Some(directory) = compilation_cache() {
            builder = builder.compilation_cache(directory);
        }
        Ok(builder.build().await?)
    }

    fn client_secret(&self) -> Result<Option<SecretString>, CommandError> {
        let Some(path) = &self.client_secret_file else {
            return Ok(environment::client_secret());
        };
        let unreadable = |error| CommandError::Usage(format!("{}: {error}", path.display()));
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        Ok(Some(text.trim_end().into()))
    }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

fn revocations(store: &SecretString) -> Result<Arc<dyn Revocations>, CommandError> {
    if store.expose_secret() == "memory" {
        return Ok(Arc::new(InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, MAX_REVOCATIONS)));
    }
    #[cfg(feature = "redis")]
    {
        let redis = poolgate::revocation::Redis::open(store, MAX_COGNITO_TOKEN_LIFETIME, Duration::from_millis(100));
        Ok(Arc::new(
            redis.map_err(|error| {
                CommandError::Usage(format!("--revocation: {error}; the other choice is \"memory\""))
            })?,
        ))
    }
    #[cfg(not(feature = "redis"))]
    Err(CommandError::Usage(
        "--revocation: this build supports only \"memory\"; for a Redis, build with --features redis".into(),
    ))
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
