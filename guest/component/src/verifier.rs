//! The `verifier` interface: one verifier an instance, and the loop that fetches keys for it.
#![expect(clippy::result_large_err, reason = "a denial is the contract's record, and is lowered at once")]

use crate::{
    Component,
    bindings::{
        exports::poolgate::auth::verifier::{
            Config, ConfigError, Denial, Guest, Judgement, KeyReport, Remembered, RevocationAnswer, RevocationMode,
            SeedError, Verified,
        },
        poolgate::auth::key_source::{self, FetchError, KeyResponse},
        wasi::clocks::wall_clock,
    },
    configuration::core_config,
    translation::{
        awaits_keys, awaits_revocation, config_error, denial, hint, judgement, key_report, outcome, revocation_answer,
        revocation_mode, seed_error, verified,
    },
};
use poolgate_core::{Fetch, Reason, Step, Tick, Verifier};
use std::cell::{Cell, RefCell};

thread_local! {
    static VERIFIER: RefCell<Option<Verifier>> = const { RefCell::new(None) };
    static REVOCATION: Cell<Option<RevocationMode>> = const { Cell::new(None) };
}

/// For an instance that waits in the import, nothing else happens between a token and the end of its fetch.
const CAME: Tick = Tick(0);
const BEGAN: Tick = Tick(1);

impl Guest for Component {
    fn configure(config: Config) -> Result<(), ConfigError> {
        VERIFIER.with_borrow_mut(|slot| {
            if slot.is_some() {
                return Err(ConfigError::AlreadyConfigured);
            }
            let mut verifier = Verifier::new(core_config(config)).map_err(config_error)?;
            if let Some(mode) = REVOCATION.get() {
                verifier.ask_revocation(revocation_mode(mode));
            }
            *slot = Some(verifier);
            Ok(())
        })
    }

    fn verify(token: String) -> Result<Verified, Denial> {
        let step = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.verify(now(), &token)));
        concluded(&token, step, verified, || verify_after_fetch(&token))
    }

    fn judge(token: String) -> Result<Judgement, Denial> {
        let step = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.judge(now(), &token)));
        let unnamed = |verified| Judgement::Verified(Remembered { verified, ticket: None });
        concluded(&token, step, judgement, || verify_after_fetch(&token).map(unnamed))
    }

    fn verify_again(token: String, came_at: u64) -> Result<Verified, Denial> {
        concluded(&token, again(&token, Tick(came_at)), verified, || verify_after_fetch(&token))
    }

    fn ask_revocation(mode: RevocationMode) -> Result<(), ConfigError> {
        let is_late = VERIFIER.with_borrow(Option::is_some) || REVOCATION.get().is_some();
        if is_late {
            return Err(ConfigError::AlreadyConfigured);
        }
        REVOCATION.set(Some(mode));
        Ok(())
    }

    fn verify_asked(token: String, answer: RevocationAnswer) -> Result<Verified, Denial> {
        let answer = revocation_answer(answer);
        let verdict =
            VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.verify_asked(now(), &token, answer)));
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
        began_at: u64,
        ended_at: u64,
        response: Result<KeyResponse, FetchError>,
    ) -> Result<(), SeedError> {
        VERIFIER.with_borrow_mut(|slot| match (slot, outcome(&response)) {
            (Some(verifier), Some(outcome)) => {
                let began_at = Tick(began_at);
                verifier.fetched(now(), &url, key_id.as_deref(), began_at, ended_at, outcome).map_err(seed_error)
            }
            // "Later" is no end.
            (Some(_), None) => Ok(()),
            (None, _) => Err(SeedError::NotConfigured),
        })
    }

    fn seed_keys(issuer: String, jwks: Vec<u8>, fetched_at: u64) -> Result<KeyReport, SeedError> {
        VERIFIER.with_borrow_mut(|slot| match slot {
            Some(verifier) => verifier.seed(now(), &issuer, &jwks, fetched_at).map(key_report).map_err(seed_error),
            None => Err(SeedError::NotConfigured),
        })
    }

    fn key_reports() -> Vec<KeyReport> {
        let reports = VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.key_reports(now())));
        reports.into_iter().flatten().map(key_report).collect()
    }
}

/// Judges a token after a fetch that was made for it, in this call.
fn verify_after_fetch(token: &str) -> Result<Verified, Denial> {
    concluded(token, again(token, CAME), verified, || Err(denial(Reason::KeysUnavailable)))
}

fn again(token: &str, came_at: Tick) -> Option<Step> {
    VERIFIER.with_borrow_mut(|slot| slot.as_mut().map(|verifier| verifier.verify_again(now(), token, came_at)))
}

/// The end of a step, where need be after the keys have come.
fn concluded<T, U>(
    token: &str,
    step: Option<Step<T>>,
    told: impl Fn(T) -> U,
    again: impl FnOnce() -> Result<U, Denial>,
) -> Result<U, Denial> {
    match step {
        Some(Step::Judged(verdict)) => verdict.map(told).map_err(|reason| refusal(token, reason)),
        Some(Step::NeedsKeys(fetch)) if bring_keys(&fetch) => again(),
        Some(Step::NeedsKeys(Fetch { url, .. }) | Step::AwaitsKeys(url)) => Err(awaits_keys(url)),
        Some(Step::AwaitsRevocation(revocable)) => Err(awaits_revocation(*revocable)),
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
            let _ = verifier.fetched(now(), &fetch.url, fetch.key_id.as_deref(), BEGAN, now(), outcome);
        }
    });
    true
}

fn now() -> u64 {
    wall_clock::now().seconds
}
