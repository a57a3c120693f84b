//! The authorizer of this instance. It is created from the configuration at the first request.

use crate::{bindings::poolgate::edge::configuration, clock, log};
use poolgate_edge::{
    Config, ConfigError, RequestAuthorizer,
    config::{self, KeyPolicy},
    discovery::{DiscoveredIssuers, DiscoveredKeys},
};
use std::{cell::RefCell, rc::Rc};

/// The number of fetches for unknown key IDs that a new instance may make at first, unless the operator configures `unknown_key_fetches`: one for
/// its keys and one for a key ID that is not among them. A host may start a new instance every few requests, and a client that invents key
/// IDs must not get a full token bucket from each.
const FIRST_FETCHES: u32 = 2;

/// None if the configuration is invalid; it does not change while the instance lives.
enum State {
    Unread,
    Invalid,
    Ready(Box<Ready>),
}

struct Ready {
    config: Config,
    authorizer: RequestAuthorizer,
    discovered: DiscoveredIssuers,
}

thread_local!(static STATE: RefCell<State> = const { RefCell::new(State::Unread) });

/// Calls `work` with the authorizer. Returns `None` if the configuration is invalid.
pub fn with<Outcome>(work: impl FnOnce(&mut RequestAuthorizer) -> Outcome) -> Option<Outcome> {
    STATE.with_borrow_mut(|state| match ready(state) {
        State::Ready(ready) => Some(work(&mut ready.authorizer)),
        _ => None,
    })
}

/// Calls `read` with the configuration. Returns `None` if it is invalid.
pub fn configured<Outcome>(read: impl FnOnce(&Config) -> Outcome) -> Option<Outcome> {
    STATE.with_borrow_mut(|state| match ready(state) {
        State::Ready(ready) => Some(read(&ready.config)),
        _ => None,
    })
}

/// Returns the keys of the issuer whose discovery document is at this URL, if it is the URL of one.
pub fn discovered(url: &str) -> Option<Rc<DiscoveredKeys>> {
    STATE.with_borrow_mut(|state| match ready(state) {
        State::Ready(ready) => ready.discovered.get(url),
        _ => None,
    })
}

fn ready(state: &mut State) -> &mut State {
    if let State::Unread = state {
        *state = match build() {
            Ok(ready) => {
                for warning in ready.authorizer.warnings() {
                    log::line(format!("poolgate: {warning}"));
                }
                State::Ready(Box::new(ready))
            }
            Err(error) => {
                log::line(format!("poolgate: the configuration is invalid: {error}"));
                State::Invalid
            }
        };
    }
    state
}

fn build() -> Result<Ready, ConfigError> {
    let config = config::read(configuration::json().as_bytes())?;
    let mut authorizer = RequestAuthorizer::new(&config, clock::seconds(), clock::seed())?;
    if config.key_policy.unknown_key_fetches == KeyPolicy::default().unknown_key_fetches {
        authorizer.leave_unknown_key_fetches(FIRST_FETCHES);
    }
    config::fits_middleware(&config, &authorizer.key_urls())?;
    let discovered = DiscoveredIssuers::new(&config)?;
    Ok(Ready { config, authorizer, discovered })
}
