//! Which keys are held for which issuer, and when it is time to ask for new ones.
//!
//! Keys are fetched on first use and when a token names a key that is not held, and no more often than the two pauses
//! below allow; nothing but the time that is passed in decides it.

use super::{FetchFault, Found, KeyReport, KeySet, KeySetFault};
use crate::{Limits, Reason, signature::PreparedKey};
use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// Seconds between two fetches from one place, after one that brought keys.
const PAUSE_AFTER_SUCCESS: u64 = 10;
/// Seconds between two fetches from one place, after one that failed.
const PAUSE_AFTER_FAILURE: u64 = 1;

/// A place that keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceId(usize);

/// Every place that keys come from, and what came.
#[derive(Debug)]
pub(crate) struct KeyStore {
    places: Vec<Place>,
    limits: Limits,
}

#[derive(Debug)]
struct Place {
    issuers: Vec<String>,
    /// Nothing is fetched where there is none.
    url: Option<String>,
    held: Option<Held>,
    last_attempt: Option<Attempt>,
}

#[derive(Debug)]
struct Held {
    set: KeySet,
    fetched_at: u64,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    at: u64,
    pause: u64,
}

/// What is known of a key ID.
#[derive(Debug)]
pub(crate) enum Lookup<'k> {
    Key(&'k PreparedKey),
    /// The keys at this URL must be fetched first.
    Fetch(&'k str),
    Refused(Reason),
}

impl KeyStore {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { places: Vec::new(), limits }
    }

    /// The place for a URL, or a new one for keys that are only seeded.
    pub(crate) fn place(&mut self, url: Option<&str>) -> PlaceId {
        let known = self.places.iter().position(|place| url.is_some() && place.url.as_deref() == url);
        PlaceId(known.unwrap_or_else(|| {
            let url = url.map(str::to_owned);
            self.places.push(Place { issuers: Vec::new(), url, held: None, last_attempt: None });
            self.places.len().saturating_sub(1)
        }))
    }

    /// Notes that an issuer's keys come from a place.
    pub(crate) fn add_issuer(&mut self, id: PlaceId, issuer: &str) {
        if let Some(place) = self.places.get_mut(id.0) {
            place.issuers.push(issuer.to_owned());
        }
    }

    pub(crate) fn find(&self, id: PlaceId, key_id: &str, now: u64) -> Lookup<'_> {
        let Some(place) = self.places.get(id.0) else {
            return Lookup::Refused(Reason::KeysUnavailable);
        };
        let set = place.held.as_ref().map(|held| &held.set);
        let refusal = match set.map(|set| set.find(key_id)) {
            Some(Found::Key(key)) => return Lookup::Key(key),
            Some(Found::Refused) => Reason::KeyRefused,
            Some(Found::Nothing) if set.is_some_and(KeySet::is_usable) => Reason::KeyUnknown,
            Some(Found::Nothing) | None => Reason::KeysUnavailable,
        };
        match &place.url {
            Some(url) if place.may_fetch(now) => Lookup::Fetch(url),
            _ => Lookup::Refused(refusal),
        }
    }

    /// Takes what a fetch brought, or that it brought nothing.
    pub(crate) fn fetched(&mut self, id: PlaceId, now: u64, outcome: Result<(&[u8], u64), FetchFault>) {
        let Some(place) = self.places.get_mut(id.0) else {
            return;
        };
        let taken = match outcome {
            Ok((body, fetched_at)) => place.take(body, fetched_at, &self.limits).is_ok(),
            Err(FetchFault::Later | FetchFault::Failed) => false,
        };
        let pause = if taken { PAUSE_AFTER_SUCCESS } else { PAUSE_AFTER_FAILURE };
        place.last_attempt = Some(Attempt { at: now, pause });
    }

    pub(crate) fn seed(&mut self, id: PlaceId, body: &[u8], fetched_at: u64) -> Result<KeyReport, KeySetFault> {
        let place = self.places.get_mut(id.0).ok_or(KeySetFault::UnknownIssuer)?;
        place.take(body, fetched_at, &self.limits)?;
        Ok(place.report())
    }

    pub(crate) fn reports(&self) -> Vec<KeyReport> {
        self.places.iter().map(Place::report).collect()
    }
}

impl Place {
    fn may_fetch(&self, now: u64) -> bool {
        match self.last_attempt {
            None => true,
            // A clock that stepped back must not stop fetching until it has caught up.
            Some(last) => now.checked_sub(last.at).is_none_or(|elapsed| elapsed >= last.pause),
        }
    }

    /// Swaps the whole set, or leaves everything as it was.
    fn take(&mut self, body: &[u8], fetched_at: u64, limits: &Limits) -> Result<(), KeySetFault> {
        let set = KeySet::parse(body, limits)?;
        if let Some(held) = &self.held {
            if held.fetched_at > fetched_at {
                return Err(KeySetFault::OlderThanHeld);
            }
            if held.set.is_usable() && !set.is_usable() {
                return Err(KeySetFault::NoUsableKey);
            }
        }
        self.held = Some(Held { set, fetched_at });
        Ok(())
    }

    fn report(&self) -> KeyReport {
        let held = self.held.as_ref();
        KeyReport {
            issuers: self.issuers.clone(),
            url: self.url.clone(),
            fetched_at: held.map(|held| held.fetched_at),
            ..held.map(|held| held.set.report()).unwrap_or_default()
        }
    }
}
