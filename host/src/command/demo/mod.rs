//! `poolgate demo`: starts an issuer on a loopback port, and verifies valid and invalid tokens.

mod cases;
pub mod issuer;
mod pools;

use super::{
    arguments::DemoArguments,
    cache::compilation_cache,
    output::{self, CommandError, Outcome, Palette},
};
use cases::{Case, Expected};
use issuer::{Issuer, Signer};
use poolgate::{Clock, KeyState, Pool, SystemClock, TokenUseRule, Verifier};
use pools::{API_POOL, CLIENT, GROUP, WEB_POOL};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

pub async fn run(arguments: &DemoArguments) -> Result<Outcome, CommandError> {
    let failed = |what: &str| CommandError::Usage(format!("the demo could not start: {what}"));
    let signer = || Signer::new().ok_or_else(|| failed("could not generate an RSA key"));
    let (web, mut api, mut forger) = (signer()?, signer()?, signer()?);
    // A signature that is not smaller than the modulus is rejected before the RSA check. The forger's signature must reach that check.
    if forger.modulus() > api.modulus() {
        std::mem::swap(&mut api, &mut forger);
    }
    let issuer = Issuer::start(&[(API_POOL, &api), (WEB_POOL, &web)]).await?;

    let pool = |id: &str| Pool::user_pool(id).jwks_url(issuer.jwks_url(id)).client_ids([CLIENT]);
    let mut builder = Verifier::builder()
        .pool(pool(API_POOL).token_use(TokenUseRule::Access).any_of_groups([GROUP]))
        .pool(pool(WEB_POOL).token_use(TokenUseRule::Id))
        .allow_http_loopback(true);
    if let Some(directory) = compilation_cache() {
        builder = builder.compilation_cache(directory);
    }
    let started = Instant::now();
    let verifier = builder.build().await?;
    let start_time = started.elapsed();
    let reports = verifier.hydrate().await.map_err(|denial| failed(&denial.to_string()))?;
    let hydrated = reports.iter().filter(|report| report.state == KeyState::Fresh).count();

    let cases = cases::all(&api, &web, &forger, SystemClock.now().as_secs());
    let mut table = Table::new(arguments.json);
    table.begin(issuer.address(), start_time, hydrated)?;
    for case in &cases {
        let started = Instant::now();
        let verdict = verifier.verify(&case.token).await;
        let time = started.elapsed();
        table.row(case, verdict.as_ref().map(|_| ()).map_err(|denial| denial.reason.name()), time)?;
    }
    table.end(issuer.fetches(), verifier.key_waits())
}

/// Prints the table, and counts the results.
struct Table {
    is_json: bool,
    palette: Palette,
    allowed: usize,
    rejected: usize,
    unexpected: usize,
}

impl Table {
    fn new(is_json: bool) -> Self {
        Self { is_json, palette: Palette::for_stdout(), allowed: 0, rejected: 0, unexpected: 0 }
    }

    fn begin(&self, address: std::net::SocketAddr, start_time: Duration, hydrated: usize) -> io::Result<()> {
        if self.is_json {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "An issuer with fresh RSA keys listens on {address}.")?;
        writeln!(stdout, "The verifier runs in a WebAssembly sandbox (started in {} ms).", start_time.as_millis())?;
        writeln!(stdout, "Pool {API_POOL} accepts access tokens of one app client and of the group {GROUP}.")?;
        writeln!(stdout, "Pool {WEB_POOL} accepts ID tokens. {hydrated} of 2 pools have their keys.\n")?;
        let title = format!("{:<58} {:<8} {:<24} {:>9}", "TOKEN", "VERDICT", "REASON", "TIME");
        writeln!(stdout, "{}", self.palette.bold(&title))
    }

    fn row(&mut self, case: &Case, verdict: Result<(), &'static str>, time: Duration) -> io::Result<()> {
        let is_expected = match (case.expected, verdict) {
            (Expected::Allow, Ok(())) => true,
            (Expected::Deny(expected), Err(reason)) => expected == reason,
            _ => false,
        };
        self.unexpected += usize::from(!is_expected);
        match verdict {
            Ok(()) => self.allowed += 1,
            Err(_) => self.rejected += 1,
        }
        let (word, reason) = match verdict {
            Ok(()) => ("allow", ""),
            Err(reason) => ("deny", reason),
        };
        let mut stdout = io::stdout().lock();
        if self.is_json {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            let object = json!({
                "token": case.name, "verdict": word, "reason": verdict.err(), "microseconds": micros,
                "expected": is_expected,
            });
            return writeln!(stdout, "{object}");
        }
        let painted = if verdict.is_ok() { self.palette.success("allow   ") } else { self.palette.failure("deny    ") };
        let note = if is_expected { String::new() } else { self.palette.warning("  NOT EXPECTED") };
        writeln!(stdout, "{:<58} {painted} {reason:<24} {:>6} µs{note}", case.name, time.as_micros())
    }

    fn end(&self, fetches: usize, waits: u64) -> Result<Outcome, CommandError> {
        let Self { allowed, rejected, unexpected, .. } = *self;
        let outcome = if unexpected == 0 { Outcome::Allowed } else { Outcome::Denied };
        if self.is_json {
            return Ok(outcome);
        }
        let text = |palette: Palette| {
            let verdict = match unexpected {
                0 => palette.success("as expected"),
                count => palette.failure(&format!("{count} NOT AS EXPECTED")),
            };
            format!(
                "\n{allowed} allowed, {rejected} rejected, {verdict}. Key sets were fetched {fetches} times. Tokens that waited for a fetch: {waits}.\n\
                 Next: poolgate verify --help\n"
            )
        };
        output::conclude(outcome, false, || Value::Null, text)
    }
}
