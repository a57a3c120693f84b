//! `poolgate verify`.

use super::{
    arguments::VerifyArguments,
    batch,
    cache::compilation_cache,
    discovery_warnings, explain, input,
    output::{self, CommandError, Outcome, Palette},
    pools,
};
use poolgate::{Clock, Denial, Explanation, FixedClock, IdTokenChecks, Pool, SystemClock, Verified, Verifier};
use serde_json::Value;
use std::{num::NonZeroUsize, path::Path};

pub async fn run(arguments: Box<VerifyArguments>) -> Result<Outcome, CommandError> {
    let verifier = verifier(&arguments).await?;
    if let Some(path) = &arguments.subject.batch {
        let outcome = batch::run(path, async |token| verdict(&verifier, token).await).await;
        discovery_warnings::print(&verifier);
        return outcome;
    }
    let token = input::token(arguments.subject.token.as_deref())?;
    let verdict = verifier.verify_id_token(&token, &id_token_checks(&arguments)).await;
    discovery_warnings::print(&verifier);
    let now = now(&arguments);
    let explanation = if arguments.explain { explained(&verifier, &token).await } else { None };
    let with_explanation = |mut verdict: Value| {
        if let (Some(explanation), Some(members)) = (&explanation, verdict.as_object_mut()) {
            members.insert("explanation".into(), explain::json(explanation, now));
        }
        verdict
    };
    output::conclude(
        outcome(&verdict),
        arguments.json,
        || with_explanation(json(&token, &verdict)),
        |palette| {
            let explained = explanation.as_ref().map(|explanation| explain::text(explanation, now, palette));
            text(&token, &verdict, palette) + &explained.unwrap_or_default()
        },
    )
}

/// The explanation, with the keys: a token may be rejected before they are needed. A token that is too long is not explained.
async fn explained(verifier: &Verifier, token: &str) -> Option<Explanation> {
    // If they can't be fetched, the explanation says why.
    let _ = verifier.hydrate().await;
    verifier.explain(token).await.ok()
}

/// The time as of which the token is verified, in seconds since the Unix epoch.
fn now(arguments: &VerifyArguments) -> u64 {
    arguments.at.unwrap_or_else(|| SystemClock.now().as_secs())
}

fn id_token_checks(arguments: &VerifyArguments) -> IdTokenChecks {
    let mut checks = IdTokenChecks::new();
    if let Some(nonce) = &arguments.nonce {
        checks = checks.nonce(nonce);
    }
    if let Some(access_token) = &arguments.access_token {
        checks = checks.access_token(access_token);
    }
    checks
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
    if let Some((feed, mode)) = arguments.feed.store(arguments.allow_http_loopback, arguments.timeout).await? {
        builder = builder.revocations(feed, mode);
    }
    let verifier = builder.build().await?;
    if let Some(jwks) = jwks {
        // With --at, the keys are considered as of that time.
        load_key_set(&verifier, jwks, now(arguments), key_file.unwrap_or_default()).await?;
    }
    Ok(verifier)
}

/// Loads the key set from a file for the verifier's only pool, and lists the keys that are not used.
async fn load_key_set(verifier: &Verifier, jwks: Vec<u8>, received_at: u64, path: &str) -> Result<(), CommandError> {
    let usage = |text: String| CommandError::Usage(format!("{path}: {text}"));
    let reports = verifier.key_reports().await.map_err(|denial| usage(denial.to_string()))?;
    // Each report is for one set of local keys. That of a load balancer is named by its ARN.
    for report in &reports {
        let issuer = report.issuers.first().cloned().unwrap_or_default();
        let loaded = verifier.load_key_set(issuer, jwks.clone(), received_at).await;
        output::warn_of_skipped_keys(path, &loaded.map_err(|error| usage(error.to_string()))?);
    }
    Ok(())
}

/// Returns one pool for each user pool, or one for another issuer.
fn pools(arguments: &VerifyArguments, is_key_file: bool) -> Result<Vec<Pool>, CommandError> {
    let pools = pools::all(&arguments.issuer, &arguments.clients, &arguments.policy, arguments.token_use)?;
    if is_key_file && pools.len() > 1 {
        return Err(CommandError::Usage(
            "--jwks with a file is for one --pool-id: each user pool has its own keys".into(),
        ));
    }
    if matches!(&arguments.jwks, Some(url) if is_url(url)) && pools.len() > 1 {
        return Err(pools::one_key_set());
    }
    Ok(pools.into_iter().map(|pool| with_keys(pool, arguments, is_key_file)).collect())
}

fn with_keys(pool: Pool, arguments: &VerifyArguments, is_key_file: bool) -> Pool {
    match &arguments.jwks {
        _ if is_key_file => pool.local_keys_only(),
        Some(url) => pool.jwks_url(url),
        None => arguments.discovery.apply(pool),
    }
}

pub(super) fn is_url(text: &str) -> bool {
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
