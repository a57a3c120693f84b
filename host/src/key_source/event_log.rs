//! An ordered log of key events: completed fetches and loaded key sets. Every instance applies all of them, in order.
//!
//! The instances are replicas of one state machine. Before each call, an instance applies the events that it has not applied yet, so that a
//! key that has been removed for one instance is removed for all. The log keeps only the old events that a new
//! instance needs, and only the key sets that were accepted last and fetched last.

use crate::bindings::poolgate::auth::key_source::{FetchError, KeyResponse};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// The number of completed fetches that are kept for each URL, in addition to the last one whose key set was accepted.
/// It is enough for a new instance to reach the same back-off and the same token bucket as an older one.
const KEPT_FETCHES: usize = 16;

/// The number of keys that have a URL of their own for which fetches are kept. Their URLs end with the `kid` of a token, so anyone can invent some.
/// A new instance fetches a key again whose fetches are not kept.
const KEPT_KEY_URLS: usize = 128;

/// An event that changes the keys of an instance.
#[derive(Debug)]
pub(crate) struct KeyEvent {
    pub(crate) kind: KeyEventKind,
    /// Whether an instance has applied the event.
    was_applied: AtomicBool,
    /// Whether an instance has accepted the keys.
    was_accepted: AtomicBool,
}

impl KeyEvent {
    fn new(kind: KeyEventKind) -> Self {
        // A loaded key set is added to the log after an instance has accepted it.
        let is_loaded = matches!(kind, KeyEventKind::Loaded(_));
        Self { kind, was_applied: AtomicBool::new(is_loaded), was_accepted: AtomicBool::new(is_loaded) }
    }

    /// Returns `true` if no instance has applied the event yet.
    pub(crate) fn is_new(&self) -> bool {
        !self.was_applied.load(Ordering::Relaxed)
    }

    /// Returns the URL of a completed fetch.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.kind {
            KeyEventKind::Fetched { url, .. } => Some(url),
            KeyEventKind::Loaded(_) => None,
        }
    }

    /// Returns the same event without its keys, if it is a fetch that returned keys. A new instance still needs to know
    /// that the fetch was made.
    fn without_keys(&self) -> Option<Self> {
        let KeyEventKind::Fetched { url, key_id, started_at, ended_at, outcome: Ok(KeyResponse { body: Some(_), .. }) } =
            &self.kind
        else {
            return None;
        };
        let (url, key_id, outcome) = (Arc::clone(url), key_id.clone(), Err(FetchError::Unreachable));
        let kind = KeyEventKind::Fetched { url, key_id, started_at: *started_at, ended_at: *ended_at, outcome };
        Some(Self { kind, was_applied: AtomicBool::new(true), was_accepted: AtomicBool::new(false) })
    }
}

#[derive(Debug)]
pub(crate) enum KeyEventKind {
    /// A completed fetch.
    Fetched {
        url: Arc<str>,
        /// The unknown `kid` because of which the fetch was made.
        key_id: Option<String>,
        /// The logical time of the request, from [`KeyEventLog::tick`], or 0 if no request was made.
        started_at: u64,
        /// The time of the verifier's clock, in seconds since the Unix epoch.
        ended_at: u64,
        outcome: Result<KeyResponse, FetchError>,
    },
    /// A loaded key set.
    Loaded(LocalKeySet),
}

/// A JWK Set that was loaded from the application and not fetched.
#[derive(Debug)]
pub(crate) struct LocalKeySet {
    pub(crate) issuer: String,
    pub(crate) jwks: Vec<u8>,
    pub(crate) fetched_at: u64,
}

/// The event log. Events are numbered from 1.
#[derive(Debug)]
pub(crate) struct KeyEventLog {
    /// The number of the last event. An instance that has applied it is up to date.
    last: AtomicU64,
    ticks: AtomicU64,
    state: Mutex<LogState>,
    /// Notifies waiting calls of each new event.
    added: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct LogState {
    events: BTreeMap<u64, Arc<KeyEvent>>,
    /// By URL.
    fetches: HashMap<Arc<str>, FetchNumbers>,
    /// The URLs of single keys, in the order of their last fetches.
    key_urls: VecDeque<Arc<str>>,
    /// The last loaded key set of each issuer.
    loaded: HashMap<String, u64>,
}

/// The numbers of the completed fetches of one URL.
#[derive(Debug, Default)]
struct FetchNumbers {
    recent: VecDeque<u64>,
    /// The last fetch whose key set was accepted.
    accepted: Option<u64>,
}

impl KeyEventLog {
    pub(crate) fn new() -> Self {
        Self { last: AtomicU64::new(0), ticks: AtomicU64::new(0), state: Mutex::default(), added: watch::channel(0).0 }
    }

    /// Adds an event.
    pub(crate) fn push(&self, kind: KeyEventKind) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.last.load(Ordering::Relaxed) + 1;
        state.make_room(&kind, number);
        state.events.insert(number, Arc::new(KeyEvent::new(kind)));
        self.last.store(number, Ordering::Release);
        drop(state);
        self.added.send_replace(number);
    }

    /// Returns the next logical time. It orders the arrival of tokens and the start of fetches.
    pub(crate) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the number of the last event.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// Returns the events after a number.
    pub(crate) fn after(&self, number: u64) -> Vec<(u64, Arc<KeyEvent>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.events.range(number + 1..).map(|(number, event)| (*number, Arc::clone(event))).collect()
    }

    /// Returns the number of the last completed fetch of a URL, or 0 if there is none.
    pub(crate) fn last_fetch(&self, url: &str) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fetches.get(url).and_then(|fetches| fetches.recent.back()).copied().unwrap_or(0)
    }

    /// Records whether an instance has accepted the keys of an event. Returns `true` for the first instance that
    /// applies the event. Accepted keys are kept until others are accepted.
    pub(crate) fn record_result(&self, number: u64, event: &KeyEvent, is_accepted: bool) -> bool {
        let is_first = !event.was_applied.swap(true, Ordering::Relaxed);
        let is_first_acceptance = is_accepted && !event.was_accepted.swap(true, Ordering::Relaxed);
        if is_first || is_first_acceptance {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.applied(number, event, is_accepted);
        }
        is_first
    }

    /// Removes the keys of an event that made a new instance fail, because they would make every instance fail. The
    /// other instances treat the fetch as failed. Keys that another instance has accepted are not removed, because the
    /// failure then had another cause.
    pub(crate) fn remove_keys(&self, number: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let event = state.events.get_mut(&number).filter(|event| !event.was_accepted.load(Ordering::Relaxed));
        if let Some(event) = event
            && let Some(without_keys) = event.without_keys()
        {
            *event = Arc::new(without_keys);
        }
    }

    /// Waits until a fetch of a URL has completed, with an event after the given one.
    pub(crate) async fn wait_for_fetch(&self, url: &str, number: u64) {
        // It fails only if the sender is dropped, and `self` owns the sender.
        let _ = self.added.subscribe().wait_for(|_| self.last_fetch(url) > number).await;
    }
}

impl LogState {
    /// Removes the events that are not needed after a new one.
    fn make_room(&mut self, kind: &KeyEventKind, number: u64) {
        match kind {
            KeyEventKind::Loaded(key_set) => {
                if let Some(earlier) = self.loaded.insert(key_set.issuer.clone(), number) {
                    self.events.remove(&earlier);
                }
            }
            KeyEventKind::Fetched { url, key_id, .. } => {
                if key_id.as_deref().is_some_and(|key_id| is_url_of_key(url, key_id)) {
                    self.make_room_for_key_url(url);
                }
                let fetches = self.fetches.entry(Arc::clone(url)).or_default();
                fetches.recent.push_back(number);
                let oldest = if fetches.recent.len() > KEPT_FETCHES { fetches.recent.pop_front() } else { None };
                if let Some(oldest) = oldest.filter(|oldest| fetches.accepted != Some(*oldest)) {
                    self.events.remove(&oldest);
                }
                fetches.drop_unneeded_keys(&mut self.events);
            }
        }
    }

    /// Removes all fetches of the single key that was fetched least recently, if there are too many such keys. Keys that no instance has accepted
    /// come first, so that invented ones remove no other.
    fn make_room_for_key_url(&mut self, url: &Arc<str>) {
        self.key_urls.retain(|known| known != url);
        self.key_urls.push_back(Arc::clone(url));
        if self.key_urls.len() <= KEPT_KEY_URLS {
            return;
        }
        let is_accepted = |url: &Arc<str>| self.fetches.get(url).is_some_and(|fetches| fetches.accepted.is_some());
        let position = self.key_urls.iter().take(KEPT_KEY_URLS).position(|url| !is_accepted(url)).unwrap_or(0);
        let oldest = self.key_urls.remove(position).and_then(|oldest| self.fetches.remove(&oldest));
        for number in oldest.iter().flat_map(|fetches| fetches.recent.iter().chain(&fetches.accepted)) {
            self.events.remove(number);
        }
    }

    fn applied(&mut self, number: u64, event: &KeyEvent, is_accepted: bool) {
        let KeyEventKind::Fetched { url, outcome, .. } = &event.kind else { return };
        let Some(fetches) = self.fetches.get_mut(url) else { return };
        let has_keys = matches!(outcome, Ok(KeyResponse { body: Some(_), .. }));
        if is_accepted && has_keys && fetches.accepted < Some(number) {
            let earlier = fetches.accepted.replace(number);
            if let Some(earlier) = earlier.filter(|earlier| !fetches.recent.contains(earlier)) {
                self.events.remove(&earlier);
            }
        }
        fetches.drop_unneeded_keys(&mut self.events);
    }
}

/// Returns whether a URL is that of one key: its last segment is the key ID, a UUID.
pub(crate) fn is_url_of_key(url: &str, key_id: &str) -> bool {
    let has_lengths = key_id.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    has_lengths && url.strip_suffix(key_id).is_some_and(|prefix| prefix.ends_with('/'))
}

impl FetchNumbers {
    /// Drops key sets that a new instance does not need: those that were rejected, or replaced by a later accepted one.
    /// The last fetched key set stays, so that every instance can report its error.
    fn drop_unneeded_keys(&self, events: &mut BTreeMap<u64, Arc<KeyEvent>>) {
        let last = self.recent.back();
        for number in self.recent.iter().filter(|number| Some(**number) != self.accepted && Some(*number) != last) {
            if let Some(event) = events.get_mut(number).filter(|event| event.was_applied.load(Ordering::Relaxed))
                && let Some(without_keys) = event.without_keys()
            {
                *event = Arc::new(without_keys);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.com/";

    fn fetched(outcome: Result<KeyResponse, FetchError>) -> KeyEventKind {
        KeyEventKind::Fetched { url: URL.into(), key_id: None, started_at: 1, ended_at: 0, outcome }
    }

    fn keys() -> KeyEventKind {
        fetched(Ok(KeyResponse { body: Some(b"{}".to_vec()), max_age: None, etag: None }))
    }

    fn record_last(event_log: &KeyEventLog, is_accepted: bool) {
        let (number, event) = event_log.after(event_log.last() - 1).pop().expect("there is one");
        assert!(event_log.record_result(number, &event, is_accepted), "no instance has applied it before");
        assert!(!event_log.record_result(number, &event, is_accepted));
    }

    /// Returns the numbers of the events with keys.
    fn with_keys(event_log: &KeyEventLog) -> Vec<u64> {
        let has_keys = |event: &KeyEvent| {
            matches!(&event.kind, KeyEventKind::Fetched { outcome: Ok(KeyResponse { body: Some(_), .. }), .. })
        };
        event_log.after(0).iter().filter(|(_, event)| has_keys(event)).map(|(number, _)| *number).collect()
    }

    #[test]
    fn only_the_events_that_a_new_instance_needs_are_kept() {
        let event_log = KeyEventLog::new();
        event_log.push(keys());
        record_last(&event_log, true);
        for _ in 0..100 {
            // No instance accepts this key set.
            event_log.push(keys());
            record_last(&event_log, false);
            assert_eq!(with_keys(&event_log), [1, event_log.last()], "the keys in use, and the last fetched ones");
            event_log.push(fetched(Err(FetchError::Unreachable)));
        }
        let events = event_log.after(0);
        assert_eq!(events.len(), KEPT_FETCHES + 1);
        assert_eq!(events.first().map(|(number, _)| *number), Some(1), "the last accepted keys, however old");
        event_log.push(keys());
        record_last(&event_log, true);
        assert_eq!(event_log.after(0).len(), KEPT_FETCHES, "the new keys replace the old ones");
        assert_eq!(with_keys(&event_log), [event_log.last()]);
        assert_eq!(event_log.last_fetch(URL), event_log.last());
    }

    #[test]
    fn of_many_accepted_key_sets_only_the_last_is_kept() {
        let event_log = KeyEventLog::new();
        for _ in 0..40 {
            event_log.push(keys());
            record_last(&event_log, true);
            assert_eq!(with_keys(&event_log), [event_log.last()]);
        }
        // Key sets that no instance has applied yet may be needed by all of them.
        event_log.push(keys());
        event_log.push(keys());
        assert_eq!(with_keys(&event_log), [40, 41, 42]);
    }

    #[test]
    fn keys_that_made_a_new_instance_fail_are_removed_unless_another_has_accepted_them() {
        let event_log = KeyEventLog::new();
        event_log.push(keys());
        event_log.push(keys());
        record_last(&event_log, true);
        event_log.push(KeyEventKind::Loaded(LocalKeySet { issuer: "a".into(), jwks: Vec::new(), fetched_at: 0 }));
        (1..=4).for_each(|number| event_log.remove_keys(number));
        assert_eq!(with_keys(&event_log), [2]);
        let events = event_log.after(0);
        assert!(
            matches!(&events[..], [(1, without_keys), (2, _), (3, loaded)]
                if matches!(without_keys.kind, KeyEventKind::Fetched { outcome: Err(_), .. })
                && matches!(loaded.kind, KeyEventKind::Loaded(_))),
            "{events:?}"
        );
    }

    #[test]
    fn invented_key_ids_in_urls_do_not_fill_the_log() {
        let event_log = KeyEventLog::new();
        let fetch = |url: String, key_id: String, is_found: bool| {
            let outcome = match is_found {
                true => Ok(KeyResponse { body: Some(b"key".to_vec()), max_age: None, etag: None }),
                false => Err(FetchError::BadStatus),
            };
            let (url, key_id) = (url.into(), Some(key_id));
            event_log.push(KeyEventKind::Fetched { url, key_id, started_at: 1, ended_at: 0, outcome });
            record_last(&event_log, is_found);
        };
        event_log.push(keys());
        record_last(&event_log, true);
        for number in 0..1_000 {
            let key_id = format!("{number:08}-0000-4000-8000-000000000000");
            fetch(format!("https://example.com/{key_id}"), key_id, number % 2 == 0);
        }
        let events = event_log.after(0);
        assert_eq!(events.len(), KEPT_KEY_URLS + 1);
        assert_eq!(events.first().map(|(number, _)| *number), Some(1), "a key set is not one of them");
        assert_eq!(event_log.last_fetch("https://example.com/00000000-0000-4000-8000-000000000000"), 0);
        // Of those that are kept, all are accepted; invented ones replace none but the last.
        let first_kept = event_log.after(1)[0].0;
        for number in 2_000..3_000 {
            let key_id = format!("{number:08}-0000-4000-8000-000000000000");
            fetch(format!("https://example.com/{key_id}"), key_id, false);
        }
        assert_eq!(event_log.after(0).len(), KEPT_KEY_URLS + 1);
        let second_kept = event_log.after(1)[0].0;
        assert!(second_kept <= first_kept + 4, "{first_kept} {second_kept}");
        // An unknown `kid` of a key set is not in its URL.
        for number in 0..3 {
            fetch("https://example.com/keys".into(), format!("{number:08}-0000-4000-8000-000000000000"), true);
        }
        assert_eq!(event_log.after(0).len(), KEPT_KEY_URLS + 4);
    }

    #[test]
    fn only_the_last_loaded_key_set_of_an_issuer_is_kept() {
        let event_log = KeyEventLog::new();
        for fetched_at in 0..10 {
            for issuer in ["a", "b"] {
                event_log.push(KeyEventKind::Loaded(LocalKeySet {
                    issuer: issuer.into(),
                    jwks: Vec::new(),
                    fetched_at,
                }));
            }
        }
        assert_eq!(event_log.after(0).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [19, 20]);
    }
}
