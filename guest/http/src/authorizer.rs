//! The authorizer of this instance, made of the configuration when the first request comes.

use crate::{bindings::poolgate::edge::configuration, clock, log};
use poolgate_edge::{
    Config, ConfigFault, RequestAuthorizer,
    config::{self, KeyPolicy},
};
use std::cell::RefCell;

/// How many fetches a new instance has at first: one for its keys, and one for a key ID that is not among them. A host may start an instance
/// every few requests, and a stranger who makes up key IDs must not get a full budget from each.
/// Only where the operator has not stated another budget.
const FIRST_FETCHES: u32 = 2;

/// None if the configuration is invalid; it does not change while the instance lives.
enum State {
    Unread,
    Refused,
    Ready { config: Box<Config>, authorizer: Box<RequestAuthorizer> },
}

thread_local!(static STATE: RefCell<State> = const { RefCell::new(State::Unread) });

/// Does something with the authorizer. `None` if there is none, because the configuration is invalid.
pub fn with<Outcome>(work: impl FnOnce(&mut RequestAuthorizer) -> Outcome) -> Option<Outcome> {
    STATE.with_borrow_mut(|state| match ready(state) {
        State::Ready { authorizer, .. } => Some(work(authorizer)),
        _ => None,
    })
}

/// Reads something from the configuration, where there is one.
pub fn configured<Outcome>(read: impl FnOnce(&Config) -> Outcome) -> Option<Outcome> {
    STATE.with_borrow_mut(|state| match ready(state) {
        State::Ready { config, .. } => Some(read(config)),
        _ => None,
    })
}

fn ready(state: &mut State) -> &mut State {
    if let State::Unread = state {
        *state = match build() {
            Ok((config, authorizer)) => {
                for warning in authorizer.warnings() {
                    log::line(format!("poolgate: {warning}"));
                }
                State::Ready { config: Box::new(config), authorizer: Box::new(authorizer) }
            }
            Err(fault) => {
                log::line(format!("poolgate: the configuration is invalid: {fault}"));
                State::Refused
            }
        };
    }
    state
}

fn build() -> Result<(Config, RequestAuthorizer), ConfigFault> {
    let config = config::read(configuration::json().as_bytes())?;
    let mut authorizer = RequestAuthorizer::new(&config, clock::seconds(), clock::seed())?;
    if config.key_policy.unknown_key_fetches == KeyPolicy::default().unknown_key_fetches {
        authorizer.leave_unknown_key_fetches(FIRST_FETCHES);
    }
    config::fits_middleware(&config, &authorizer.key_urls())?;
    Ok((config, authorizer))
}
