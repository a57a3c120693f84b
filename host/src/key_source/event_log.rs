//! What every instance must have been told of keys, in order: the ends of fetches, and seeds.
//!
//! The instances are replicas of one state machine. Each is told what it missed before its next call, so that a key which
//! one of them learns is gone is gone for all. Of old entries only those are kept that a new instance needs, and of key sets only
//! the last that was taken and the last that came.

use crate::bindings::poolgate::auth::key_source::{FetchError, KeyResponse};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// How many ends of fetches from one URL are kept besides the last whose keys were taken: enough for the core's back-off and its
/// token bucket to be what they are in an older instance.
const KEPT_FETCHES: usize = 16;

/// An entry.
#[derive(Debug)]
pub(crate) struct KeyEvent {
    pub(crate) event: KeyEventKind,
    /// Whether an instance has said what it makes of it.
    is_judged: AtomicBool,
    /// Whether an instance has taken the keys.
    was_taken: AtomicBool,
}

impl KeyEvent {
    fn new(event: KeyEventKind) -> Self {
        // A seed is one that an instance has taken.
        let was_taken = matches!(event, KeyEventKind::Loaded(_));
        Self { event, is_judged: AtomicBool::new(was_taken), was_taken: AtomicBool::new(was_taken) }
    }

    /// What a new instance needs of a fetch whose keys are not needed: that it was made.
    fn without_keys(&self) -> Option<Self> {
        let KeyEventKind::Fetched { url, key_id, started_at, ended_at, outcome: Ok(KeyResponse { body: Some(_), .. }) } =
            &self.event
        else {
            return None;
        };
        let (url, key_id, outcome) = (Arc::clone(url), key_id.clone(), Err(FetchError::Unreachable));
        let event = KeyEventKind::Fetched { url, key_id, started_at: *started_at, ended_at: *ended_at, outcome };
        Some(Self { event, is_judged: AtomicBool::new(true), was_taken: AtomicBool::new(false) })
    }
}

#[derive(Debug)]
pub(crate) enum KeyEventKind {
    Fetched {
        url: Arc<str>,
        key_id: Option<String>,
        /// When the request was made: a [`KeyEventLog::tick`]; 0 if it never was.
        started_at: u64,
        ended_at: u64,
        outcome: Result<KeyResponse, FetchError>,
    },
    Loaded(LocalKeySet),
}

/// A JWK Set that no fetch brought.
#[derive(Debug)]
pub(crate) struct LocalKeySet {
    pub(crate) issuer: String,
    pub(crate) jwks: Vec<u8>,
    pub(crate) fetched_at: u64,
}

#[derive(Debug)]
pub(crate) struct KeyEventLog {
    /// The number of the last entry. An instance that has seen it has missed nothing.
    last: AtomicU64,
    ticks: AtomicU64,
    state: Mutex<LogState>,
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct LogState {
    entries: BTreeMap<u64, Arc<KeyEvent>>,
    fetches: HashMap<Arc<str>, Fetches>,
    seeds: HashMap<String, u64>,
}

/// The numbers of a URL's entries.
#[derive(Debug, Default)]
struct Fetches {
    recent: VecDeque<u64>,
    /// The last whose keys were taken.
    taken: Option<u64>,
}

impl KeyEventLog {
    pub(crate) fn new() -> Self {
        Self { last: AtomicU64::new(0), ticks: AtomicU64::new(0), state: Mutex::default(), news: watch::channel(0).0 }
    }

    pub(crate) fn push(&self, event: KeyEventKind) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.last.load(Ordering::Relaxed) + 1;
        state.make_room(&event, number);
        state.entries.insert(number, Arc::new(KeyEvent::new(event)));
        self.last.store(number, Ordering::Release);
        drop(state);
        self.news.send_replace(number);
    }

    /// The next number of the order in which tokens come and fetches begin.
    pub(crate) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the last entry.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// The entries after a number.
    pub(crate) fn after(&self, number: u64) -> Vec<(u64, Arc<KeyEvent>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.entries.range(number + 1..).map(|(number, entry)| (*number, Arc::clone(entry))).collect()
    }

    /// The number of the last end of a fetch from a URL; 0 if there was none.
    pub(crate) fn last_fetch(&self, url: &str) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fetches.get(url).and_then(|fetches| fetches.recent.back()).copied().unwrap_or(0)
    }

    /// Notes what an instance makes of an entry; true if it is the first. Keys that were taken are kept until others are.
    pub(crate) fn judge(&self, number: u64, entry: &KeyEvent, is_taken: bool) -> bool {
        let is_first = !entry.is_judged.swap(true, Ordering::Relaxed);
        let is_news = is_taken && !entry.was_taken.swap(true, Ordering::Relaxed);
        if is_first || is_news {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.judged(number, entry, is_taken);
        }
        is_first
    }

    /// Takes out the keys that made a fresh instance fail, for they would make all others fail: those are told that nothing came. What an
    /// instance has taken made it fail by no fault of its own, and stays.
    pub(crate) fn disarm(&self, number: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = state.entries.get_mut(&number).filter(|entry| !entry.was_taken.load(Ordering::Relaxed));
        if let Some(entry) = entry
            && let Some(harmless) = entry.without_keys()
        {
            *entry = Arc::new(harmless);
        }
    }

    /// Waits for the end of a fetch from a URL, after an entry.
    pub(crate) async fn wait_for_fetch(&self, url: &str, number: u64) {
        // It fails only without a sender, and the sender is ours.
        let _ = self.news.subscribe().wait_for(|_| self.last_fetch(url) > number).await;
    }
}

impl LogState {
    /// Forgets what the new entry makes needless.
    fn make_room(&mut self, event: &KeyEventKind, number: u64) {
        match event {
            KeyEventKind::Loaded(seed) => {
                if let Some(earlier) = self.seeds.insert(seed.issuer.clone(), number) {
                    self.entries.remove(&earlier);
                }
            }
            KeyEventKind::Fetched { url, .. } => {
                let fetches = self.fetches.entry(Arc::clone(url)).or_default();
                fetches.recent.push_back(number);
                let oldest = if fetches.recent.len() > KEPT_FETCHES { fetches.recent.pop_front() } else { None };
                if let Some(oldest) = oldest.filter(|oldest| fetches.taken != Some(*oldest)) {
                    self.entries.remove(&oldest);
                }
                fetches.drop_needless_keys(&mut self.entries);
            }
        }
    }

    fn judged(&mut self, number: u64, entry: &KeyEvent, is_taken: bool) {
        let KeyEventKind::Fetched { url, outcome, .. } = &entry.event else { return };
        let Some(fetches) = self.fetches.get_mut(url) else { return };
        let brings_keys = matches!(outcome, Ok(KeyResponse { body: Some(_), .. }));
        if is_taken && brings_keys && fetches.taken < Some(number) {
            let earlier = fetches.taken.replace(number);
            if let Some(earlier) = earlier.filter(|earlier| !fetches.recent.contains(earlier)) {
                self.entries.remove(&earlier);
            }
        }
        fetches.drop_needless_keys(&mut self.entries);
    }
}

impl Fetches {
    /// A key set that was refused, or after which another was taken, is of no use to a new instance. The last that came stays, so that
    /// every instance can say what is wrong with it.
    fn drop_needless_keys(&self, entries: &mut BTreeMap<u64, Arc<KeyEvent>>) {
        let last = self.recent.back();
        for number in self.recent.iter().filter(|number| Some(**number) != self.taken && Some(*number) != last) {
            if let Some(entry) = entries.get_mut(number).filter(|entry| entry.is_judged.load(Ordering::Relaxed))
                && let Some(bare) = entry.without_keys()
            {
                *entry = Arc::new(bare);
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

    fn judge_last(event_log: &KeyEventLog, is_taken: bool) {
        let (number, entry) = event_log.after(event_log.last() - 1).pop().expect("there is one");
        assert!(event_log.judge(number, &entry, is_taken), "nobody has judged it before");
        assert!(!event_log.judge(number, &entry, is_taken));
    }

    /// The numbers of the entries that bring keys.
    fn with_keys(event_log: &KeyEventLog) -> Vec<u64> {
        let brings_keys = |entry: &KeyEvent| {
            matches!(&entry.event, KeyEventKind::Fetched { outcome: Ok(KeyResponse { body: Some(_), .. }), .. })
        };
        event_log.after(0).iter().filter(|(_, entry)| brings_keys(entry)).map(|(number, _)| *number).collect()
    }

    #[test]
    fn what_a_new_instance_needs_is_kept_and_no_more() {
        let event_log = KeyEventLog::new();
        event_log.push(keys());
        judge_last(&event_log, true);
        for _ in 0..100 {
            // Bodies that are no key sets, too: nobody takes them.
            event_log.push(keys());
            judge_last(&event_log, false);
            assert_eq!(with_keys(&event_log), [1, event_log.last()], "the keys that are used, and what came last");
            event_log.push(fetched(Err(FetchError::Unreachable)));
        }
        let entries = event_log.after(0);
        assert_eq!(entries.len(), KEPT_FETCHES + 1);
        assert_eq!(entries.first().map(|(number, _)| *number), Some(1), "the last keys that were taken, however old");
        event_log.push(keys());
        judge_last(&event_log, true);
        assert_eq!(event_log.after(0).len(), KEPT_FETCHES, "the new keys are in the place of the old");
        assert_eq!(with_keys(&event_log), [event_log.last()]);
        assert_eq!(event_log.last_fetch(URL), event_log.last());
    }

    #[test]
    fn of_many_sets_that_are_taken_one_after_the_other_the_last_is_kept() {
        let event_log = KeyEventLog::new();
        for _ in 0..40 {
            event_log.push(keys());
            judge_last(&event_log, true);
            assert_eq!(with_keys(&event_log), [event_log.last()]);
        }
        // What no instance has been told of may be what they all need.
        event_log.push(keys());
        event_log.push(keys());
        assert_eq!(with_keys(&event_log), [40, 41, 42]);
    }

    #[test]
    fn what_made_a_fresh_instance_fail_is_told_to_no_other_unless_one_has_taken_it() {
        let event_log = KeyEventLog::new();
        event_log.push(keys());
        event_log.push(keys());
        judge_last(&event_log, true);
        event_log.push(KeyEventKind::Loaded(LocalKeySet { issuer: "a".into(), jwks: Vec::new(), fetched_at: 0 }));
        (1..=4).for_each(|number| event_log.disarm(number));
        assert_eq!(with_keys(&event_log), [2]);
        let entries = event_log.after(0);
        assert!(
            matches!(&entries[..], [(1, harmless), (2, _), (3, seed)]
                if matches!(harmless.event, KeyEventKind::Fetched { outcome: Err(_), .. })
                && matches!(seed.event, KeyEventKind::Loaded(_))),
            "{entries:?}"
        );
    }

    #[test]
    fn one_seed_of_an_issuer_is_kept() {
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
