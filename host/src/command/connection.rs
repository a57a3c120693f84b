//! The user pool and the app client that accounts are run with.

use super::{compilation_cache, output::CommandError};
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

/// Revocations that are remembered in memory: some 200 MB at the most.
const MOST_REVOCATIONS: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("more than none");

#[derive(Args, Debug)]
pub struct Connection {
    /// The user pool ID, such as eu-west-1_EXAMPLE01
    #[arg(long, value_name = "ID", env = "COGNITO_USER_POOL_ID")]
    pub pool_id: String,
    /// The app client ID
    #[arg(long, value_name = "ID", env = "COGNITO_CLIENT_ID")]
    pub client_id: String,
    /// A file with the app client's secret, if it has one; else the variable COGNITO_CLIENT_SECRET
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// The region, where it is not the one in the pool ID
    #[arg(long, value_name = "R", env = "COGNITO_REGION")]
    pub region: Option<String>,
    /// Where the user pools API is, if not at AWS
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")]
    pub endpoint: Option<String>,
    /// The URL of the JWK Set. Without it: <issuer>/.well-known/jwks.json
    #[arg(long, value_name = "URL")]
    pub jwks: Option<String>,
    /// Allow plain http to loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// What the user pool asks of passwords: the least length, and which of upper, lower, number, symbol
    #[arg(long, value_name = "POLICY", default_value = "8,upper,lower,number,symbol", value_parser = password_policy)]
    pub password_policy: PasswordPolicy,
    /// An attribute that the user pool requires of a sign-up; repeat it for several
    #[arg(long = "require-attribute", value_name = "NAME", value_delimiter = ',')]
    pub required_attributes: Vec<String>,
    /// Cognito looks at the password, code or session first, before it says that a password must be reset (sign-in), that an account is not
    /// confirmed or a new password is refused (recovery), that another account has the address (confirming a sign-up, verifying an
    /// attribute), or that a second factor is not set up (challenges): then these are told. Try it with your pool first. That an account is
    /// not confirmed is never told at sign-in, for it would tell who signs up and then signs in whether the name was free. What this
    /// can't hide: where user names are no addresses, a sign-up sends a code to the caller's own mailbox only if the name was free
    #[arg(long)]
    pub credentials_checked_first: bool,
    /// Refresh with REFRESH_TOKEN_AUTH, not with GetTokensFromRefreshToken
    #[arg(long)]
    pub refresh_token_auth: bool,
    /// Where revoked tokens are remembered, which are then refused: "memory", that of this process, or a Redis,
    /// redis[s]://[user][:password@]host[:port][/database]. Sign-outs are remembered there
    #[arg(long, value_name = "STORE", env = "POOLGATE_REVOCATION", hide_env_values = true, requires = "revocation_mode", value_parser = secret)]
    pub revocation: Option<SecretString>,
    /// What becomes of good tokens while that store does not answer
    #[arg(long, value_name = "MODE", env = "POOLGATE_REVOCATION_MODE", requires = "revocation", value_parser = ["fail-open", "fail-closed"])]
    pub revocation_mode: Option<String>,
}

impl Connection {
    /// The accounts, all but built.
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

    /// It judges the tokens that Cognito gives, access and ID tokens alike.
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
        return Ok(Arc::new(InMemory::new(MAX_COGNITO_TOKEN_LIFETIME, MOST_REVOCATIONS)));
    }
    #[cfg(feature = "redis")]
    {
        let redis = poolgate::revocation::Redis::open(store, MAX_COGNITO_TOKEN_LIFETIME, Duration::from_millis(100));
        Ok(Arc::new(redis.map_err(|error| CommandError::Usage(format!("--revocation: {error}, nor \"memory\"")))?))
    }
    #[cfg(not(feature = "redis"))]
    Err(CommandError::Usage(
        "--revocation: this build knows only \"memory\"; for a Redis, build it with --features redis".into(),
    ))
}

fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    let mut parts = text.split(',');
    let min_length = parts.next().and_then(|part| part.parse().ok()).filter(|length| (6..=99).contains(length));
    let min_length = min_length.ok_or("first a least length from 6 to 99")?;
    let none = PasswordPolicy { min_length, uppercase: false, lowercase: false, number: false, symbol: false };
    parts.try_fold(none, |policy, part| match part {
        "upper" => Ok(PasswordPolicy { uppercase: true, ..policy }),
        "lower" => Ok(PasswordPolicy { lowercase: true, ..policy }),
        "number" => Ok(PasswordPolicy { number: true, ..policy }),
        "symbol" => Ok(PasswordPolicy { symbol: true, ..policy }),
        _ => Err("after the length: upper, lower, number, symbol".into()),
    })
}
