//! Configuration from the environment, under the names that Cognito deployments use.

use crate::{BuildError, Pool};

/// The user pool ID.
const USER_POOL_ID: &str = "COGNITO_USER_POOL_ID";
/// The region whose issuer the tokens carry; optional.
const REGION: &str = "COGNITO_REGION";
/// The app client IDs, separated by commas.
const CLIENT_ID: &str = "COGNITO_CLIENT_ID";

impl Pool {
    /// A user pool with its app clients from `COGNITO_USER_POOL_ID`, `COGNITO_CLIENT_ID` (several, separated by commas) and,
    /// where the issuer's region is not the one in the pool's ID, `COGNITO_REGION`. The token use is left to be stated.
    ///
    /// # Errors
    /// [`BuildError::Environment`] if one of the first two is not set.
    pub fn from_environment() -> Result<Self, BuildError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let id = variable(USER_POOL_ID).ok_or(BuildError::Environment(USER_POOL_ID))?;
        let clients = variable(CLIENT_ID).ok_or(BuildError::Environment(CLIENT_ID))?;
        let pool = Pool::user_pool(id).client_ids(clients.split(',').map(str::trim));
        Ok(match variable(REGION) {
            Some(region) => pool.region(region),
            None => pool,
        })
    }
}
