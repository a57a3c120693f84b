//! The `verifier` interface: one verifier an instance, and the loop that fetches keys for it.
#![expect(clippy::result_large_err, reason = "a denial is the contract's record, and is lowered at once")]

use crate::{
    Component,
    bindings::{
        exports::poolgate::auth::verifier::{
            Config, ConfigError, Denial, Guest, KeyReport, KeySetError, NewlyVerified, RevocationMode,
            RevocationStatus, Verified, VerifyOutcome,
        },
        poolgate::auth::key_source::{self, FetchError, KeyResponse},
        wasi::clocks::wall_clock,
    },
    configuration::core_config,
    translation::{
        config_error, denial, hint, key_report, key_set_error, outcome, pending_key_url, pending_revocation,
        revocation_mode, revocation_status, verified, verify_outcome,
    },
};
use poolgate_core::{Fetch, LogicalTime, Reason, Step, Verifier};
use std::cell::{Cell, RefCell};

thread_local! {
    static VERIFIER: RefCell<Option<Verifier>> = const { RefCell::new(None) };
    static REVOCATION: Cell<Option<RevocationMode>> = const { Cell::new(None) };
}

/// For an instance that waits in the import, nothing else happens between a token and the end of its fetch.
const RECEIVED: LogicalTime = LogicalTime(0);
const STARTED: LogicalTime = LogicalTime(1);

impl Guest for Component {
    fn configure(config: Config) -> Result<(), ConfigError> {
        VERIFIER.with_borrow_mut(|slot| {
            if slot.is_some() {
                return Err(ConfigError::AlreadyConfigured);
            }
            let mut verifier = Verifier::new(core_config(config)).map_err(config_error)?;
            if let Some(mode) = REVOCATION.get() {
                verifier.enable_revocation_check(revocation_mode(mode));
            }
            *slot = Some(verifier);
            Ok(())
        })
    }

    fn verify(token: String) -> Result<Verified, Denial> {
        let step = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.verify(now(), &token)));
        concluded(&token, step, verified, || verify_after_own_fetch(&token))
    }

    fn verify_cached(token: String) -> Result<VerifyOutcome, Denial> {
        let step = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.verify_cached(now(), &token)));
        let unnamed = |verified| VerifyOutcome::Verified(NewlyVerified { verified, handle: None });
        concluded(&token, step, verify_outcome, || verify_after_own_fetch(&token).map(unnamed))
    }

    fn verify_after_fetch(token: String, received_at: u64) -> Result<Verified, Denial> {
        concluded(&token, again(&token, LogicalTime(received_at)), verified, || verify_after_own_fetch(&token))
    }

    fn enable_revocation_check(mode: RevocationMode) -> Result<(), ConfigError> {
        let is_late = VERIFIER.with_borrow(Option::is_some) || REVOCATION.get().is_some();
        if is_late {
            return Err(ConfigError::AlreadyConfigured);
        }
        REVOCATION.set(Some(mode));
        Ok(())
    }

    fn verify_with_revocation_status(token: String, answer: RevocationStatus) -> Result<Verified, Denial> {
        let answer = revocation_status(answer);
        let verdict = VERIFIER.with_borrow_mut(|slot| {
            slot.as_mut().map(|verifier| verifier.verify_with_revocation_status(now(), &token, answer))
        });
        verdict.unwrap_or(Err(Reason::NotConfigured)).map(verified).map_err(|reason| refusal(&token, reason))
    }

    fn maintain() {
        let due = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.maintain(now())));
        for fetch in due.iter().flatten() {
            bring_keys(fetch);
        }
    }

    fn keys_fetched(
        url: String,
        key_id: Option<String>,
        started_at: u64,
        ended_at: u64,
        response: Result<KeyResponse, FetchError>,
    ) -> Result<(), KeySetError> {
        VERIFIER.with_borrow_mut(|slot| match (slot, outcome(&response)) {
            (Some(verifier), Some(outcome)) => {
                let started_at = LogicalTime(started_at);
                verifier.fetched(now(), &url, key_id.as_deref(), started_at, ended_at, outcome).map_err(key_set_error)
            }
            // `deferred` is not an outcome.
            (Some(_), None) => Ok(()),
            (None, _) => Err(KeySetError::NotConfigured),
        })
    }

    fn load_key_set(issuer: String, jwks: Vec<u8>, fetched_at: u64) -> Result<KeyReport, KeySetError> {
        VERIFIER.with_borrow_mut(|slot| match slot {
            Some(verifier) => {
                verifier.load_key_set(now(), &issuer, &jwks, fetched_at).map(key_report).map_err(key_set_error)
            }
            None => Err(KeySetError::NotConfigured),
        })
    }

    fn key_reports() -> Vec<KeyReport> {
        let reports = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.key_reports(now())));
        reports.into_iter().flatten().map(key_report).collect()
    }
}

/// Judges a token after a fetch that was made for it, in this call.
fn verify_after_own_fetch(token: &str) -> Result<Verified, Denial> {
    concluded(token, again(token, RECEIVED), verified, || Err(denial(Reason::KeysUnavailable)))
}

fn again(token: &str, received_at: LogicalTime) -> Option<Step> {
    VERIFIER
        .with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.verify_after_fetch(now(), token, received_at)))
}

/// The end of a step, where need be after the keys have come.
fn concluded<T, U>(
    token: &str,
    step: Option<Step<T>>,
    told: impl Fn(T) -> U,
    again: impl FnOnce() -> Result<U, Denial>,
) -> Result<U, Denial> {
    match step {
        Some(Step::Done(verdict)) => verdict.map(told).map_err(|reason| refusal(token, reason)),
        Some(Step::NeedsKeys(fetch)) if bring_keys(&fetch) => again(),
        Some(Step::NeedsKeys(Fetch { url, .. }) | Step::PendingFetch(url)) => Err(pending_key_url(url)),
        Some(Step::PendingRevocation(revocable)) => Err(pending_revocation(*revocable)),
        None => Err(denial(Reason::NotConfigured)),
    }
}

/// With what there is to say to the operator.
fn refusal(token: &str, reason: Reason) -> Denial {
    let said = VERIFIER.with_borrow(|slot| slot.as_ref().and_then(|verifier| verifier.hint(token, reason)));
    Denial { hint: said.and_then(hint), ..denial(reason) }
}

/// Waits in the import, and tells the verifier what came. Nothing is borrowed meanwhile. False if the host does not wait.
fn bring_keys(fetch: &Fetch) -> bool {
    let response = key_source::fetch(&fetch.url, fetch.key_id.as_deref(), fetch.etag.as_deref());
    let Some(outcome) = outcome(&response) else {
        return false;
    };
    VERIFIER.with_borrow_mut(|slot| {
        if let Some(verifier) = slot {
            // What is wrong with the set is in the key report.
            let _ = verifier.fetched(now(), &fetch.url, fetch.key_id.as_deref(), STARTED, now(), outcome);
        }
    });
    true
}

fn now() -> u64 {
    wall_clock::now().seconds
}
