//! Every place that keys come from, on one line of time.

use super::{
    Fetch, FetchFault, KeyPolicy, KeyReport, KeySetFault, Response, Tick,
    place::{Lookup, Missing, Permission, Place},
    timeline::{Moment, Timeline},
    unknown::UnknownKeys,
};
use crate::{Limits, Reason};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use hashbrown::HashMap;

/// A place that keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlaceId(usize);

#[derive(Debug)]
pub(crate) struct KeyStore {
    places: Vec<Place>,
    by_url: HashMap<String, PlaceId>,
    unknown: UnknownKeys,
    timeline: Timeline,
    policy: KeyPolicy,
    limits: Limits,
}

/// What follows when a key is not there.
#[derive(Debug)]
pub(crate) enum Miss {
    Refused(Reason),
    /// The keys must be fetched first.
    Fetch(Fetch),
    /// They are being fetched from this URL.
    UnderWay(String),
}

impl KeyStore {
    pub(crate) fn new(limits: Limits, policy: KeyPolicy) -> Self {
        Self {
            places: Vec::new(),
            by_url: HashMap::new(),
            unknown: UnknownKeys::new(policy.unknown_key_entries),
            timeline: Timeline::new(),
            policy,
            limits,
        }
    }

    /// The place for a URL, or a new one for keys that are only seeded.
    pub(crate) fn place(&mut self, url: Option<&str>) -> PlaceId {
        if let Some(known) = url.and_then(|url| self.by_url.get(url)) {
            return *known;
        }
        let number = self.places.len();
        self.places.push(Place::new(number, url.map(str::to_owned), &self.policy, self.timeline.now()));
        if let Some(url) = url {
            self.by_url.insert(url.to_owned(), PlaceId(number));
        }
        PlaceId(number)
    }

    /// Notes that an issuer's keys come from a place.
    pub(crate) fn add_issuer(&mut self, id: PlaceId, issuer: &str) {
        if let Some(place) = self.places.get_mut(id.0) {
            place.issuers.push(issuer.to_owned());
        }
    }

    /// Notes that a place is not asked before a token needs it.
    pub(crate) fn ask_on_demand(&mut self, id: PlaceId) {
        if let Some(place) = self.places.get_mut(id.0) {
            place.is_on_demand = true;
        }
    }

    /// Moves to the time of the wall clock.
    pub(crate) fn advance(&mut self, now: u64) -> Moment {
        self.timeline.advance(now)
    }

    pub(crate) fn find(&self, id: PlaceId, key_id: &str, now: Moment) -> Lookup<'_> {
        self.places.get(id.0).map_or(Lookup::Missing(Missing::Everything), |place| place.find(key_id, now))
    }

    /// The generation of the keys of a place: it changes whenever they do.
    pub(crate) fn generation(&self, id: PlaceId) -> u64 {
        self.places.get(id.0).map_or(0, Place::generation)
    }

    /// Whether the keys of a place are of this generation and still verify, and if so, whether they are past their soft lifetime.
    pub(crate) fn vouches(&self, id: PlaceId, generation: u64, now: Moment) -> Option<bool> {
        self.places.get(id.0)?.vouches(generation, now)
    }

    /// What to do about a key that is not there.
    pub(crate) fn miss(&mut self, id: PlaceId, key_id: &str, missing: Missing, now: Moment) -> Miss {
        match missing {
            Missing::ThisOne if self.unknown.contains(id.0, key_id, now) => Miss::Refused(Reason::KeyUnknownCached),
            Missing::Refused if self.unknown.contains(id.0, key_id, now) => Miss::Refused(Reason::KeyRefused),
            missing => self.ask(id, key_id, missing, now),
        }
    }

    /// The same after a fetch, for a token that came at `came_at`. If that fetch began later, there is no such key, which is remembered;
    /// else the key may have been published meanwhile, and it takes one more.
    pub(crate) fn miss_again(
        &mut self,
        id: PlaceId,
        key_id: &str,
        missing: Missing,
        came_at: Tick,
        now: Moment,
    ) -> Miss {
        if let Some(place) = self.places.get_mut(id.0) {
            place.end_overdue(&self.policy, now);
        }
        match self.places.get(id.0) {
            Some(place) if missing != Missing::Everything && !place.has_failed() => {
                if place.was_looked_at_after(came_at) {
                    self.unknown.insert(id.0, key_id, now.after(self.policy.unknown_key_ttl.into()));
                    return Miss::Refused(self.reason(id, missing));
                }
                self.unknown.doubt(id.0, key_id, now);
                self.ask(id, key_id, missing, now)
            }
            _ => Miss::Refused(self.reason(id, missing)),
        }
    }

    /// Why a token is refused for whose key nothing more is asked for.
    pub(crate) fn reason(&self, id: PlaceId, missing: Missing) -> Reason {
        match (missing, self.places.get(id.0)) {
            (Missing::Everything, _) | (_, None) => Reason::KeysUnavailable,
            (Missing::Refused, Some(_)) => Reason::KeyRefused,
            (Missing::ThisOne, Some(place)) if place.has_failed() => Reason::KeysUnavailable,
            (Missing::ThisOne, Some(_)) => Reason::KeyUnknown,
        }
    }

    fn ask(&mut self, id: PlaceId, key_id: &str, missing: Missing, now: Moment) -> Miss {
        let Some(place) = self.places.get_mut(id.0) else {
            return Miss::Refused(Reason::KeysUnavailable);
        };
        place.end_overdue(&self.policy, now);
        let permission = match missing {
            Missing::Everything => place.ask(&self.policy, now),
            Missing::ThisOne | Missing::Refused => place.ask_for_unknown(&self.policy, now),
        };
        match permission {
            Permission::Now => fetch_from(place, (missing != Missing::Everything).then_some(key_id)),
            Permission::UnderWay => Miss::UnderWay(place.url.clone().unwrap_or_default()),
            permission => Miss::Refused(match missing {
                Missing::Everything => Reason::KeysUnavailable,
                Missing::Refused => Reason::KeyRefused,
                Missing::ThisOne if permission == Permission::BackingOff => Reason::KeysUnavailable,
                Missing::ThisOne if permission == Permission::UsedUp && self.policy.unknown_key_fetches > 0 => {
                    Reason::KeyUnknownLimited
                }
                Missing::ThisOne => Reason::KeyUnknown,
            }),
        }
    }

    pub(crate) fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.places.iter_mut().for_each(|place| place.leave_unknown_key_fetches(left));
    }

    /// The places that it is time to ask. Their fetches have begun.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<Fetch> {
        let mut due = Vec::new();
        for place in &mut self.places {
            place.end_overdue(&self.policy, now);
            if place.ask_if_due(&self.policy, now) == Permission::Now
                && let Miss::Fetch(fetch) = fetch_from(place, None)
            {
                due.push(fetch);
            }
        }
        due
    }

    /// The place of a URL.
    pub(crate) fn place_of(&self, url: &str) -> Option<PlaceId> {
        self.by_url.get(url).copied()
    }

    /// Takes the end of a fetch, at a time of the wall clock. The key ID that it was asked for is remembered if it is not
    /// among the keys that came: its token came before the fetch began.
    pub(crate) fn fetched(
        &mut self,
        url: &str,
        key_id: Option<&str>,
        began_at: Tick,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchFault>,
    ) -> Result<(), KeySetFault> {
        let id = self.by_url.get(url).copied().ok_or(KeySetFault::UnknownUrl)?;
        let place = self.places.get_mut(id.0).ok_or(KeySetFault::UnknownUrl)?;
        let (obtained, now) = (self.timeline.moment_of(ended_at), self.timeline.now());
        place.fetched(outcome, began_at, obtained, ended_at, &self.policy, &self.limits)?;
        let until = obtained.after(self.policy.unknown_key_ttl.into());
        if let Some(key_id) = key_id
            && now < until
            && !place.has_failed()
            && let Lookup::Missing(Missing::ThisOne | Missing::Refused) = place.find(key_id, now)
        {
            self.unknown.insert(id.0, key_id, until);
        }
        Ok(())
    }

    pub(crate) fn seed(&mut self, id: PlaceId, body: &[u8], fetched_at: u64) -> Result<KeyReport, KeySetFault> {
        let place = self.places.get_mut(id.0).ok_or(KeySetFault::UnknownIssuer)?;
        let (obtained, now) = (self.timeline.moment_of(fetched_at), self.timeline.now());
        if now.since(obtained) >= self.policy.hard_ttl.into() {
            return Err(KeySetFault::TooOld);
        }
        place.seed(body, obtained, fetched_at, &self.policy, &self.limits)?;
        Ok(place.report(now))
    }

    pub(crate) fn reports(&self) -> Vec<KeyReport> {
        self.places.iter().map(|place| place.report(self.timeline.now())).collect()
    }

    /// How many key IDs are remembered for which no key was found.
    pub(crate) fn remembered(&self) -> usize {
        self.unknown.len()
    }
}

/// A place without a URL is never permitted to be asked.
fn fetch_from(place: &Place, key_id: Option<&str>) -> Miss {
    match &place.url {
        Some(url) => {
            Miss::Fetch(Fetch { url: url.clone(), key_id: key_id.map(Into::into), etag: place.etag().map(Into::into) })
        }
        None => Miss::Refused(Reason::KeysUnavailable),
    }
}
