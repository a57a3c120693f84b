//! Settings from environment variables, with the names that Cognito deployments commonly use. An empty variable counts as not set.

use crate::{BuildError, Pool};
use secrecy::SecretString;
use std::env;

/// Reads `COGNITO_USER_POOL_ID`, the user pool ID.
pub fn user_pool_id() -> Option<String> {
    variable(USER_POOL_ID)
}

/// Reads `COGNITO_REGION`, the region in the issuer of the tokens. It is needed only if it differs from the region in the user pool ID.
pub fn region() -> Option<String> {
    variable("COGNITO_REGION")
}

/// Reads `COGNITO_CLIENT_ID`, a comma-separated list of app client IDs.
pub fn client_ids() -> Option<Vec<String>> {
    Some(variable(CLIENT_ID)?.split(',').map(|id| id.trim().to_owned()).collect())
}

/// Reads `COGNITO_CLIENT_SECRET`, the secret of the app client.
pub fn client_secret() -> Option<SecretString> {
    variable("COGNITO_CLIENT_SECRET").map(Into::into)
}

/// Reads `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`, the URL of the user pools API, for emulators and proxies.
pub fn endpoint() -> Option<String> {
    variable("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
}

const USER_POOL_ID: &str = "COGNITO_USER_POOL_ID";
const CLIENT_ID: &str = "COGNITO_CLIENT_ID";

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Pool {
    /// Creates a pool from environment variables.
    ///
    /// * `COGNITO_USER_POOL_ID`: the user pool ID. Required.
    /// * `COGNITO_CLIENT_ID`: a comma-separated list of app client IDs. Required.
    /// * `COGNITO_REGION`: the region in the issuer, if it differs from the region in the user pool ID.
    ///
    /// The token use is not read from the environment: call [`Pool::token_use`].
    ///
    /// # Errors
    ///
    /// Returns [`BuildError::Environment`] if a required variable is not set.
    pub fn from_environment() -> Result<Self, BuildError> {
        let id = user_pool_id().ok_or(BuildError::Environment(USER_POOL_ID))?;
        let clients = client_ids().ok_or(BuildError::Environment(CLIENT_ID))?;
        let pool = Pool::user_pool(id).client_ids(clients);
        Ok(match region() {
            Some(region) => pool.region(region),
            None => pool,
        })
    }
}
