//! The `verifier` interface: one verifier an instance, and the loop that fetches keys for it.

use crate::{
    Component,
    bindings::{
        exports::poolgate::auth::verifier::{Config, ConfigError, Denial, Guest, KeyReport, SeedError, Verified},
        poolgate::auth::key_source::{self, FetchError},
        wasi::clocks::wall_clock,
    },
    configuration::core_config,
    translation::{config_error, denial, key_report, seed_error, verified},
};
use poolgate_core::{Fetch, FetchFault, Reason, Step, Verifier};
use std::cell::RefCell;

thread_local! {
    static VERIFIER: RefCell<Option<Verifier>> = const { RefCell::new(None) };
}

impl Guest for Component {
    fn configure(config: Config) -> Result<(), ConfigError> {
        VERIFIER.with_borrow_mut(|slot| {
            if slot.is_some() {
                return Err(ConfigError::AlreadyConfigured);
            }
            *slot = Some(Verifier::new(core_config(config)).map_err(config_error)?);
            Ok(())
        })
    }

    fn verify(token: String) -> Result<Verified, Denial> {
        let judge = || VERIFIER.with_borrow(|slot| slot.as_ref().map(|verifier| verifier.verify(now(), &token)));
        let mut step = judge();
        if let Some(Step::NeedsKeys(fetch)) = &step {
            bring_keys(fetch);
            step = judge();
        }
        match step {
            Some(Step::Judged(verdict)) => verdict.map(verified).map_err(denial),
            Some(Step::NeedsKeys(_)) => Err(denial(Reason::KeysUnavailable)),
            None => Err(denial(Reason::NotConfigured)),
        }
    }

    fn seed_keys(issuer: String, jwks: Vec<u8>, fetched_at: u64) -> Result<KeyReport, SeedError> {
        VERIFIER.with_borrow_mut(|slot| match slot {
            Some(verifier) => verifier.seed(&issuer, &jwks, fetched_at).map(key_report).map_err(seed_error),
            None => Err(SeedError::NotConfigured),
        })
    }

    fn key_reports() -> Vec<KeyReport> {
        VERIFIER.with_borrow(|slot| slot.iter().flat_map(|verifier| verifier.key_reports()).map(key_report).collect())
    }
}

/// Waits in the import, and tells the verifier what came. Nothing is borrowed meanwhile.
fn bring_keys(fetch: &Fetch) {
    let response = key_source::fetch(&fetch.url);
    let outcome = match &response {
        Ok(response) => Ok((response.body.as_slice(), response.fetched_at)),
        Err(FetchError::Later) => Err(FetchFault::Later),
        Err(_) => Err(FetchFault::Failed),
    };
    VERIFIER.with_borrow_mut(|slot| {
        if let Some(verifier) = slot {
            verifier.fetched(fetch, now(), outcome);
        }
    });
}

fn now() -> u64 {
    wall_clock::now().seconds
}
