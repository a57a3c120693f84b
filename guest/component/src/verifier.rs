//! The `verifier` interface: one verifier for each instance, and the calls of `key-source.fetch`.
#![expect(clippy::result_large_err, reason = "a denial is the contract's record, and is lowered at once")]

use crate::{
    Component,
    bindings::{
        exports::poolgate::auth::verifier::{
            Config, ConfigError, Denial, Explanation, Guest, KeyReport, KeySetError, NewlyVerified, RevocationMode,
            RevocationStatus, Verified, VerifyOutcome,
        },
        poolgate::auth::key_source::{self, FetchError, KeyResponse},
        wasi::clocks::wall_clock,
    },
    configuration::core_config,
    explanation::{explanation, not_configured},
    state::{self, State},
    translation::{
        config_error, denial, hint, key_report, key_set_error, misfit, outcome, pending_key_url, pending_revocation,
        revocation_mode, revocation_status, verified, verify_outcome,
    },
};
use poolgate_core::{Fetch, LogicalTime, Reason, Step, Verifier};

/// The logical times of a token and of the fetch that it causes, for a host that waits in the import: nothing else happens between them.
pub const RECEIVED: LogicalTime = LogicalTime(0);
const STARTED: LogicalTime = LogicalTime(1);

impl Guest for Component {
    fn configure(config: Config) -> Result<(), ConfigError> {
        if state::is_configured() {
            return Err(ConfigError::AlreadyConfigured);
        }
        state::set(State::Verifier(Verifier::new(core_config(config)).map_err(config_error)?));
        Ok(())
    }

    fn verify(token: String) -> Result<Verified, Denial> {
        let step = state::with(|verifier| verifier.verify(now(), &token));
        verdict(&token, step, verified, || verify_after_own_fetch(&token))
    }

    fn verify_cached(token: String) -> Result<VerifyOutcome, Denial> {
        let step = state::with(|verifier| verifier.verify_cached(now(), &token));
        let uncached = |verified| VerifyOutcome::Verified(NewlyVerified { verified, handle: None });
        verdict(&token, step, verify_outcome, || verify_after_own_fetch(&token).map(uncached))
    }

    fn verify_after_fetch(token: String, received_at: u64) -> Result<Verified, Denial> {
        verdict(&token, again(&token, LogicalTime(received_at)), verified, || verify_after_own_fetch(&token))
    }

    fn enable_revocation_check(mode: RevocationMode) -> Result<(), ConfigError> {
        match !state::is_configured() && state::set_revocation_mode(revocation_mode(mode)) {
            true => Ok(()),
            false => Err(ConfigError::AlreadyConfigured),
        }
    }

    fn verify_with_revocation_status(token: String, status: RevocationStatus) -> Result<Verified, Denial> {
        let status = revocation_status(status);
        let verdict = state::with(|verifier| verifier.verify_with_revocation_status(now(), &token, status));
        verdict.unwrap_or(Err(Reason::NotConfigured)).map(verified).map_err(|reason| denial_with_hint(&token, reason))
    }

    fn maintain() {
        for fetch in state::maintain(now()) {
            fetch_keys(&fetch);
        }
    }

    fn keys_fetched(
        url: String,
        key_id: Option<String>,
        started_at: u64,
        ended_at: u64,
        response: Result<KeyResponse, FetchError>,
    ) -> Result<(), KeySetError> {
        let result = state::with(|verifier| match outcome(&response) {
            Some(outcome) => {
                let started_at = LogicalTime(started_at);
                verifier.fetched(now(), &url, key_id.as_deref(), started_at, ended_at, outcome).map_err(key_set_error)
            }
            // `deferred` is not an outcome.
            None => Ok(()),
        });
        result.unwrap_or(Err(KeySetError::NotConfigured))
    }

    fn check_id_token(token: String, nonce: Option<String>, access_token: Option<String>) -> Result<(), Denial> {
        let result =
            state::with(|verifier| verifier.check_id_token(now(), &token, nonce.as_deref(), access_token.as_deref()));
        result.unwrap_or(Err(Reason::NotConfigured)).map_err(|reason| denial_with_hint(&token, reason))
    }

    fn explain(token: String) -> Explanation {
        state::with(|verifier| verifier.explain(now(), &token)).map_or_else(not_configured, explanation)
    }

    fn load_key_set(issuer: String, jwks: Vec<u8>, fetched_at: u64) -> Result<KeyReport, KeySetError> {
        let loaded = state::with(|verifier| verifier.load_key_set(now(), &issuer, &jwks, fetched_at));
        loaded.ok_or(KeySetError::NotConfigured)?.map(key_report).map_err(key_set_error)
    }

    fn key_reports() -> Vec<KeyReport> {
        let reports = state::with(|verifier| verifier.key_reports(now()));
        reports.into_iter().flatten().map(key_report).collect()
    }
}

/// Verifies a token after the fetch that it caused in the same call.
fn verify_after_own_fetch(token: &str) -> Result<Verified, Denial> {
    verdict(token, again(token, RECEIVED), verified, || Err(denial(Reason::KeysUnavailable)))
}

fn again(token: &str, received_at: LogicalTime) -> Option<Step> {
    state::with(|verifier| verifier.verify_after_fetch(now(), token, received_at))
}

/// Converts a step to a verdict. If keys are needed, it fetches them and verifies the token again.
fn verdict<T, U>(
    token: &str,
    step: Option<Step<T>>,
    convert: impl Fn(T) -> U,
    again: impl FnOnce() -> Result<U, Denial>,
) -> Result<U, Denial> {
    match step {
        Some(Step::Done(verdict)) => verdict.map(convert).map_err(|reason| denial_with_hint(token, reason)),
        Some(Step::NeedsKeys(fetch)) if fetch_keys(&fetch) => again(),
        Some(Step::NeedsKeys(Fetch { url, .. }) | Step::PendingFetch(url)) => Err(pending_key_url(url)),
        Some(Step::PendingRevocation(claims)) => Err(pending_revocation(*claims)),
        None => Err(denial(Reason::NotConfigured)),
    }
}

/// Returns a denial with what else the operator may need.
fn denial_with_hint(token: &str, reason: Reason) -> Denial {
    let more = state::with(|verifier| (verifier.hint(token, reason), verifier.misfit(token, reason)));
    let (found_hint, found_misfit) = more.unwrap_or_default();
    Denial { hint: found_hint.and_then(hint), misfit: found_misfit.map(misfit), ..denial(reason) }
}

/// Fetches keys through the import, and applies the result. Returns false if the host fetches in the background. The verifier is not borrowed
/// during the call.
pub fn fetch_keys(fetch: &Fetch) -> bool {
    let response = key_source::fetch(&fetch.url, fetch.key_id.as_deref(), fetch.etag.as_deref());
    let Some(outcome) = outcome(&response) else {
        return false;
    };
    // The key report contains the error of a rejected set.
    let _ =
        state::with(|verifier| verifier.fetched(now(), &fetch.url, fetch.key_id.as_deref(), STARTED, now(), outcome));
    true
}

/// The time in seconds since the Unix epoch.
pub fn now() -> u64 {
    wall_clock::now().seconds
}
