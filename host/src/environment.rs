//! Configuration from the environment, under the names that Cognito deployments use. A variable that is empty is not set.

use crate::{BuildError, Pool};
use secrecy::SecretString;
use std::env;

/// `COGNITO_USER_POOL_ID`: the user pool ID.
pub fn user_pool_id() -> Option<String> {
    variable(USER_POOL_ID)
}

/// `COGNITO_REGION`: the region whose issuer the tokens carry, where it is not the one in the pool's ID.
pub fn region() -> Option<String> {
    variable("COGNITO_REGION")
}

/// `COGNITO_CLIENT_ID`: the app client IDs, separated by commas.
pub fn client_ids() -> Option<Vec<String>> {
    Some(variable(CLIENT_ID)?.split(',').map(|id| id.trim().to_owned()).collect())
}

/// `COGNITO_CLIENT_SECRET`: the app client's secret.
pub fn client_secret() -> Option<SecretString> {
    variable("COGNITO_CLIENT_SECRET").map(Into::into)
}

/// `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`: where the user pools API is, if not at AWS.
pub fn endpoint() -> Option<String> {
    variable("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
}

const USER_POOL_ID: &str = "COGNITO_USER_POOL_ID";
const CLIENT_ID: &str = "COGNITO_CLIENT_ID";

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Pool {
    /// A user pool with its app clients from `COGNITO_USER_POOL_ID`, `COGNITO_CLIENT_ID` (several, separated by commas) and,
    /// where the issuer's region is not the one in the pool's ID, `COGNITO_REGION`. The token use is left to be stated.
    ///
    /// # Errors
    /// [`BuildError::Environment`] if one of the first two is not set.
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
