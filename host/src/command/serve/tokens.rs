//! Which verifiers the gateway has. The account flows need one that accepts each token of their user pool and app client: a sign-out must not
//! fail because a token is not for an API. If `/v1/verify` accepts something else, it has a verifier of its own.

use crate::command::{
    arguments::{FlowArguments, IssuerArguments, ServeArguments, TokenUse},
    connection::AccountPool,
    output::CommandError,
    pools,
    verify::is_url,
};
use poolgate::Pool;

const NEEDS: &str =
    "the account flows need one user pool and one app client: name them with --account-pool-id and --account-client-id";

/// What the gateway serves, and with which verifiers.
#[derive(Debug)]
pub enum Served {
    /// The account flows. Their verifier is also that of `/v1/verify`, which requires this token use.
    OneVerifier(AccountPool, TokenUse),
    /// The account flows with a verifier for the first pool, and `/v1/verify` with a verifier for the others.
    TwoVerifiers(AccountPool, Box<Pool>, Vec<Pool>),
    /// Only `/v1/verify`.
    NoAccounts(Vec<Pool>),
}

impl Served {
    pub fn of(arguments: &ServeArguments) -> Result<Self, CommandError> {
        if arguments.jwks.as_deref().is_some_and(|text| !is_url(text)) {
            return Err(usage(
                "--jwks must be a URL: keys in a file would be used for 24 hours, and never be refreshed".into(),
            ));
        }
        let token_use = token_use(arguments)?;
        let clients = match arguments.issuer.identity_pool_id {
            // An identity pool is its own client.
            Some(_) => None,
            None => pools::client_ids(&arguments.clients)?,
        };
        let clients = clients.as_deref().unwrap_or_default();
        let Some(accounts) = account_pool(arguments, clients)? else {
            if let Some(option) = arguments.flows.any_set() {
                return Err(usage(format!("{option} has no use without account flows; {NEEDS}")));
            }
            if arguments.revocation.is_in_memory() {
                return Err(usage(
                    "--revocation memory has no use without account flows: nothing else can write to it".into(),
                ));
            }
            return Ok(Self::NoAccounts(verified(arguments, token_use)?));
        };
        let is_same = pools::user_pool_ids(&arguments.issuer) == [accounts.id.as_str()]
            && clients == [accounts.client_id.as_str()]
            && !arguments.policy.is_any_set()
            && !arguments.discovery.is_any_set()
            && !matches!(token_use, TokenUse::Unchecked);
        if is_same {
            return Ok(Self::OneVerifier(accounts, token_use));
        }
        if arguments.revocation.revocation.is_some() {
            check_revocable(&arguments.issuer, &accounts)?;
        }
        let signed_in = Box::new(signed_in(arguments, &accounts));
        Ok(Self::TwoVerifiers(accounts, signed_in, verified(arguments, token_use)?))
    }
}

/// The pool of the account flows. If `/v1/verify` accepts tokens of this user pool that are bound to an API, their users can sign out, too.
fn signed_in(arguments: &ServeArguments, accounts: &AccountPool) -> Pool {
    let (pool, policy) = (accounts.verified(), &arguments.policy);
    if !pools::user_pool_ids(&arguments.issuer).contains(&accounts.id) {
        return pool;
    }
    match policy.resources.as_slice() {
        [] if policy.any_resource => pool.any_resource(),
        [] => pool,
        // An access token of the app client may still be unbound, or name the app client in `aud`.
        resources => {
            pool.resources(resources.iter().chain([&accounts.client_id])).unbound_clients([&accounts.client_id])
        }
    }
}

/// The pools of `/v1/verify`.
fn verified(arguments: &ServeArguments, token_use: TokenUse) -> Result<Vec<Pool>, CommandError> {
    let pools = pools::all(&arguments.issuer, &arguments.clients, &arguments.policy, token_use)?;
    match &arguments.jwks {
        None => Ok(pools.into_iter().map(|pool| arguments.discovery.apply(pool)).collect()),
        Some(_) if pools.len() > 1 => Err(pools::one_key_set()),
        Some(url) => Ok(pools.into_iter().map(|pool| pool.jwks_url(url)).collect()),
    }
}

/// Only the tokens of Cognito have the claim `token_use`.
fn token_use(arguments: &ServeArguments) -> Result<TokenUse, CommandError> {
    match (arguments.token_use, pools::is_user_pool(&arguments.issuer)) {
        (Some(token_use), _) => Ok(token_use),
        (None, true) => Ok(TokenUse::Access),
        (None, false) => Err(usage(
            "--token-use is required for another issuer than a user pool; it is `unchecked` if its tokens have no claim token_use".into(),
        )),
    }
}

/// The user pool and the app client of the account flows. `None` if there are none.
fn account_pool(arguments: &ServeArguments, clients: &[String]) -> Result<Option<AccountPool>, CommandError> {
    let flows = &arguments.flows;
    if flows.no_accounts {
        return Ok(None);
    }
    let known = pools::user_pool_ids(&arguments.issuer);
    let id = match (&flows.account_pool_id, known.as_slice()) {
        (Some(id), _) => id,
        (None, [id]) => id,
        // Another issuer.
        (None, []) => return Ok(None),
        (None, _) => return Err(usage(format!("there are several --pool-id; {NEEDS}, or use --no-accounts"))),
    };
    let is_known = known.contains(id);
    if is_known && let Some(option) = option_of_another_pool(flows) {
        return Err(usage(format!("{option} is for an --account-pool-id that is not a --pool-id")));
    }
    let client_id = match (&flows.account_client_id, clients) {
        (Some(id), _) => id,
        (None, [id]) if is_known => id,
        (None, _) => return Err(usage(format!("the app client is not known; {NEEDS}, or use --no-accounts"))),
    };
    let (region, jwks) = match is_known {
        true => (pools::region(&arguments.issuer), arguments.jwks.clone()),
        false => (flows.account_region.clone(), flows.account_jwks.clone()),
    };
    Ok(Some(AccountPool { id: id.clone(), client_id: client_id.clone(), region, jwks }))
}

fn option_of_another_pool(flows: &FlowArguments) -> Option<&'static str> {
    let region = flows.account_region.as_ref().map(|_| "--account-region");
    region.or(flows.account_jwks.as_ref().map(|_| "--account-jwks"))
}

/// A sign-out names the user pool by the first form of its issuer. A verifier that does not know it as a user pool might look for another name: for
/// the first of several issuers, or for the issuer in the token.
fn check_revocable(issuer: &IssuerArguments, accounts: &AccountPool) -> Result<(), CommandError> {
    let (id, region) = (&accounts.id, accounts.region.as_deref().or(accounts.id.split('_').next()).unwrap_or_default());
    let first_form = format!("https://cognito-idp.{region}.amazonaws.com/{id}");
    let is_its_issuer = |url: &String| {
        ["https://cognito-idp.", "https://issuer-cognito-idp."].iter().any(|form| url.starts_with(form))
            && url.trim_end_matches('/').ends_with(&format!("/{id}"))
    };
    let has_other_name = issuer.issuer != [first_form] && issuer.issuer.iter().any(is_its_issuer);
    if issuer.any_issuer || has_other_name {
        return Err(usage(
            "with --revocation, /v1/verify might not see the sign-outs of this user pool; accept its tokens with --pool-id".into(),
        ));
    }
    Ok(())
}

fn usage(text: String) -> CommandError {
    CommandError::Usage(text)
}
