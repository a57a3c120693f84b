//! `poolgate verify`.

use super::{
    arguments::{Guests, IssuerArguments, TokenUse, VerifyArguments},
    batch,
    cache::compilation_cache,
    input,
    output::{self, CommandError, Outcome, Palette},
    policy,
};
use poolgate::{
    Algorithm, Clock, Denial, FixedClock, GuestRule, Pool, SystemClock, TokenUseRule, Verified, Verifier, environment,
};
use serde_json::Value;
use std::{num::NonZeroUsize, path::Path};

pub async fn run(arguments: Box<VerifyArguments>) -> Result<Outcome, CommandError> {
    let verifier = verifier(&arguments).await?;
    if let Some(path) = &arguments.subject.batch {
        return batch::run(path, async |token| verdict(&verifier, token).await).await;
    }
    let token = input::token(arguments.subject.token.as_deref())?;
    let verdict = verifier.verify(&token).await;
    output::conclude(
        outcome(&verdict),
        arguments.json,
        || json(&token, &verdict),
        |palette| text(&token, &verdict, palette),
    )
}

async fn verifier(arguments: &VerifyArguments) -> Result<Verifier, CommandError> {
    let key_file = arguments.jwks.as_deref().filter(|text| !is_url(text));
    let jwks = key_file.map(|path| input::key_set(Path::new(path))).transpose()?;
    let mut builder = Verifier::builder();
    for pool in pools(arguments, key_file.is_some())? {
        builder = builder.pool(pool);
    }
    builder = builder
        .allow_http_loopback(arguments.allow_http_loopback)
        .connect_timeout(arguments.timeout)
        .fetch_timeout(arguments.timeout)
        // The tokens are verified one after another.
        .instances(NonZeroUsize::MIN);
    if arguments.subject.batch.is_none() {
        // A single token needs only the keys of its own issuer, which are fetched on demand.
        builder = builder.disable_background_refresh();
    }
    if let Some(seconds) = arguments.at {
        builder = builder.clock(FixedClock::at(seconds));
    }
    if let Some(directory) = compilation_cache() {
        builder = builder.compilation_cache(directory);
    }
    let verifier = builder.build().await?;
    if let Some(jwks) = jwks {
        // With --at, the keys are considered as of that time.
        let received_at = arguments.at.unwrap_or_else(|| SystemClock.now().as_secs());
        load_key_set(&verifier, jwks, received_at, key_file.unwrap_or_default()).await?;
    }
    Ok(verifier)
}

/// Loads the key set from a file for the verifier's only pool, and lists the keys that are not used.
async fn load_key_set(verifier: &Verifier, jwks: Vec<u8>, received_at: u64, path: &str) -> Result<(), CommandError> {
    let usage = |text: String| CommandError::Usage(format!("{path}: {text}"));
    let reports = verifier.key_reports().await.map_err(|denial| usage(denial.to_string()))?;
    let issuer = reports.iter().flat_map(|report| &report.issuers).next().cloned().unwrap_or_default();
    let report = verifier.load_key_set(issuer, jwks, received_at).await.map_err(|error| usage(error.to_string()))?;
    output::warn_of_skipped_keys(path, &report);
    Ok(())
}

/// Returns one pool for each user pool, or one for another issuer.
fn pools(arguments: &VerifyArguments, is_key_file: bool) -> Result<Vec<Pool>, CommandError> {
    let is_cognito = arguments.issuer.issuer.is_empty()
        && arguments.issuer.issuer_template.is_none()
        && !arguments.issuer.any_issuer;
    // Cognito uses one algorithm. The keys of another issuer may be of any kind.
    let default_algorithms = if is_cognito { Vec::new() } else { Algorithm::ALL.to_vec() };
    let of_issuers = issuers(&arguments.issuer)?;
    if is_key_file && of_issuers.len() > 1 {
        return Err(CommandError::Usage(
            "--jwks with a file is for one --pool-id: each user pool has its own keys".into(),
        ));
    }
    if matches!(&arguments.jwks, Some(url) if is_url(url)) && of_issuers.len() > 1 {
        return Err(CommandError::Usage("--jwks is for one --pool-id: each user pool has its own keys".into()));
    }
    of_issuers.into_iter().map(|pool| configured(pool, arguments, is_key_file, default_algorithms.clone())).collect()
}

fn issuers(arguments: &IssuerArguments) -> Result<Vec<Pool>, CommandError> {
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
    let region = arguments.region.clone().or_else(environment::region);
    let user_pool = |id: &str| match &region {
        Some(region) => Pool::user_pool(id).region(region),
        None => Pool::user_pool(id),
    };
    match (arguments.issuer.as_slice(), arguments.pool_id.as_slice()) {
        ([issuer], _) => one(Pool::issuer(issuer)),
        ([], []) => match environment::user_pool_id() {
            Some(id) => one(user_pool(&id)),
            None => Err(CommandError::Usage("one of --pool-id or --issuer is required".into())),
        },
        ([], ids) => Ok(ids.iter().map(|id| user_pool(id)).collect()),
        (issuers, _) => one(Pool::issuers(issuers)),
    }
}

/// Applies the options to a pool.
fn configured(
    pool: Pool,
    arguments: &VerifyArguments,
    is_key_file: bool,
    default_algorithms: Vec<Algorithm>,
) -> Result<Pool, CommandError> {
    let mut pool = policy::apply(pool, &arguments.policy, default_algorithms)?;
    pool = match (&arguments.client_id, arguments.any_client, environment::client_ids()) {
        // An identity pool is its own client.
        _ if arguments.issuer.identity_pool_id.is_some() => pool,
        (_, true, _) => pool.any_client(),
        (ids, false, _) if !ids.is_empty() => pool.client_ids(ids),
        (_, false, Some(ids)) => pool.client_ids(ids),
        (_, false, None) => {
            return Err(CommandError::Usage("one of --client-id or --any-client is required".into()));
        }
    };
    pool = pool.token_use(match arguments.token_use {
        TokenUse::Access => TokenUseRule::Access,
        TokenUse::Id => TokenUseRule::Id,
        TokenUse::Any => TokenUseRule::AccessOrId,
        TokenUse::Unchecked => TokenUseRule::Unchecked,
    });
    if is_key_file {
        pool = pool.local_keys_only();
    } else if let Some(url) = &arguments.jwks {
        pool = pool.jwks_url(url);
    }
    pool = match (arguments.groups.as_slice(), arguments.all_groups) {
        ([], _) => pool,
        (groups, false) => pool.any_of_groups(groups),
        (groups, true) => pool.all_of_groups(groups),
    };
    Ok(match (arguments.scopes.as_slice(), arguments.all_scopes) {
        ([], _) => pool,
        (scopes, false) => pool.any_of_scopes(scopes),
        (scopes, true) => pool.all_of_scopes(scopes),
    })
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

async fn verdict(verifier: &Verifier, token: &str) -> (Outcome, Value) {
    let verdict = verifier.verify(token).await;
    (outcome(&verdict), json(token, &verdict))
}

fn outcome(verdict: &Result<Verified, Denial>) -> Outcome {
    verdict.as_ref().map_or_else(Outcome::from, |_| Outcome::Allowed)
}

fn json(token: &str, verdict: &Result<Verified, Denial>) -> Value {
    match verdict {
        Ok(verified) => output::allowed(&verified.payload),
        Err(denial) => output::denied(denial, input::hint(token)),
    }
}

fn text(token: &str, verdict: &Result<Verified, Denial>, palette: Palette) -> String {
    let verified = match verdict {
        Err(denial) => return output::denied_text(denial, input::hint(token), palette),
        Ok(verified) => verified,
    };
    let mut text = format!("{}\n", palette.success("allow"));
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    for (name, value) in [
        ("subject", optional(&verified.subject)),
        ("username", optional(&verified.username)),
        ("token use", verified.token_use.map(token_use_name).unwrap_or_default().to_owned()),
        ("issuer", optional(&verified.issuer)),
        ("client", optional(&verified.client_id)),
        ("groups", verified.groups.join(" ")),
        ("scopes", verified.scopes.join(" ")),
        ("expires at", verified.expires_at.to_string()),
    ] {
        if !value.is_empty() {
            text += &format!("  {name:<11} {}\n", value.escape_debug());
        }
    }
    text
}

/// The value of the claim `token_use`.
fn token_use_name(token_use: poolgate::TokenUse) -> &'static str {
    match token_use {
        poolgate::TokenUse::Access => "access",
        poolgate::TokenUse::Id => "id",
    }
}
