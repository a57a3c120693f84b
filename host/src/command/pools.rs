//! The pools that the options of `poolgate verify` and `poolgate serve` describe.

use super::{
    arguments::{ClientArguments, Guests, IssuerArguments, PolicyArguments, TokenUse},
    output::CommandError,
    policy,
};
use poolgate::{Algorithm, GuestRule, Pool, TokenUseRule, environment};

/// Returns one pool for each user pool, or one for another issuer. Their keys are at the issuers' own URLs.
pub fn all(
    issuer: &IssuerArguments,
    clients: &ClientArguments,
    policy: &PolicyArguments,
    token_use: TokenUse,
) -> Result<Vec<Pool>, CommandError> {
    let is_of_aws = is_user_pool(issuer) || issuer.identity_pool_id.is_some() || !issuer.alb_arns.is_empty();
    // Cognito and load balancers use one algorithm. The keys of another issuer may be of any kind.
    let default_algorithms = if is_of_aws { Vec::new() } else { Algorithm::ALL.to_vec() };
    let configured = |pool| {
        let pool = policy::apply(pool, policy, default_algorithms.clone())?;
        let pool = match issuer.identity_pool_id {
            // An identity pool is its own client.
            Some(_) => pool,
            None => match client_ids(clients)? {
                Some(ids) => pool.client_ids(ids),
                None => pool.any_client(),
            },
        };
        Ok(pool.token_use(token_use.into()))
    };
    of_issuers(issuer)?.into_iter().map(configured).collect()
}

/// Whether the options describe user pools, and no other issuer.
pub fn is_user_pool(arguments: &IssuerArguments) -> bool {
    arguments.issuer.is_empty()
        && arguments.issuer_template.is_none()
        && arguments.identity_pool_id.is_none()
        && !arguments.any_issuer
}

/// Returns the user pools, by default that of the environment. It is empty if the options describe another issuer.
pub fn user_pool_ids(arguments: &IssuerArguments) -> Vec<String> {
    match arguments.pool_id.as_slice() {
        _ if !is_user_pool(arguments) => Vec::new(),
        [] => environment::user_pool_id().into_iter().collect(),
        ids => ids.to_vec(),
    }
}

/// Returns the region of the user pools, by default that of the environment.
pub fn region(arguments: &IssuerArguments) -> Option<String> {
    arguments.region.clone().or_else(environment::region)
}

/// Returns the clients, by default those of the environment. `None` if every client is accepted.
pub fn client_ids(arguments: &ClientArguments) -> Result<Option<Vec<String>>, CommandError> {
    match (arguments.any_client, arguments.client_id.as_slice()) {
        (true, _) => Ok(None),
        (false, []) => environment::client_ids()
            .map(Some)
            .ok_or_else(|| CommandError::Usage("one of --client-id or --any-client is required".into())),
        (false, ids) => Ok(Some(ids.to_vec())),
    }
}

/// The error for a key set of several user pools.
pub fn one_key_set() -> CommandError {
    CommandError::Usage("--jwks is for one --pool-id: each user pool has its own keys".into())
}

fn of_issuers(arguments: &IssuerArguments) -> Result<Vec<Pool>, CommandError> {
    let one = |pool| Ok(vec![pool]);
    if let (Some(id), Some(guests)) = (&arguments.identity_pool_id, arguments.guests) {
        return one(Pool::identity_pool(
            id,
            match guests {
                Guests::Refuse => GuestRule::Refuse,
                Guests::Accept => GuestRule::Accept,
            },
        ));
    }
    if let Some(template) = &arguments.issuer_template {
        return match arguments.tenants.as_slice() {
            [] if arguments.any_tenant => one(Pool::any_tenant(template)),
            [] => Err(CommandError::Usage("--issuer-template requires --tenant or --any-tenant".into())),
            tenants => one(Pool::tenants(template, tenants)),
        };
    }
    if arguments.any_issuer {
        return one(Pool::any_issuer());
    }
    match arguments.issuer.as_slice() {
        [issuer] if !arguments.alb_arns.is_empty() => {
            return one(Pool::application_load_balancers(issuer, &arguments.alb_arns));
        }
        _ if !arguments.alb_arns.is_empty() => {
            return Err(CommandError::Usage("--alb-arn requires one --issuer, the iss of the tokens".into()));
        }
        [] => {}
        [issuer] => return one(Pool::issuer(issuer)),
        issuers => return one(Pool::issuers(issuers)),
    }
    let region = region(arguments);
    let user_pool = |id| match &region {
        Some(region) => Pool::user_pool(id).region(region),
        None => Pool::user_pool(id),
    };
    match user_pool_ids(arguments) {
        ids if ids.is_empty() => Err(CommandError::Usage("one of --pool-id or --issuer is required".into())),
        ids => Ok(ids.into_iter().map(user_pool).collect()),
    }
}

impl From<TokenUse> for TokenUseRule {
    fn from(token_use: TokenUse) -> Self {
        match token_use {
            TokenUse::Access => TokenUseRule::Access,
            TokenUse::Id => TokenUseRule::Id,
            TokenUse::Any => TokenUseRule::AccessOrId,
            TokenUse::Unchecked => TokenUseRule::Unchecked,
        }
    }
}
