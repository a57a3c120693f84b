//! The options that say which tokens are accepted, applied to a pool.

use super::{
    arguments::{ClientClaimName, PolicyArguments},
    input,
    output::CommandError,
};
use poolgate::{Algorithm, ClientClaim, Pool};
use std::time::Duration;

/// Applies the options to a pool. `default_algorithms` are accepted if no algorithm is configured; an empty list means the verifier's default.
pub fn apply(
    mut pool: Pool,
    arguments: &PolicyArguments,
    default_algorithms: Vec<Algorithm>,
) -> Result<Pool, CommandError> {
    pool = pool
        .algorithms(match arguments.algorithms.as_slice() {
            [] => default_algorithms,
            names => input::algorithms(names)?,
        })
        .types(&arguments.types)
        .unbound_clients(&arguments.unbound_clients)
        .leeway(Duration::from_secs(arguments.leeway.into()));
    pool = match (arguments.groups.as_slice(), arguments.all_groups) {
        ([], _) => pool,
        (groups, false) => pool.any_of_groups(groups),
        (groups, true) => pool.all_of_groups(groups),
    };
    pool = match (arguments.scopes.as_slice(), arguments.all_scopes) {
        ([], _) => pool,
        (scopes, false) => pool.any_of_scopes(scopes),
        (scopes, true) => pool.all_of_scopes(scopes),
    };
    if !arguments.resources.is_empty() {
        pool = pool.resources(&arguments.resources);
    }
    if arguments.any_resource {
        pool = pool.any_resource();
    }
    if let Some(claim) = arguments.client_claim {
        pool = pool.client_claim(match claim {
            ClientClaimName::Aud => ClientClaim::Aud,
            ClientClaimName::ClientId => ClientClaim::ClientId,
            ClientClaimName::Azp => ClientClaim::Azp,
            ClientClaimName::Appid => ClientClaim::Appid,
            ClientClaimName::Cid => ClientClaim::Cid,
        });
    }
    if let Some(claim) = &arguments.scope_claim {
        pool = pool.scope_claim(claim);
    }
    for rule in &arguments.claims {
        pool = pool.claim(rule.clone());
    }
    if let Some(seconds) = arguments.max_age {
        pool = pool.max_age(Duration::from_secs(seconds.into()));
    }
    if arguments.any_subject {
        pool = pool.any_subject();
    }
    if arguments.ignore_confirmation {
        pool = pool.ignore_confirmation();
    }
    Ok(pool)
}
