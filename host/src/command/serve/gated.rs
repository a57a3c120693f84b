//! `poolgate serve --config`: a gate decides about the requests of `/v1/verify` and `/v1/ext-authz`.

use crate::command::{
    arguments::ServeArguments, config, connection::AccountPool, output::CommandError, revocation::Store,
};
use poolgate::Gate;
use std::path::Path;

/// What the gateway serves beside the decisions of the gate.
pub fn account_pool(arguments: &ServeArguments) -> Result<Option<AccountPool>, CommandError> {
    let flows = &arguments.flows;
    let usage = |text: String| Err(CommandError::Usage(text));
    let Some(id) = &flows.account_pool_id else {
        if let Some(option) = flows.any_set() {
            return usage(format!("{option} has no use without --account-pool-id: --config has no account flows"));
        }
        if arguments.revocation.is_in_memory() {
            return usage(
                "--revocation memory has no use without account flows: nothing else can write to it".to_owned(),
            );
        }
        return Ok(None);
    };
    let Some(client_id) = &flows.account_client_id else {
        return usage("--account-pool-id needs --account-client-id, the app client of the account flows".to_owned());
    };
    Ok(Some(AccountPool {
        id: id.clone(),
        client_id: client_id.clone(),
        region: flows.account_region.clone(),
        jwks: flows.account_jwks.clone(),
    }))
}

/// Reads the file, on a thread for blocking work.
pub async fn read(file: &Path) -> Result<String, CommandError> {
    let file = file.to_owned();
    let read = tokio::task::spawn_blocking(move || config::read(&file)).await;
    read.map_err(|error| CommandError::Usage(error.to_string()))?
}

/// Builds the gate of a configuration.
pub async fn gate(arguments: &ServeArguments, json: String, store: Option<&Store>) -> Result<Gate, CommandError> {
    let limits = &arguments.limits;
    let mut builder = config::builder(json, arguments.allow_http_loopback);
    builder = builder.call_limit(limits.max_verifications);
    if let Some(count) = limits.instances {
        builder = builder.instances(count);
    }
    if let Some((store, mode)) = store {
        builder = builder.revocations(store.clone(), *mode);
    }
    let gate = builder.build().await?;
    if store.is_some()
        && let Some(accounts) = account_pool(arguments)?
    {
        check_revocable(&gate, &accounts).await?;
    }
    for warning in gate.warnings() {
        tracing::warn!(%warning, "the configuration");
    }
    if !gate.forwards_tokens() {
        tracing::warn!(
            hint = "in nginx: proxy_set_header Authorization \"\"; in Caddy: request_header -Authorization after forward_auth",
            "tokens.forward is false, and only the proxy can remove the token: the gateway sees a copy of the request"
        );
    }
    Ok(gate)
}

/// A sign-out names the user pool by the first form of its issuer. A pool of the configuration that accepts its tokens must have the same name.
async fn check_revocable(gate: &Gate, accounts: &AccountPool) -> Result<(), CommandError> {
    let reports = gate.verifier().key_reports().await;
    let reports = reports.map_err(|denial| CommandError::Usage(denial.to_string()))?;
    let suffix = format!("/{}", accounts.id);
    let is_its_issuer = |issuer: &String| issuer.trim_end_matches('/').ends_with(&suffix);
    let is_revocable = reports.iter().all(|report| match report.issuers.first() {
        Some(first) => {
            !report.issuers.iter().any(is_its_issuer)
                || (first.starts_with("https://cognito-idp.") && first.ends_with(&suffix))
        }
        None => false,
    });
    let accepts_any = reports.iter().any(|report| report.issuers.iter().any(String::is_empty));
    match is_revocable && !accepts_any {
        true => Ok(()),
        false => Err(CommandError::Usage(
            "with --revocation, the configuration must name the user pool of the account flows by user_pool_id: /v1/verify might not see its \
             sign-outs otherwise"
                .to_owned(),
        )),
    }
}
