//! `poolgate serve`.

mod gated;
mod reload;
mod tokens;

use super::{
    arguments::{FlowArguments, ServeArguments},
    connection::{AccountPool, with_store},
    open_files,
    output::{CommandError, Outcome},
    revocation::Store,
};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use poolgate::{
    Gate, Pool, Verifier,
    accounts::{Accounts, ResponseTimeFloor, UsernameTaken},
    gateway::{CookieError, Deadlines, Gateway, RateLimit, RefreshCookie, RouteError, RouteRules, SameSite},
};
use reload::HangUps;
use reqwest::Client;
use serde_json::json;
use std::{env, io::Write, net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};
use tokens::Served;
use tokio::{
    net::TcpListener,
    signal,
    sync::{Semaphore, watch},
};

/// The maximum time of a request to the operator's hook.
const HOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of requests to the hook in progress. More are dropped, with a warning in the log.
const MAX_HOOKS: usize = 64;

pub async fn run(arguments: Box<ServeArguments>) -> Result<Outcome, CommandError> {
    // clap does not require an option that conflicts with another one.
    if arguments.watch && arguments.config.is_none() {
        return Err(CommandError::Usage("--watch needs --config".to_owned()));
    }
    let store = arguments.revocation.store(arguments.allow_http_loopback)?;
    // From here on, SIGHUP does not end the process.
    let hang_ups = arguments.config.as_ref().map(|_| HangUps::new());
    let (built, reloadable) = built(&arguments, store.as_ref()).await?;
    let gateway = gateway(&arguments, built)?;

    let public = bind(arguments.listen).await?;
    let operations = bind(arguments.operations_listen).await?;
    let addresses = format!(
        "poolgate serves on http://{}\npoolgate shows its metrics on http://{}/metrics\n",
        public.local_addr()?,
        operations.local_addr()?
    );
    let mut stdout = std::io::stdout();
    if let Err(error) = stdout.write_all(addresses.as_bytes()).and_then(|()| stdout.flush()) {
        // The gateway still serves clients if its own output is closed.
        tracing::warn!(%error, "the addresses could not be printed");
    }

    let reloading = reloadable
        .zip(hang_ups)
        .map(|((gate, content), hang_ups)| tokio::spawn(reload::reload(gate, content, hang_ups, arguments, store)));
    let (stop, stopping) = watch::channel(());
    let stopped = |mut stopping: watch::Receiver<()>| async move {
        // An error means that the sender was dropped.
        let _ = stopping.changed().await;
    };
    let shown = gateway.clone();
    let operations_stopped = stopped(stopping.clone());
    let shown = tokio::spawn(async move { shown.serve_operations(operations, operations_stopped).await });
    let served = gateway.serve(public, stopped(stopping));
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping: requests in progress are finished");
        stop.send_replace(());
    });
    served.await;
    // Requests of clients have finished. Requests for metrics are not waited for.
    shown.abort();
    reloading.iter().for_each(|task| task.abort());
    gateway.shut_down().await;
    Ok(Outcome::Allowed)
}

/// Adds a hint to the error of a user pool beside another issuer.
pub fn add_hint(error: &mut clap::Error) {
    let is_conflict = error.kind() == ErrorKind::ArgumentConflict && error.to_string().contains("--pool-id");
    if is_conflict && env::args_os().nth(1).is_some_and(|subcommand| subcommand == "serve") {
        let hint = "name the user pool of the account flows with --account-pool-id, and its app client with --account-client-id";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
}

/// Builds the verifiers and the account flows, and the gate if there is one, with the content of its file.
async fn built(
    arguments: &ServeArguments,
    store: Option<&Store>,
) -> Result<(Gateway, Option<(Gate, String)>), CommandError> {
    let Some(file) = &arguments.config else { return Ok((without_gate(arguments, store).await?, None)) };
    let pool = gated::account_pool(arguments)?;
    if pool.is_some() {
        arguments.revocation.require_writable()?;
    }
    let content = gated::read(file).await?;
    let gate = gated::gate(arguments, content.clone(), store).await?;
    let gateway = match pool {
        None => Gateway::without_accounts(gate.verifier()),
        Some(pool) => {
            let verifier = verifier(arguments, vec![pool.verified()], store).await?;
            Gateway::new(accounts(arguments, &pool, verifier).await?)
        }
    };
    let gateway = gateway.gate(gate.clone()).map_err(|error| CommandError::Usage(error.to_string()))?;
    Ok((gateway, Some((gate, content))))
}

async fn without_gate(arguments: &ServeArguments, store: Option<&Store>) -> Result<Gateway, CommandError> {
    let served = Served::of(arguments)?;
    if !matches!(served, Served::NoAccounts(_)) {
        arguments.revocation.require_writable()?;
    }
    match served {
        Served::OneVerifier(pool, token_use) => {
            let verifier = verifier(arguments, vec![pool.verified()], store).await?;
            Ok(Gateway::new(accounts(arguments, &pool, verifier).await?).verifies(token_use.into()))
        }
        Served::TwoVerifiers(pool, signed_in, verified) => {
            // It has more options that can be wrong. The other one fetches no keys before they are known to be right.
            let of_verify = verifier(arguments, verified, store).await?;
            let of_accounts = verifier(arguments, vec![*signed_in], store).await?;
            let gateway = Gateway::new(accounts(arguments, &pool, of_accounts).await?);
            gateway.verifier(of_verify).map_err(|error| CommandError::Usage(error.to_string()))
        }
        Served::NoAccounts(verified) => Ok(Gateway::without_accounts(verifier(arguments, verified, store).await?)),
    }
}

async fn accounts(
    arguments: &ServeArguments,
    pool: &AccountPool,
    verifier: Verifier,
) -> Result<Accounts, CommandError> {
    let (flows, allow_http_loopback) = (&arguments.flows, arguments.allow_http_loopback);
    let mut builder = pool
        .accounts(verifier, &flows.options, allow_http_loopback)?
        .response_time_floor(ResponseTimeFloor {
            minimum: Duration::from_millis(flows.min_response_ms),
            max_jitter: Duration::from_millis(flows.response_jitter_ms),
        })
        .max_calls(flows.max_calls.get());
    if let Some(url) = &flows.username_taken_hook {
        builder = builder.on_username_taken(hook(url, allow_http_loopback)?);
    }
    Ok(builder.build().await?)
}

async fn verifier(
    arguments: &ServeArguments,
    pools: Vec<Pool>,
    store: Option<&Store>,
) -> Result<Verifier, CommandError> {
    let builder = pools.into_iter().fold(Verifier::builder(), |builder, pool| builder.pool(pool));
    let builder = arguments.limits.apply(builder).allow_http_loopback(arguments.allow_http_loopback);
    Ok(with_store(builder, store).build().await?)
}

fn gateway(arguments: &ServeArguments, gateway: Gateway) -> Result<Gateway, CommandError> {
    let limit = |per_second| RateLimit { per_second, burst: arguments.rate_burst };
    let seconds = |seconds: NonZeroU32| Duration::from_secs(seconds.get().into());
    let flows = &arguments.flows;
    let mut gateway = gateway
        .routes(rules(arguments)?)
        .rate_limit(NonZeroU32::new(arguments.rate_limit).map(limit))
        .trusted_hops(arguments.trusted_hops)
        .body_limit(flows.body_limit)
        .deadlines(Deadlines {
            first_head: seconds(arguments.first_head_timeout),
            head: seconds(arguments.head_timeout),
            body: seconds(arguments.body_timeout),
            shutdown: seconds(arguments.shutdown_timeout),
        })
        .cors_origins(&flows.cors_origins)
        .map_err(|error| CommandError::Usage(format!("--cors-origin: {error}")))?;
    if let Some(max) = arguments.max_connections.or_else(open_files::max_connections) {
        gateway = gateway.max_connections(max);
    }
    if flows.refresh_cookie {
        gateway = gateway.refresh_cookie(refresh_cookie(flows)?);
    }
    if let Some(header) = &arguments.client_ip_header {
        gateway = gateway.client_ip_header(header.clone());
    }
    Ok(gateway)
}

fn rules(arguments: &ServeArguments) -> Result<RouteRules, CommandError> {
    let rejected = |option| move |error: RouteError| CommandError::Usage(format!("{option} {error}"));
    let mut rules = RouteRules::new();
    for (prefix, groups) in &arguments.required {
        let ruled = match groups {
            Some(groups) => rules.any_of_groups(prefix, groups),
            None => rules.token(prefix),
        };
        rules = ruled.map_err(rejected("--require"))?;
    }
    for prefix in &arguments.public {
        rules = rules.public(prefix).map_err(rejected("--public"))?;
    }
    for prefix in &arguments.preflights {
        rules = rules.preflights(prefix).map_err(rejected("--preflight"))?;
    }
    Ok(rules)
}

fn refresh_cookie(arguments: &FlowArguments) -> Result<RefreshCookie, CommandError> {
    let rejected = |option| move |error: CookieError| CommandError::Usage(format!("{option}: {error}"));
    let same_site = match arguments.cookie_same_site.as_str() {
        "strict" => SameSite::Strict,
        "lax" => SameSite::Lax,
        _ => SameSite::None,
    };
    let max_age = Duration::from_secs(arguments.refresh_token_validity);
    let cookie = RefreshCookie::default()
        .same_site(same_site)
        .path(&arguments.cookie_path)
        .map_err(rejected("--cookie-path"))?;
    let cookie = cookie.max_age(max_age).map_err(rejected("--refresh-token-validity"))?;
    match &arguments.cookie_domain {
        Some(domain) => cookie.domain(domain).map_err(rejected("--cookie-domain")),
        None => Ok(cookie),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, CommandError> {
    let failed = |error| CommandError::Usage(format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(failed)
}

/// A hook that sends `{"username":"…","flow":"…"}` to the operator's URL, in the background.
fn hook(url: &str, allow_http_loopback: bool) -> Result<impl Fn(UsernameTaken) + Send + Sync + use<>, CommandError> {
    let rejected = |error: poolgate::KeyUrlError| CommandError::Usage(format!("--username-taken-hook: {error}"));
    poolgate::KeyUrl::parse(url, allow_http_loopback).map_err(rejected)?;
    let client = Client::builder().timeout(HOOK_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| CommandError::Usage(format!("could not create the HTTP client: {error}")))?;
    let (url, permits) = (url.to_owned(), Arc::new(Semaphore::new(MAX_HOOKS)));
    Ok(move |taken: UsernameTaken| {
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            tracing::warn!("too many requests to the username-taken hook are in progress; one was dropped");
            return;
        };
        let body = json!({ "username": taken.username, "flow": taken.flow }).to_string();
        let post = client.post(&url).header("Content-Type", "application/json").body(body);
        tokio::spawn(async move {
            let _permit = permit;
            match post.send().await.map(|response| response.status()) {
                Ok(status) if status.is_success() => {}
                Ok(status) => {
                    tracing::warn!(status = status.as_u16(), "the username-taken hook responded with an error")
                }
                Err(_) => tracing::warn!("the username-taken hook is unreachable"),
            }
        });
    })
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
            return signal::ctrl_c().await.unwrap_or_default();
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await.unwrap_or_default();
}
